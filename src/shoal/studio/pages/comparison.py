"""Runs compared: two item by item and seed by seed, more of them against the first with corrected p-values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.errors import ShoalError
from shoal.experiments import compare_runs, flipped_items, open_run
from shoal.figures import EffectRow, Section, document, effects_chart, figure, responsive, table, templates
from shoal.statistics import holm
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.run_names import find_run, refuse_links, run_address
from shoal.wording import in_one_line, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.experiments import Comparison, Difference, FlippedItem
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

# With more of them the drawing shows little, and Holm's correction leaves little power.
MAX_COMPARED = 12
_MAX_FLIPS = 60
_CUT = 160


def comparison_page(studio: Studio, query: Query) -> str:
    """Two or more runs compared.

    Args:
        studio: whose runs.
        query: ``run`` for each run, ``arm`` for the arm of each of them in the same order, or one for all.

    Raises:
        PageError: a run is not there, or the runs are not comparable.
    """
    sides = _sides(query)
    names = [name for name, _ in sides]
    if not 2 <= len(names) <= MAX_COMPARED:
        raise PageError(
            400, f"{plural(len(names), 'run')} cannot be compared; check from 2 to {MAX_COMPARED} in the list"
        )
    folders = [_folder(studio, name) for name in names]
    chosen = [arm or None for _, arm in sides]
    with studio.page("runs"):
        try:
            found = [_compared(folders, chosen, place) for place in range(1, len(folders))]
            flips = flipped_items(folders[0], folders[1], first_arm=chosen[0], second_arm=chosen[1])
        except ShoalError as error:
            raise PageError(
                422, in_one_line(str(error).replace(f"{studio.settings.folder}/", ""), limit=600)
            ) from error
        return _page(studio, sides, found, flips)


def _folder(studio: Studio, name: str) -> Path:
    folder = find_run(studio.settings.folder, name)
    refuse_links(folder)
    return folder


def _compared(folders: Sequence[Path], arms: Sequence[str | None], place: int) -> Comparison:
    # The other one first, so that a positive difference means that it is better than the first run.
    return compare_runs(folders[place], folders[0], first_arm=arms[place], second_arm=arms[0])


def _sides(query: Query) -> list[tuple[str, str]]:
    """Each run with its arm, which is empty for the treatment; a pair that is given twice counts once.

    Raises:
        PageError: there are neither as many arms as runs, nor one or none.
    """
    runs, arms = query.texts("run"), query.texts("arm")
    if len(set(runs)) == 1 and len(arms) == 2:
        # Two arms of one run.
        runs = runs[:1] * 2
    if len(arms) < 2:
        arms = (arms or [""]) * len(runs)
    if len(arms) != len(runs):
        raise PageError(
            400, f"{len(arms)} arms were given for {plural(len(runs), 'run')}; give one for each or for all"
        )
    return list(dict.fromkeys(zip(runs, arms, strict=True)))


def _page(
    studio: Studio, sides: Sequence[tuple[str, str]], found: Sequence[Comparison], flips: Sequence[FlippedItem]
) -> str:
    root = f"{studio.settings.folder}/"
    labels = [one.first.replace(root, "") for one in found]
    base = found[0].second.replace(root, "")
    sections = [Section("differences", "Differences", _differences(labels, found))]
    if len(found) == 1:
        sections.append(Section("flips", "Items that flip", _flips(flips, base, labels[0])))
        sections.append(Section("mcnemar", "Item by item, in each seed", _mcnemar(found[0], base, labels[0])))
    sections.append(Section("arms", "Other arms", _arms_form(studio, sides)))
    against = labels[0] if len(labels) == 1 else f"{len(labels)} runs"
    return document(
        f"{against} against {base}",
        _result(labels, found, base),
        sections,
        details=f"{plural(found[0].seeds, 'seed')}, {plural(found[0].items, 'held-out item')}; the seed is the unit.",
        picture=_picture(labels, found),
    )


def _primary(one: Comparison) -> Difference:
    return next((row for row in one.differences if row.measure == "exact_match"), one.differences[0])


def _corrected(found: Sequence[Comparison], measure: str) -> list[float | None]:
    """The p-values of one measure over all comparisons, corrected by Holm's method where there are several."""
    rows = [next((row for row in one.differences if row.measure == measure), None) for one in found]
    values = [row.p_value for row in rows if row is not None]
    corrected = iter(holm(values))
    return [None if row is None else next(corrected) for row in rows]


def _result(labels: Sequence[str], found: Sequence[Comparison], base: str) -> str:
    if not all(one.differences for one in found):
        return "The runs have no measure in common that applies to their items."
    primary = _primary(found[0])
    measure = primary.measure.replace("_", " ")
    if len(found) == 1:
        word = "more" if primary.estimate > 0 else "less" if primary.estimate < 0 else "as much"
        than = "as" if word == "as much" else "than"
        return (
            f"{labels[0]} has {word} {measure} {than} {base}: difference {_signed(primary.estimate)}, "
            f"{100 * found[0].confidence:g}% interval {_interval(primary)}, p = {primary.p_value:.4f}."
        )
    corrected = _corrected(found, primary.measure)
    alpha = 1 - found[0].confidence
    different = sum(value is not None and value <= alpha for value in corrected)
    return (
        f"{different} of {len(found)} runs differ from {base} in {measure} at the level {alpha:.2g}, "
        "corrected for all comparisons by Holm's method."
    )


def _picture(labels: Sequence[str], found: Sequence[Comparison]) -> Markup | None:
    if not all(one.differences for one in found):
        return None
    rows = [
        EffectRow(label=label, series=0, estimate=row.estimate, low=_bound(row.low), high=_bound(row.high), smallest=())
        for label, one in zip(labels, found, strict=True)
        for row in [_primary(one)]
    ]
    measure = _primary(found[0]).measure.replace("_", " ")
    drawn = responsive(
        lambda width: effects_chart(rows, axis=f"difference in {measure}", width=width),
        title=f"Differences in {measure} with their intervals",
    )
    caption = f"The difference from the first run with its {100 * found[0].confidence:g}% interval over seeds."
    return figure([drawn], caption=caption)


def _differences(labels: Sequence[str], found: Sequence[Comparison]) -> Markup:
    measures = list(dict.fromkeys(row.measure for one in found for row in one.differences))
    rows = []
    for measure in measures:
        corrected = _corrected(found, measure)
        for place, (label, one) in enumerate(zip(labels, found, strict=True)):
            row = next((row for row in one.differences if row.measure == measure), None)
            if row is not None:
                p = corrected[place]
                rows.append(
                    [
                        measure.replace("_", " "),
                        label,
                        f"{row.second:.3f}",
                        f"{row.first:.3f}",
                        _signed(row.estimate),
                        _interval(row),
                        f"{row.p_value:.4f}",
                        "" if p is None else f"{p:.4f}",
                    ]
                )
    head = [
        "Measure",
        "Run",
        "First run",
        "This run",
        "Difference",
        f"{100 * found[0].confidence:g}% interval",
        "p",
        "p, Holm",
    ]
    caption = "Every measure, paired by seed: exact sign flips; a positive difference is better than the first run"
    return table(head, rows, caption=caption, numeric=(2, 3, 4, 6, 7))


def _flips(flips: Sequence[FlippedItem], base: str, other: str) -> Markup:
    if not flips:
        return Markup("<p>No held-out item is right in more seeds of one than of the other.</p>")
    gained = sum(item.change > 0 for item in flips)
    rows = [
        [
            _cut(item.prompt),
            _cut(item.completion),
            f"{item.first_right} of {item.seeds}",
            f"{item.second_right} of {item.seeds}",
            _cut(item.first_answer),
            _cut(item.second_answer),
        ]
        for item in flips[:_MAX_FLIPS]
    ]
    head = ["Prompt", "Target", f"Right in {base}", f"Right in {other}", f"{base} answers", f"{other} answers"]
    lead = f"{plural(gained, 'item')} right in more seeds of {other}, {len(flips) - gained:,} in more seeds of {base}."
    more = f" The {_MAX_FLIPS} that most seeds flip are shown." if len(flips) > _MAX_FLIPS else ""
    return Markup("<p>{}</p>{}").format(lead + more, table(head, rows, caption="Items that flip, most seeds first"))


def _mcnemar(one: Comparison, base: str, other: str) -> Markup:
    rows = [
        [seed, test["only_second"], test["only_first"], f"{test['p_value']:.4f}"] for seed, test in one.mcnemar.items()
    ]
    head = ["Seed", f"Only {base} right", f"Only {other} right", "p"]
    return table(head, rows, caption="Exact match on the held-out items: McNemar's exact test", numeric=(1, 2, 3))


def _arms_form(studio: Studio, sides: Sequence[tuple[str, str]]) -> Markup:
    """Choose another arm of each run."""
    runs = []
    for place, (name, arm) in enumerate(sides):
        experiment = open_run(find_run(studio.settings.folder, name)).experiment
        arms = [("", f"treatment ({experiment.treatment})"), *((known, known) for known in experiment.arms)]
        runs.append({"name": name, "address": run_address(name), "arms": arms, "arm": arm, "id": f"arm-{place}"})
    return Markup(templates(ROOM).get_template("comparison.html.j2").render(runs=runs))


def _bound(value: float) -> float | None:
    """An end of an interval, None where few seeds bound nothing."""
    return value if math.isfinite(value) else None


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _interval(row: Difference) -> str:
    return f"{_signed(row.low)} to {_signed(row.high)}".replace("inf", "∞")


def _cut(text: str | None) -> str:
    if text is None:
        return "the target"
    return text if len(text) <= _CUT else f"{text[: _CUT // 2]} … {text[-_CUT // 2 :]}"
