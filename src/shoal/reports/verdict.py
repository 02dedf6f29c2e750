"""The verdict: its word and sentence first, then the interval, the numbers behind it and the controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import Section, document, effect_chart, figure, responsive, table, templates, text_of
from shoal.reports.html_format import MINUS, number, value_text, words

if TYPE_CHECKING:
    from shoal.experiments import Run, Verdict
    from shoal.reports.html_format import Record

MEANING = {
    "supported": "the whole interval lies above 0 and the estimate reaches the smallest effect that matters",
    "refuted": "the whole interval lies below the smallest effect that matters, which the seeds could have found",
    "underpowered": "the interval excludes neither an effect that matters nor a smaller one, or excludes one that the "
    "seeds could hardly have found",
    "confounded": "a named control failed, so that the effect does not answer the hypothesis",
}
# The width of the page's text: the one picture that everybody looks at takes all of it.
_WIDTH = 760
_WORD = Markup("<p class='word {}'>{}{}</p>\n")
_SENTENCE = Markup("<p class='result sentence'>{}</p>\n")
SIGN = {"supported": "✓", "refuted": "✗", "underpowered": "?", "confounded": "!"}


def verdict_result(run: Run) -> Markup:
    """The word and the sentence, or that there is none yet."""
    if run.verdict is None:
        return _WORD.format("pending", "", "No verdict yet") + _SENTENCE.format(
            "The run has not come to its end. What it has written so far stands below."
        )
    return _headline(run.verdict)


def verdict_picture(run: Run) -> Markup | None:
    """The interval of the effect; None where there is no verdict yet."""
    return None if run.verdict is None else _effect(run.verdict.to_dict())


def verdict(run: Run) -> Markup:
    """The numbers behind the verdict and its controls, or what is still missing for one."""
    if run.verdict is None:
        template = templates("shoal.reports").get_template("verdict.html.j2")
        return Markup(template.render(word=None, progress=_progress(run)))
    return _grounds(run.verdict.to_dict())


def verdict_page(found: Verdict) -> str:
    """A whole document on a verdict alone, without the run that it rests on.

    Args:
        found: what `run_experiment` gave back.
    """
    record = found.to_dict()
    return document(
        found.hypothesis,
        _headline(found),
        [Section("verdict", "Verdict", _grounds(record))],
        picture=_effect(record),
        style=text_of("shoal.reports", "report.css"),
    )


def _headline(found: Verdict) -> Markup:
    """The word and the sentence."""
    sign = Markup("<span aria-hidden='true'>{}</span> ").format(SIGN[found.verdict])
    return _WORD.format(found.verdict, sign, found.verdict.capitalize()) + _SENTENCE.format(found.sentence)


def _grounds(record: Record) -> Markup:
    """The numbers behind a verdict and its controls."""
    template = templates("shoal.reports").get_template("verdict.html.j2")
    word = record["verdict"]
    html = template.render(
        word=word,
        meaning=MEANING[word],
        numbers=_numbers(record),
        needed=record["needed"],
        controls=[_control(control) for control in record["controls"]],
        items_view=_items_view(record),
    )
    return Markup(html)


def _progress(run: Run) -> list[str]:
    """Each arm that has begun, with how many of its seeds are done."""
    planned = len(run.experiment.seeds)
    finished = {arm: sum(seed.done is not None for seed in run.seeds_of(arm)) for arm in run.arms}
    return [f"{arm}: {done} of {planned} seeds are done" for arm, done in finished.items()]


def _effect(record: Record) -> Markup:
    """The interval of the effect against 0 and d."""
    effect = record["effect"]
    if effect["estimate"] is None:
        return Markup("<p>No seed has a value on both sides, so that there is no effect to draw.</p>")
    says = (
        f"Effect {number(effect['estimate'])}, {_confidence(effect)} interval {_interval(effect)}, smallest effect "
        f"that matters {number(effect['smallest'])}"
    )
    drawing = responsive(
        lambda width: effect_chart(
            effect["estimate"],
            effect["low"],
            effect["high"],
            effect["smallest"],
            differences=effect["differences"],
            axis=f"{effect['measure']}: {record['treatment']} minus {record['baseline']}, held-out items",
            width=width,
        ),
        title=says,
        wide=_WIDTH,
    )
    caption = "The estimate with its interval, against no effect and the smallest effect that matters (d). "
    return figure([drawing], caption=f"{caption}Each ring is the difference of one seed.")


def _confidence(effect: Record) -> str:
    """The confidence as a percentage."""
    return f"{100 * effect['confidence']:g}%"


def _interval(effect: Record) -> str:
    """Both ends in words; an end that could not be bounded is infinite."""
    low = f"{MINUS}∞" if effect["low"] is None else number(effect["low"])
    high = "∞" if effect["high"] is None else number(effect["high"])
    return f"{low} to {high}"


def _numbers(record: Record) -> list[tuple[str, str]]:
    """The numbers of the verdict."""
    effect = record["effect"]
    # A seed without a value in one arm has no pair, and the report must not count it silently.
    pairs = len(effect["differences"])
    return [
        (f"Effect in {effect['measure']}", value_text(effect["estimate"])),
        (f"{_confidence(effect)} interval over seeds", _interval(effect)),
        ("Smallest effect that matters (d)", number(effect["smallest"])),
        ("p, sign flips over seeds", number(effect["p_value"])),
        ("Seeds per arm", str(record["seeds"]) if pairs == record["seeds"] else f"{pairs} of {record['seeds']}"),
        ("Items held out / seen", f"{record['items']} / {record['seen_items']}"),
        ("Detectable with these seeds", value_text(record["smallest_detectable_effect"])),
    ]


def _control(control: Record) -> dict[str, Any]:
    """A control with its numbers in words."""
    numbers = [f"{words(key)} {value_text(value)}" for key, value in control["numbers"].items()]
    return {"name": control["name"], "passed": control["passed"], "says": control["says"], "numbers": numbers}


def _items_view(record: Record) -> Markup:
    """The second view of the same comparison: the items as the unit."""
    view = record["items_view"]
    names = (record["treatment"], record["baseline"])
    head = ["Seed", f"Only {names[0]} right", f"Only {names[1]} right", "p (McNemar, exact)"]
    rows = [
        [seed, test["only_treatment"], test["only_baseline"], number(test["p_value"])]
        for seed, test in view["mcnemar"].items()
    ]
    caption = f"{view['measure'].capitalize()} on the held-out items after training, item by item"
    drawn = table(head, rows, caption=caption, numeric=(1, 2, 3))
    bootstrap = view["bootstrap"]
    if bootstrap is None:
        return drawn
    line = Markup("<p>Resampling seeds and items together (crossed bootstrap): {} interval {} to {}, {} groups.</p>")
    return drawn + line.format(
        _confidence(bootstrap), number(bootstrap["low"]), number(bootstrap["high"]), bootstrap["groups"]
    )
