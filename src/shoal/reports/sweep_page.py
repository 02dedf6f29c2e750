"""The report of a sweep: one folder to one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from shoal.experiments.sweeps import AXES, law_line
from shoal.figures import (
    HyperparameterPoint,
    PageContent,
    ScalingLine,
    Section,
    figure,
    hyperparameter_chart,
    responsive,
    scaling_chart,
    table,
)
from shoal.reports.html_format import plan_text
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.sweeps import Scaling, SweepResult, Trial

_WIDTH = 460
_OBJECTIVES = {"bits_per_byte": "held-out bits per byte"}

_REPRODUCE = Markup(
    "The sweep as its folder keeps it, recipe included; <code>shoal sweep</code> with the file that it was begun with "
    "resumes it, or starts again in another folder."
)


def sweep_content(result: SweepResult, importance: Mapping[str, float] | None = None, plan: str = "") -> PageContent:
    """The page of a sweep, however far it is.

    Args:
        result: the trials.
        importance: the share of the variance that each key explains; empty where that is not known.
        plan: the text of the sweep's file; empty leaves the section out.
    """
    name = _objective(result)
    return PageContent(
        title=f"Sweep {result.plan.sweep.name}",
        result=_result(result, name),
        sections=(
            Section("scaling", "How the score scales", _scaling(result, name)),
            Section("settings", "Each setting", _settings(result, name)),
            Section("trials", "Trials", _trials(result)),
            Section("importance", "What mattered", _importance(importance or {})),
            Section("failed", "Failed and pruned trials", _failed(result)),
            Section("reproduce", "How to reproduce", plan_text(_REPRODUCE, plan)),
        ),
        details=_about(result),
    )


def _objective(result: SweepResult) -> str:
    given = result.plan.sweep.objective
    head, _, corpus = given.partition(".")
    known = _OBJECTIVES.get(head)
    return f"{known}, {corpus}" if known and corpus else known or given


def _result(result: SweepResult, name: str) -> str:
    """The best trial."""
    best = result.best
    if best is None or best.score is None:
        return "No trial is complete yet."
    settings = joined([f"{key} = {_plain(value)}" for key, value in best.settings.items()])
    return f"The best of {len(result.ranked)} trials is {settings}, with {best.score:.4f} {name}."


def _about(result: SweepResult) -> str:
    """What was run."""
    sweep = result.plan.sweep
    about = [
        f"Best: trial {result.best.number}" if result.best is not None else "",
        f"{len(result.trials)} of {plural(result.wanted, 'trial')}",
        f"{len(sweep.seeds)} seeds each" if len(sweep.seeds) > 1 else f"seed {sweep.seeds[0]}",
        f"sampler {sweep.sampler}",
        f"recipe {result.plan.recipe.name}",
    ]
    return " · ".join(filter(None, about))


def _trials(result: SweepResult) -> Markup:
    if not result.ranked:
        return Markup("<p class=missing>No trial is complete yet.</p>")
    names = list(result.ranked[0].settings)
    several = len(result.plan.sweep.seeds) > 1
    head = ["Trial", "Score", *(["By seed"] if several else []), *names, "Parameters", "Tokens", "Compute"]
    rows = [
        [
            str(trial.number),
            f"{trial.score:.4f}",
            *([", ".join(f"{unit.score:.4f}" for unit in trial.units)] if several else []),
            *(_plain(trial.settings[name]) for name in names),
            f"{trial.parameters:,}",
            f"{trial.tokens:,}",
            f"{trial.compute:,.0f}",
        ]
        for trial in result.ranked
    ]
    better = "less" if result.plan.sweep.direction == "minimize" else "more"
    caption = f"The best first ({better} is better). Compute: 6 operations for each parameter and token."
    return table(head, rows, caption=caption, numeric=tuple(range(len(head))))


def _scaling(result: SweepResult, name: str) -> Markup:
    if not result.scalings:
        return Markup("")
    drawings = [_scaling_drawing(each, name) for each in result.scalings if each.law]
    lines = Markup("").join(Markup("<li>{}</li>").format(law_line(each)) for each in result.scalings)
    caption = (
        "The best trial of each size; bars go from the best seed to the worst, the line is the fitted power law. For "
        "compute, trials that another beats with less are left out."
    )
    drawn = figure(drawings, caption=caption) if drawings else Markup("")
    confidence = result.scalings[0].law.confidence if result.scalings[0].law else 0.95
    notes = (
        f"Exponents with {100 * confidence:g}% intervals over the sizes (bootstrap-t on residuals). They hold for this "
        "recipe between the smallest and the largest size; they do not reach beyond."
    )
    return Markup("{}<ul>{}</ul><p>{}</p>").format(drawn, lines, notes)


def _scaling_drawing(scaling: Scaling, name: str) -> Markup:
    """One law with its points."""
    law = scaling.law
    assert law is not None
    sizes = [point.size for point in scaling.points]
    line = ScalingLine(
        name=name,
        series=0,
        sizes=tuple(sizes),
        # A sweep with one seed has no spread to draw.
        costs=tuple(point.seeds or (point.score,) for point in scaling.points),
        # The law states how fast the loss falls, the drawing the slope of its line.
        exponent=-law.exponent,
        # Between the smallest and the largest size alone: the fit is no evidence beyond them.
        fitted=tuple((float(size), law.at(float(size))) for size in np.geomspace(min(sizes), max(sizes), 40)),
    )
    return responsive(
        lambda width: scaling_chart(
            [line], title=f"Over {scaling.axis}", size=AXES[scaling.axis], axis=name, width=width
        ),
        title=f"{name} over {scaling.axis}",
        wide=_WIDTH,
    )


def _settings(result: SweepResult, name: str) -> Markup:
    complete = [trial for trial in result.trials if trial.score is not None]
    if len(complete) < 2:
        return Markup("")
    # A setting that never varied has no curve.
    names = [key for key in complete[0].settings if len({trial.settings[key] for trial in complete}) > 1]
    drawings = [_setting_drawing(complete, key, name) for key in names]
    return figure(drawings, caption="A mark per trial; what spreads them at one value are the other settings.")


def _setting_drawing(trials: list[Trial], key: str, name: str) -> Markup:
    """The score over one setting."""
    points = [
        HyperparameterPoint(
            value=_axis_value(trial.settings[key]),
            score=trial.score,
            tooltip=f"trial {trial.number}: {trial.score:.4f}",
        )
        for trial in trials
        if trial.score is not None
    ]
    return responsive(
        lambda width: hyperparameter_chart(points, title=key, axis=name, width=width),
        title=f"{name} over {key}",
        wide=_WIDTH,
    )


def _axis_value(value: object) -> float | str:
    # Numbers get an axis and all else, true and false among it, categories.
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _importance(importance: Mapping[str, float]) -> Markup:
    if not importance:
        return Markup("")
    rows = [[key, f"{share:.2f}"] for key, share in importance.items()]
    caption = "Share of the variance of the score that each setting explains (functional ANOVA over a random forest)"
    return table(["Setting", "Share"], rows, caption=caption, numeric=(1,))


def _failed(result: SweepResult) -> Markup:
    rows = [
        [
            str(trial.number),
            "pruned" if trial.state == "pruned" else "failed",
            ", ".join(f"{key} = {_plain(value)}" for key, value in trial.settings.items()),
            trial.reason,
        ]
        for trial in result.trials
        if trial.score is None
    ]
    return table(["Trial", "What", "Settings", "Why"], rows, caption="Not in any figure") if rows else Markup("")


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
