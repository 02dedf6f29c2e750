"""The report of a crossed experiment: a sentence per hypothesis, the effects with intervals, then their grounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import EffectRow, PageContent, Section, document, effects_chart, figure, responsive, text_of
from shoal.reports.crossed_sections import cost_section, design_section, reproduce_section, result_sections
from shoal.reports.explanation import trainings_section
from shoal.reports.verdict import SIGN
from shoal.wording import plural

if TYPE_CHECKING:
    from shoal.experiments.crossed import CrossedExperiment, CrossedResult, CrossedRun

_VERDICTS = Markup("<ol class='verdicts'>{}</ol>\n")
_VERDICT = Markup(
    "<li><p class='word {0}'><span aria-hidden='true'>{1}</span> {2}</p>"
    "<p class='claim'>{3}</p><p class='sentence'>{4}</p></li>\n"
)
_COLOURS = {"supported": 2, "refuted": 1, "underpowered": 4, "confounded": 3}
"""The series whose colour an interval has, by its verdict; the word beside it says the same."""

_READING = (
    "How to read it: the dot is the effect, the bar its {confidence} interval, the vertical line no effect, and the "
    "dotted mark the smallest effect that was said to matter before the run. Small rings are the effect under each "
    "combination of the other factors. Right of 0, the first level named is better."
)


def crossed_content(run: CrossedRun) -> PageContent:
    """The page of a crossed experiment, however far it is.

    Args:
        run: as `open_crossed` reads it.
    """
    plan = run.experiment
    return PageContent(
        title=plan.question or f"Crossed experiment {plan.name}",
        result=_headline(run),
        sections=tuple(_sections(run)),
        details=_about(plan),
        picture=_picture(run.result) if run.result is not None else None,
        style=text_of("shoal.reports", "report.css") + text_of("shoal.reports", "crossed.css"),
    )


def crossed_page(found: CrossedResult) -> str:
    """A whole document on the verdicts alone, without the run that they rest on.

    Args:
        found: what `run_crossed` gave back.
    """
    return document(
        found.question or f"Crossed experiment {found.experiment}",
        _verdicts(found),
        [section for section in result_sections(found) if section.html],
        picture=_picture(found),
        style=text_of("shoal.reports", "report.css") + text_of("shoal.reports", "crossed.css"),
    )


def _headline(run: CrossedRun) -> Markup:
    if run.result is not None:
        return _verdicts(run.result)
    done = sum(map(len, run.trainings.values()))
    trainings = plural(run.experiment.trainings, "training")
    says = f"{done} of {trainings} are done. The same shoal run command resumes the run."
    return Markup("<p class='word pending'>No verdict yet</p><p class='result sentence'>{}</p>").format(says)


def _verdicts(result: CrossedResult) -> Markup:
    """A word and a sentence for each hypothesis."""
    rows = [
        _VERDICT.format(each.verdict, SIGN[each.verdict], each.verdict.capitalize(), each.claim, each.sentence)
        for each in result.hypotheses
    ]
    return _VERDICTS.format(Markup("").join(rows))


def _about(plan: CrossedExperiment) -> str:
    factors = [f"{name}: {', '.join(levels)}" for name, levels in plan.factors.items()]
    return " · ".join([*factors, f"{plan.seeds} seeds", plural(plan.trainings, "training")])


def _picture(result: CrossedResult) -> Markup:
    """The effects of all hypotheses that have one, on one axis."""
    rows = [
        EffectRow(
            label=f"{each.name} ({each.verdict})",
            series=_COLOURS[each.verdict],
            estimate=each.estimate,
            low=_bounded(each.low),
            high=_bounded(each.high),
            smallest={
                "better": (each.smallest_effect,),
                "worse": (-each.smallest_effect,),
                "different": (-each.smallest_effect, each.smallest_effect),
            }[each.direction],
            blocks=tuple((block.label, block.estimate) for block in each.blocks),
        )
        for each in result.hypotheses
        if each.estimate == each.estimate
    ]
    if not rows:
        return Markup("<p class=missing>No hypothesis has a value on both sides.</p>")
    title = "; ".join(f"{row.label} {row.estimate:+.3f}" for row in rows)
    drawing = responsive(
        lambda width: effects_chart(rows, axis=f"effect on {result.measure} (positive is better)", width=width),
        title=f"Effects: {title}",
    )
    return figure([drawing], caption=_READING.format(confidence=f"{100 * result.confidence:g}%"))


def _bounded(end: float) -> float | None:
    return end if abs(end) != float("inf") else None


def _explanations(run: CrossedRun) -> Markup:
    """What explains the models of each cell; nothing of a run that has not come to its end."""
    # By the levels alone, as the cells are labelled above: the name of a cell repeats every factor.
    called = {cell.name: ", ".join(cell.levels.values()) for cell in run.experiment.cells}
    found = {called[name]: seeds for name, seeds in run.explanations.items()}
    return trainings_section(found, confidence=run.experiment.measure.confidence) or Markup("")


def _sections(run: CrossedRun) -> list[Section]:
    found = [] if run.result is None else result_sections(run.result)
    return [
        *found,
        Section("explanations", "What explains the answers", _explanations(run)),
        Section("design", "What the design can tell apart", design_section(run)),
        Section("cost", "What it cost", cost_section(run)),
        Section("reproduce", "How to reproduce", reproduce_section(run)),
    ]
