"""The sections of a crossed experiment's report: hypotheses, cells, checks, confounds, design, cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.experiments.crossed import PLAN, describe_design
from shoal.figures import DotRow, Section, dot_chart, figure, responsive, table
from shoal.reports.html_format import badge, number, value_text
from shoal.wording import capital, joined, plural

if TYPE_CHECKING:
    from shoal.experiments.crossed import CellMean, CrossedResult, CrossedRun

_MEANINGS = {
    "supported": "the effect is clear after the correction, and reaches the smallest one that matters",
    "refuted": "an effect as large as the smallest one that matters is excluded, and could have been found",
    "underpowered": "neither is; more trainings would settle it",
    "confounded": "a named control failed, so that the effect does not answer the hypothesis",
}


def result_sections(result: CrossedResult) -> list[Section]:
    """What stands behind the verdicts of a finished experiment."""
    return [
        Section("hypotheses", "Each hypothesis in numbers", _hypotheses(result)),
        Section("cells", "Every combination that was trained", _cells(result)),
        Section("checks", "The same effects by other tests", _checks(result)),
        Section("confounds", "What else could explain them", _confounds(result)),
    ]


def _hypotheses(result: CrossedResult) -> Markup:
    head = [
        "Hypothesis",
        "Verdict",
        "Effect",
        "Interval",
        "Matters from",
        "p",
        "p corrected",
        "Detectable",
        "Trainings",
    ]
    rows = [
        [
            each.name,
            each.verdict,
            number(each.estimate),
            f"{number(each.low)} to {number(each.high)}",
            number(each.smallest_effect),
            number(each.p_value),
            number(each.corrected_p),
            value_text(each.detectable),
            str(each.trainings),
        ]
        for each in result.hypotheses
    ]
    correction = "corrected over all hypotheses by Holm" if result.correction == "holm" else "not corrected"
    caption = (
        f"Effects on {result.measure}, with {100 * result.confidence:g}% intervals over trainings; p-values "
        f"{correction}. Detectable: what 80% power finds, the spread being as it was"
    )
    meanings = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(word.capitalize(), _MEANINGS[word])
        for word in dict.fromkeys(each.verdict for each in result.hypotheses)
    )
    needed = Markup("").join(
        Markup("<li>{}: {} seeds would settle it, by the spread of these.</li>").format(each.name, each.seeds_needed)
        for each in result.hypotheses
        if each.seeds_needed is not None
    )
    listed = Markup("<ul>{}</ul>").format(needed) if needed else ""
    return (
        table(head, rows, caption=caption, numeric=range(2, 9))
        + Markup("<dl class='glossary'>{}</dl>").format(meanings)
        + listed
    )


def _cells(result: CrossedResult) -> Markup:
    """Every cell as a dot with its trainings, and as a row."""
    names = list(result.cells[0].levels)
    known = [value for cell in result.cells for value in cell.values]
    # Seen by the values: a result that is read back has the label of its measure and not its bounds.
    shares = bool(known) and min(known) >= 0 and max(known) <= 1 and result.higher_is_better
    groups: dict[str, list[CellMean]] = {}
    for cell in result.cells:
        groups.setdefault(cell.levels[names[0]], []).append(cell)
    drawings = [
        _cell_drawing(cells, f"{names[0]} {level}" if len(names) > 1 else names[0], result, shares=shares)
        for level, cells in groups.items()
    ]
    rows = [
        [
            *(cell.levels[name] for name in names),
            value_text(cell.mean),
            value_text(cell.sd),
            value_text(cell.seen),
            number(cell.steps, 0),
            str(len(cell.values)),
        ]
        for cell in result.cells
    ]
    head = [*names, "Held out", "Spread", "Training examples", "Steps", "Trainings"]
    measure = capital(result.measure.removesuffix(" saved"))
    caption = f"{measure} of every cell: mean and standard deviation over trainings"
    numeric = range(len(names), len(head))
    drawn = figure(
        drawings, caption="The dot is the mean of a cell, a ring each training; bars reach from the least to the most."
    )
    listed = table(head, rows, caption=caption, numeric=numeric)
    return drawn + Markup("<details><summary>All {} cells as a table</summary>{}</details>").format(len(rows), listed)


def _cell_drawing(cells: list[CellMean], title: str, result: CrossedResult, *, shares: bool) -> Markup:
    """The cells of one level of the first factor."""
    # The first factor is the drawing's title; where there is no other, it labels the rows.
    names = list(cells[0].levels)[1:] or list(cells[0].levels)
    series = {level: place for place, level in enumerate(dict.fromkeys(cell.levels[names[0]] for cell in cells))}
    rows = [
        DotRow(
            label=", ".join(cell.levels[name] for name in names),
            series=series[cell.levels[names[0]]],
            mean=cell.mean,
            # The range and no interval: of three to five trainings an interval would suggest more than is known.
            low=min(cell.values, default=None),
            high=max(cell.values, default=None),
            seeds=cell.values,
        )
        for cell in cells
    ]
    axis = result.measure.removesuffix(" saved")
    return responsive(
        lambda width: dot_chart(rows, title=title, axis=axis, domain=(0, 1) if shares else None, width=width),
        title=f"{axis} by {', '.join(names)}: {title}",
        wide=460,
    )


def _checks(result: CrossedResult) -> Markup:
    rows = [
        [
            each.name,
            view.name,
            value_text(view.estimate),
            "" if view.estimate is None else f"{value_text(view.low)} to {value_text(view.high)}",
            "" if view.p_value is None else number(view.p_value),
            view.note,
        ]
        for each in result.hypotheses
        for view in each.views
    ]
    if not rows:
        return Markup("")
    head = ["Hypothesis", "Test", "Effect", "Interval", "p", "What it rests on"]
    says = Markup(
        "<p>They do not decide. Where one disagrees with the verdict, the effect may hold for these held-out items "
        "alone, or rest on a few of them.</p>"
    )
    return says + table(head, rows, caption="Checks of each effect", numeric=(2, 3, 4))


def _confounds(result: CrossedResult) -> Markup:
    controls = [
        [each.name, control.name, badge(passed=control.passed), control.says]
        for each in result.hypotheses
        for control in each.controls
    ]
    # What lies in a task's split concerns every hypothesis that is tested on it, and stands once.
    concerned: dict[tuple[str, str], list[str]] = {}
    for each in result.hypotheses:
        for confound in each.confounds:
            if confound.present:
                concerned.setdefault((confound.name, confound.says), []).append(each.name)
    rows = [[name, says, joined(hypotheses)] for (name, says), hypotheses in concerned.items()]
    drawn = table(
        ["Hypothesis", "Control", "Outcome", "What was found"],
        controls,
        caption="Controls: one that fails makes a hypothesis confounded",
    )
    if not rows:
        return drawn + Markup("<p>Nothing else differs between the sides of any comparison.</p>")
    caption = (
        "Confounds: what differs besides, or what the held-out items do not test. They are named, and decide nothing"
    )
    return drawn + table(["Confound", "What was found", "Of"], rows, caption=caption)


def design_section(run: CrossedRun) -> Markup:
    """The effects of the design and what was planned."""
    report = describe_design(run.experiment)
    left = f", {report.left_out} combinations left out" if report.left_out else ", every combination"
    says = Markup(
        "<p>{}{}, {} seeds each: {}. Written down before the first training; no two trainings share a seed.</p>"
    ).format(plural(report.cells, "cell"), left, report.seeds, plural(report.trainings, "training"))
    rows = [[effect.name, effect.line] for effect in report.effects]
    plans = [
        [plan.name, plan.comparison, str(plan.blocks), str(plan.freedom), plan.line(report.measure)]
        for plan in report.hypotheses
    ]
    head = ["Hypothesis", "Compares", "Blocks", "Degrees of freedom", "Power"]
    return (
        says
        + table(["Effect", "Told apart"], rows, caption="Effects of the design matrix")
        + table(head, plans, caption="What was planned for each hypothesis", numeric=(2, 3))
    )


def cost_section(run: CrossedRun) -> Markup:
    """What the run cost."""
    if not run.timings:
        return Markup("")
    cpu = sum(timing["cpu_seconds"] for timing in run.timings)
    peak = max(timing["peak_megabytes"] for timing in run.timings)
    return Markup("<p>Units of work: {}; CPU-seconds: {}; most memory in one process: {} MB.</p>").format(
        len(run.timings), number(cpu, 0), number(peak, 0)
    )


def reproduce_section(run: CrossedRun) -> Markup:
    """The experiment file."""
    return Markup(
        "<p>The experiment as its folder keeps it ({}); <code>shoal run</code> with this file repeats it, and with the "
        "file that it was begun with resumes it.</p><details><summary>The file</summary><pre>{}</pre></details>"
    ).format(PLAN, run.experiment_text)
