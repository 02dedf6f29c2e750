"""What the run was made with, the models that came of it, what it cost, and how to repeat it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import table, templates
from shoal.reports.html_format import number, said, words

if TYPE_CHECKING:
    from shoal.experiments import Run
    from shoal.reports.folder import Record


def environment(run: Run) -> Markup | None:
    """Versions, models and costs; None where none of them has been written yet."""
    parts = [_versions(run.environment.to_dict() if run.environment else None), _models(run), _costs(run)]
    return Markup("").join(part for part in parts if part) or None


def reproduce(run: Run) -> Markup:
    """The command that was given, the one that repeats it, and the experiment file."""
    given = run.environment.command if run.environment else None
    template = templates("shoal.reports").get_template("reproduce.html.j2")
    html = template.render(
        given=shlex.join(given) if given else None,
        again="shoal run experiment.toml --out another-folder",
        name=run.name,
        text=run.experiment_text,
    )
    return Markup(html)


def _versions(record: Record | None) -> Markup:
    """The machine and the packages."""
    if record is None:
        return Markup("")
    packages = record.get("packages", {})
    flat = {words(key): said(value) for key, value in record.items() if key not in ("packages", "command")}
    rows = [[key, value] for key, value in [*flat.items(), *packages.items()]]
    return table(["What", "Value"], rows, caption="Machine and versions")


def _models(run: Run) -> Markup:
    """One line for each model that was trained to its end."""
    done = [seed.done for arm in run.arms for seed in run.seeds_of(arm) if seed.done is not None]
    rows = [
        [
            record.arm,
            record.seed,
            record.origin,
            f"{record.parameters:,}",
            record.steps,
            said(record.final_loss),
            Markup("<code title='{}'>{}</code>").format(record.digest_after, record.digest_after[:12]),
        ]
        for record in done
    ]
    head = ["Arm", "Seed", "Weights from", "Parameters", "Steps", "Final loss", "SHA-256 after"]
    if not rows:
        return Markup("")
    drawn = table(head, rows, caption="Every model that was trained", numeric=(1, 3, 4, 5))
    return Markup("<details><summary>The {} trained models</summary>{}</details>").format(len(rows), drawn)


def _costs(run: Run) -> Markup:
    """What the run cost."""
    if not run.timings:
        return Markup("")
    cpu = sum(timing["cpu_seconds"] for timing in run.timings)
    peak = max(timing["peak_megabytes"] for timing in run.timings)
    line = Markup("<p>Units of work: {}; CPU-seconds: {}; most memory in one process: {} MB.</p>")
    return line.format(len(run.timings), number(cpu, 0), number(peak, 0))
