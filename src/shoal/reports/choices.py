"""What was chosen by measuring: the precision, and a learning rate for each arm with every trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.experiments import MEASURES
from shoal.figures import table
from shoal.reports.html_format import NOTHING, number, said

if TYPE_CHECKING:
    from shoal.reports.folder import Record


def choices(record: Record | None) -> Markup | None:
    """The choices and the trials behind them; None where nothing has been chosen yet."""
    if record is None:
        return None
    parts = [
        Markup("<p>Precision {}, threads a worker {}.</p>").format(said(record.get("precision")), record["threads"])
    ]
    arms: dict[str, Any] = record.get("learning_rates", {})
    if arms:
        rows = [[arm, f"{tuned['chosen']:g}", len(tuned["trials"])] for arm, tuned in arms.items()]
        parts.append(
            table(["Arm", "Learning rate", "Trials"], rows, caption="What each arm trains with", numeric=(1, 2))
        )
    trials = [(tuned, trial) for tuned in arms.values() for trial in tuned["trials"]]
    if trials:
        measure = MEASURES[trials[0][1]["measure"]].label
        head = ["Arm", "Learning rate", "Chosen", "Seed", f"Score: {measure}", "Items", "Steps", "Final loss"]
        caption = "Every trial, scored on a part of the seen items that it did not train on"
        parts.append(table(head, [_row(*pair) for pair in trials], caption=caption, numeric=(1, 3, 4, 5, 6, 7)))
    return Markup("").join(parts)


def _row(tuned: Record, trial: Record) -> list[str]:
    """One trial."""
    chosen = trial["learning_rate"] == tuned["chosen"]
    score = "diverged" if "diverged" in trial else NOTHING if trial["score"] is None else number(trial["score"])
    return [
        trial["arm"],
        f"{trial['learning_rate']:g}",
        "✓ chosen" if chosen else "",
        str(trial["seed"]),
        score,
        str(trial["validation_examples"]),
        said(trial.get("steps")),
        said(trial.get("final_loss")),
    ]
