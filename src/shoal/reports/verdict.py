"""What a run found: its verdict with the numbers behind it, and accuracies with intervals.

The verdict's word and sentence come first, then the interval, the numbers and the controls; then every measure by arm,
before and after training, on held-out and seen items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.experiments import MEASURES, summarize
from shoal.figures import (
    DotRow,
    Section,
    document,
    dot_chart,
    effect_chart,
    figure,
    responsive,
    table,
    templates,
    text_of,
)
from shoal.reports.html_format import MINUS, NOTHING, number, value_text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments import MeasureName, Run, Verdict
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSummary:
    """A measure of one arm at one stage on one split."""

    mean: float | None
    """Over seeds; None where the measure applies to no item."""

    low: float | None
    high: float | None
    """Its interval over seeds; None where so few seeds bound nothing."""

    seeds: tuple[float, ...]
    """The mean over items of each seed that has one."""

    items: int
    """Of one seed; every seed has the same."""


_TITLES = {"held_out": "Held-out items", "seen": "Seen items"}
_CELL = Markup("{} <small>[{}]</small>")

MeasureSummaries = dict[tuple[str, str, str], MeasureSummary]
"""From arm, stage and measure."""


def accuracy(run: Run) -> Markup | None:
    """Figures and tables of all measures; None where no item has been scored."""
    recorded = _recorded(run)
    parts = []
    for split, title in _TITLES.items():
        found = _estimates(recorded, split)
        if found:
            parts += [Markup("<h3>{}</h3>").format(title), _drawn(run, found), _listed(run, found, title)]
    return Markup("").join([*parts, _glossary(run)]) if parts else None


def percent(share: float) -> str:
    """A share of 1 as a percentage."""
    return f"{100 * share:.1f}%".replace("-", MINUS)


def _estimates(recorded: Mapping[str, Any], split: str) -> MeasureSummaries:
    """All numbers of a split that rest on at least one item."""
    return {
        (arm, stage, name): _summary(splits[split])
        for name, measure in recorded.items()
        for arm, stages in measure["arms"].items()
        for stage, splits in stages.items()
        if split in splits and splits[split]["by_seed"] and splits[split]["items"]
    }


def _drawn(run: Run, found: MeasureSummaries) -> Markup:
    """A panel per measure."""
    panels = []
    for name in _drawn_measures(run):
        rows = [_row(run, key, value) for key, value in found.items() if key[2] == name]
        if any(row.mean is not None for row in rows):
            # Shares have one axis in all panels, so that a small gain does not look like a large one.
            domain = (0.0, 1.0) if MEASURES[name].bounded else None
            panels.append(_panel(rows, name, domain))
    caption = f"Mean over seeds (filled mark) with its {_percent(run)} interval (line); each ring is one seed."
    return figure(panels, caption=caption)


def _panel(rows: list[DotRow], name: MeasureName, domain: tuple[float, float] | None) -> Markup:
    """One measure."""
    return responsive(
        lambda width: dot_chart(rows, title=_title(name), axis=MEASURES[name].axis, domain=domain, width=width),
        title=f"{_title(name)}: means and intervals, as in the table below",
        wide=460,
    )


def _row(run: Run, key: tuple[str, str, str], found: MeasureSummary) -> DotRow:
    """One row of a panel."""
    arm, stage, _ = key
    return DotRow(
        label=f"{arm}, {stage}",
        # By the arm, so that before and after have one colour.
        series=run.arms.index(arm) if arm in run.arms else len(run.arms),
        mean=found.mean,
        low=found.low,
        high=found.high,
        seeds=found.seeds,
    )


def _listed(run: Run, found: MeasureSummaries, title: str) -> Markup:
    """All measures as numbers: one line per measure, one column per arm and stage."""
    columns = list(dict.fromkeys((arm, stage) for arm, stage, _ in found))
    names = [name for name in run.experiment.task.measures if any(key[2] == name for key in found)]
    rows = [[_title(name), *(_cell(found.get((*column, name)), name) for column in columns)] for name in names]
    exact = [found.get((*column, "exact_match")) for column in columns]
    rows.append(_over_items(exact, run.experiment.measure.confidence))
    # Exact match has a value for every item, so that its counts are those of the run.
    sizes = {(value.items, len(value.seeds)) for (_, _, name), value in found.items() if name == "exact_match"}
    items, seeds = (_span(counts) for counts in zip(*sizes, strict=True))
    basis = f"mean over {seeds} {'seed' if seeds == '1' else 'seeds'} of {items} items each"
    caption = f"{title}: {basis} [{_percent(run)} interval over seeds; the last line: Wilson's over items]"
    return table(["Measure", *(f"{arm}, {stage}" for arm, stage in columns)], rows, caption=caption)


def _cell(found: MeasureSummary | None, name: MeasureName) -> str | Markup:
    """A mean with its interval under it."""
    if found is None or found.mean is None:
        return NOTHING
    show = percent if MEASURES[name].bounded else number
    interval = "no bounds" if found.low is None or found.high is None else f"{show(found.low)}, {show(found.high)}"
    return _CELL.format(show(found.mean), interval)


def _over_items(found: Sequence[MeasureSummary | None], confidence: float) -> list[str | Markup]:
    """Exact match with Wilson's interval over the items of one seed, which says more than seeds that agree."""
    from shoal.statistics import wilson_interval

    cells: list[str | Markup] = []
    for value in found:
        if value is None or value.mean is None:
            cells.append(NOTHING)
            continue
        # Of the items of one seed: the seeds share their items, so that counting all would make the interval too
        # narrow.
        interval = wilson_interval(round(value.mean * value.items), value.items, confidence=confidence)
        cells.append(_CELL.format(percent(value.mean), f"{percent(interval.low)}, {percent(interval.high)}"))
    return ["Exact match over items", *cells]


def _span(counts: tuple[int, ...]) -> str:
    """One count, or the least and the greatest."""
    return str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"


def _percent(run: Run) -> str:
    """The confidence as a percentage."""
    return f"{100 * run.experiment.measure.confidence:g}%"


def _glossary(run: Run) -> Markup:
    """What each measure means."""
    entry = Markup("<div><dt>{}</dt><dd>{}</dd></div>")
    lines = [entry.format(_title(name), measure.meaning) for name, measure in run.experiment.task.measures.items()]
    return Markup("<dl class=glossary>{}</dl>").format(Markup("").join(lines))


def _title(name: MeasureName) -> str:
    """A measure's name at the beginning of a line."""
    return MEASURES[name].label.capitalize()


def _drawn_measures(run: Run) -> tuple[MeasureName, ...]:
    """The measures that are drawn: the primary one first, the task's own between those of every task."""
    own = [name for name, measure in run.experiment.task.measures.items() if measure.tasks is not None]
    return tuple(dict.fromkeys((run.experiment.measure.primary, "exact_match", *own, "bits_per_byte")))


def _recorded(run: Run) -> Record:
    """From measure to its label, meaning and numbers by arm, stage and split."""
    # What the verdict rests on is shown as it was recorded; only an unfinished run is summed up here.
    if run.verdict is not None:
        return run.verdict.measures
    scored = {arm: [seed for seed in run.seeds_of(arm) if seed.before or seed.after] for arm in run.arms}
    arms = {arm: {seed.seed: seed.by_split() for seed in seeds} for arm, seeds in scored.items() if seeds}
    return summarize(run.experiment.task.measures, arms, confidence=run.experiment.measure.confidence)


def _summary(record: Record) -> MeasureSummary:
    """One number of `_recorded` with its interval."""
    known: tuple[Any, ...] = tuple(value for value in record["by_seed"].values() if value is not None)
    low, high = _bound(record["low"]), _bound(record["high"])
    return MeasureSummary(mean=record["mean"], low=low, high=high, seeds=known, items=record["items"])


def _bound(value: float | None) -> float | None:
    """An end of an interval; None where it bounds nothing."""
    return None if value is None or value in (float("inf"), float("-inf")) else value
