"""The page of an exploration: six steps from the counting experiment to a hypothesis, with what came out so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.experiments import load_experiment, write_text
from shoal.experiments.exploration import changeable_keys
from shoal.figures import Section, document, effect_chart, figure, responsive, table
from shoal.reports.html_format import value_text
from shoal.wording import capital

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments import Verdict
    from shoal.experiments.exploration import Exploration, PredictionOutcome

PAGE = "explore.html"
_EXPERIMENT, _PRESET = "counting", "quick"
_WORDS = {"held": "The prediction held", "failed": "The prediction failed", "undecided": "The runs do not decide it"}
_TEXT = Markup("<p>{}</p>")


def write_exploration_page(exploration: Exploration) -> Path:
    """Write ``explore.html`` into the folder of an exploration.

    Args:
        exploration: as `shoal.experiments.exploration.open_exploration` gives it.

    Returns:
        The path of the page.

    Raises:
        StoreError: it cannot be written.
    """
    path = exploration.folder / PAGE
    write_text(path, exploration_page(exploration))
    return path


def exploration_page(exploration: Exploration) -> str:
    """A whole document on an exploration.

    Args:
        exploration: as `shoal.experiments.exploration.open_exploration` gives it.
    """
    return document(
        "From the counting experiment to a hypothesis of your own",
        _result(exploration),
        [
            Section("base", "1. The experiment as it stands", _base(exploration)),
            Section("change", "2. Change one thing", _change()),
            Section("predict", "3. Predict, before you look", _predict(exploration)),
            Section("run", "4. Run it", _run(exploration)),
            Section("outcome", "5. Did the prediction hold?", _outcome(exploration.outcome)),
            Section("next", "6. What now?", _next(exploration)),
        ],
        details=f"Work in {exploration.notebook}: it is plain Python, in cells.",
        picture=None if exploration.outcome is None else _picture(exploration.outcome),
    )


def _result(exploration: Exploration) -> str:
    if exploration.outcome is not None:
        return f"{_WORDS[exploration.outcome.decision]}: {exploration.outcome.prediction}."
    if exploration.base is None:
        return "Run the counting experiment, change one thing, predict what happens, and see whether you were right."
    if exploration.prediction is None:
        return "The experiment has its verdict. Now change one thing, and predict what happens."
    return "The prediction is made. Now run the changed experiment."


def _verdict(found: Verdict | None, missing: str) -> Markup:
    if found is None:
        return Markup("<p class='muted'>{}</p>").format(missing)
    return Markup("<p><b>{}</b>. {}</p>").format(capital(found.verdict), found.sentence)


def _base(exploration: Exploration) -> Markup:
    about = (
        "A small model is taught to count in unary up to some numbers, and is tested on others. Did it learn to count, "
        "or a table of where to stop? Weights that were pretrained on stories are compared with random ones: six seeds."
    )
    to_do = f"To do: python {exploration.notebook}, which takes some minutes."
    return _TEXT.format(about) + _verdict(exploration.base, to_do)


def _change() -> Markup:
    keys = changeable_keys(load_experiment(_EXPERIMENT, _PRESET))
    asked = [[one.key, _setting(one.value), one.question] for one in keys if one.question]
    others = ", ".join(one.key for one in keys if not one.question)
    about = "Only one: where two things change, nobody knows which of them did it. These come with a question."
    return Markup("{}{}<details><summary>Every other key</summary><p>{}</p></details>").format(
        _TEXT.format(about),
        table(["Key", "As it stands", "What a change asks"], asked, caption="change_one(base, KEY, VALUE)"),
        others,
    )


def _setting(value: object) -> str:
    """A setting as the file has it: 80, and not 80.000."""
    return f"{value:g}" if isinstance(value, float) else value_text(value)


def _predict(exploration: Exploration) -> Markup:
    about = (
        "Higher, lower or the same? Of the treatment, the baseline, or the effect between them? The prediction is "
        "written down before the run, and cannot be changed once the run has come to its end."
    )
    made = "To do." if exploration.prediction is None else f"{capital(str(exploration.prediction))}."
    return _TEXT.format(about) + Markup("<p><b>{}</b></p>").format(made)


def _run(exploration: Exploration) -> Markup:
    return _verdict(
        exploration.changed, "To do: the same file runs the changed experiment, and resumes it where it was stopped."
    )


def _outcome(found: PredictionOutcome | None) -> Markup:
    rule = (
        "The seeds of both runs are paired. With the interval of the difference and the smallest effect that matters, "
        "“higher” held if the whole interval lies above 0 and the estimate is at least that effect, and failed if the "
        "whole interval lies below it; “lower” is the mirror image; “the same” held if the whole interval is smaller "
        "than it on both sides. Otherwise the runs do not decide it."
    )
    if found is None:
        return _TEXT.format(rule) + Markup("<p class='muted'>{}</p>").format("Nothing to see yet.")
    rows = [
        ["Changed", ", ".join(found.changed)],
        ["Before", f"{found.base:.3f}"],
        ["After", f"{found.now:.3f}"],
        ["Difference", f"{found.estimate:+.3f}"],
        [
            f"{100 * found.confidence:g}% interval over {len(found.differences)} seeds",
            f"{found.low:+.3f} to {found.high:+.3f}",
        ],
        ["Smallest effect that matters", f"{found.smallest:g}"],
    ]
    return _TEXT.format(rule) + table(["What", "Value"], rows, caption=capital(found.measure))


def _picture(found: PredictionOutcome) -> Markup:
    ends = [value if abs(value) != float("inf") else None for value in (found.low, found.high)]
    # The mark of what matters stands on the side that was predicted.
    mark = -found.smallest if found.prediction.direction == "lower" else found.smallest
    drawing = responsive(
        lambda width: effect_chart(
            found.estimate,
            ends[0],
            ends[1],
            mark,
            differences=found.differences,
            axis=f"{found.measure}: changed run minus base run, held-out items",
            width=width,
        ),
        title=f"Difference {found.estimate:+.3f} from {found.low:+.3f} to {found.high:+.3f}",
        wide=760,
    )
    caption = (
        "The difference with its interval, no difference, and the smallest effect that matters. Each ring is one seed."
    )
    return figure([drawing], caption=caption)


def _next(exploration: Exploration) -> Markup:
    steps = (
        f"shoal studio {exploration.folder} shows both runs item by item: which counts are wrong, and what came then.",
        "Undecided is no failure: more seeds would decide, and shoal power says how many.",
        "Another prediction is another folder: shoal explore another.",
    )
    return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(step) for step in steps))
