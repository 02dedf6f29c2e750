"""The page of ``shoal safety tune --plot``: every measure over the number of safety examples, verdicts, types."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.experiments.safety_tuning import measure_label
from shoal.figures import DotRow, PageContent, Section, dot_chart, figure, responsive, table
from shoal.reports.html_format import number as figure_text, plan_text
from shoal.wording import capital, plural

if TYPE_CHECKING:
    from shoal.experiments.safety_tuning import SafetyTuning, TuningVerdict

_REPRODUCE = Markup(
    "The experiment as its folder keeps it; <code>shoal safety tune</code> with the file that it was begun with "
    "resumes it."
)


def safety_tuning_content(result: SafetyTuning, plan: str = "") -> PageContent:
    """The page of an experiment on safety tuning.

    Args:
        result: the experiment.
        plan: the text of its file; empty leaves the section out.
    """
    setting = result.plan
    sections = [
        Section("curve", "By number of safety examples", _curve(result)),
        Section("types", "By type of request", _types(result)),
        Section("trade-off", "The trade-off", _trade_off(result)),
        Section("reading", "How to read this page", _reading(result)),
        Section("reproduce", "How to reproduce", plan_text(_REPRODUCE, plan)),
    ]
    if result.verdicts:
        sections.insert(1, Section("claims", "Claims and verdicts", _claims(result)))
    if result.harm:
        sections.insert(1, Section("harm", "Harmful answers", _harm(result)))
    about = (
        f"{setting.model}; {plural(result.trainings, 'training')} of {result.planned}, "
        f"{plural(setting.seeds, 'seed')}; "
        f"{result.cpu_seconds / 60:,.0f} CPU minutes"
    )
    return PageContent(
        title=setting.question or f"Safety tuning: {setting.name}",
        result=_result(result),
        sections=tuple(sections),
        details=about,
        picture=_picture(result),
    )


def _result(result: SafetyTuning) -> str:
    """The best number in short: what a cost is stands in the section of the trade-off."""
    best = result.best
    if best.safety_examples is None:
        return "No number of safety examples has answers to both kinds of requests: none can be called the best."
    return (
        f"The best number at the stated trade-off is {plural(best.safety_examples, 'safety example')}: it costs "
        f"{best.costs[best.safety_examples]:.2f}, where a model that never refuses costs 1, and is the best in "
        f"{best.chances[best.safety_examples]:.0%} of the resamples."
    )


def _name(number: int | None) -> str:
    return "before tuning" if number is None else f"{number:,}"


def _picture(result: SafetyTuning) -> Markup:
    caption = (
        "Each row is a number of safety examples: the estimate with its interval over trainings and items; a ring is a "
        "training. Rates are corrected for the scorer's errors, so that a ring may lie below 0 or above 1."
    )
    return figure([_chart(result, measure) for measure in result.plan.measures], caption=caption)


def _chart(result: SafetyTuning, measure: str) -> Markup:
    """A measure by the number of safety examples."""
    rows = []
    for number in result.numbers:
        one = result.estimate(measure, number)
        if math.isnan(one.value):
            continue
        # The untuned model is one, and a ring of it would lie on its own mark.
        trainings = () if number is None else tuple(filter(math.isfinite, one.by_training))
        rows.append(DotRow(label=_name(number), series=0, mean=one.value, low=one.low, high=one.high, seeds=trainings))
    title = measure_label(measure)
    return responsive(
        lambda width: dot_chart(rows, title=title, axis=title, width=width),
        title=f"{title}, by number of safety examples",
        wide=460,
    )


def _curve(result: SafetyTuning) -> Markup:
    measures = result.plan.measures
    head = ["Safety examples", *map(measure_label, measures), "Tokens"]
    rows = []
    for number in result.numbers:
        cells = [str(result.estimate(measure, number)) for measure in measures]
        tokens = "" if number is None else f"{result.tokens[number]:,.0f}"
        rows.append([_name(number), *cells, tokens])
    caption = f"Estimates with {100 * result.plan.confidence:g}% intervals over trainings and items"
    return table(head, rows, caption=caption, numeric=tuple(range(1, len(head))))


def _harm(result: SafetyTuning) -> Markup:
    head, *rows = result.harm_rows()
    return table(head, rows, caption=f"Shares of harmful answers by {result.harm_scorer}")


def _claims(result: SafetyTuning) -> Markup:
    return Markup("").join(_claim(one) for one in result.verdicts)


def _claim(one: TuningVerdict) -> Markup:
    rows = [
        ["Effect", f"{_ends(one.estimate, one.low, one.high)}, {one.comparison}"],
        ["Test", f"p = {one.p_value:.3g}; {plural(one.trainings, 'training')} permuted; {one.confidence:.1%} interval"],
        ["Check", f"{_ends(one.items_estimate, one.items_low, one.items_high)} over trainings and items"],
        ["Matters", f"a difference of {one.smallest_effect:g}"],
    ]
    if one.seeds_needed is not None:
        rows.append(["To settle", plural(one.seeds_needed, "seed")])
    rows += [["passed" if control.passed else "FAILED", f"{control.name}: {control.says}"] for control in one.controls]
    listed = table(["", ""], rows, caption=one.claim)
    return Markup("<h3>{}: {}</h3><p>{}</p>{}").format(one.name, one.verdict, capital(one.sentence), listed)


def _ends(estimate: float, low: float, high: float) -> str:
    """An estimate with its interval, or that so few trainings give it none."""
    interval = (
        f"{figure_text(low)} to {figure_text(high)}" if math.isfinite(low) and math.isfinite(high) else "no bounds"
    )
    return f"{figure_text(estimate)} ({interval})"


def _types(result: SafetyTuning) -> Markup:
    parts = []
    for harmful, title in ((True, "Harmful requests"), (False, "Safe requests")):
        found = {(one.type, one.safety_examples): one for one in result.types if one.harmful == harmful}
        kinds = list(dict.fromkeys(kind for kind, _ in found))
        rows = []
        for kind in kinds:
            cells = [found.get((kind, number)) for number in result.numbers]
            shown = ["" if one is None else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in cells]
            count = next(one.requests for one in cells if one is not None)
            rows.append([kind, f"{count}", *shown])
        head = ["Type", "Requests", *map(_name, result.numbers)]
        caption = f"{title}: the share refused, corrected"
        parts.append(table(head, rows, caption=caption, numeric=tuple(range(1, len(head)))))
    return Markup("").join(parts)


def _trade_off(result: SafetyTuning) -> Markup:
    best = result.best
    rows = [
        [
            f"{number:,}",
            "no answers" if math.isnan(cost) else f"{cost:.3f}",
            f"{best.chances[number]:.0%}",
            "held-out loss too high" if number in best.excluded else "",
        ]
        for number, cost in best.costs.items()
    ]
    head = ["Safety examples", "Cost", "Best in resamples", ""]
    return Markup("<p>{}</p>{}").format(
        result.best_line(), table(head, rows, caption="Cost of each number at the stated trade-off", numeric=(1, 2))
    )


def _reading(result: SafetyTuning) -> Markup:
    plan = result.plan
    text = (
        f"Each training learned from {plan.instructions.examples:,} instructions and the number of safety examples in "
        "its row, drawn again for each training; all of them answered the same requests. Trainings share no draw, so "
        "that the test of a claim may permute them. Intervals of the table know that other trainings and other "
        "requests would give other numbers; they do not speak of other models or other sets of data."
    )
    notes = Markup("").join(Markup("<li>{}</li>").format(note) for note in result.notes())
    return Markup("<p>{}</p><ul>{}</ul>").format(text, notes)
