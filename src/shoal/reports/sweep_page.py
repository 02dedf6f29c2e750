"""The report of a sweep: one folder to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from shoal.experiments import write_text
from shoal.experiments.sweeps import AXES, PLAN, law_line, read_importance, read_sweep
from shoal.figures import ScalingLine, SettingPoint, figure, page, scaling_chart, setting_chart, table, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.sweeps import Scaling, SweepResult, Trial

_OBJECTIVES = {"bits_per_byte": "held-out bits a byte"}


def write_sweep_report(folder: Path | str) -> Path:
    """Draw a sweep as one HTML file that needs nothing beside it and fetches nothing, however far it is.

    Args:
        folder: as `shoal.experiments.sweeps.run_sweep` writes it.

    Returns:
        The path of ``report.html`` in that folder.

    Raises:
        StoreError: it is not the folder of a sweep, a file of it is damaged, or the report cannot be written.
    """
    folder = Path(folder)
    html = render_sweep(read_sweep(folder), read_importance(folder), (folder / PLAN).read_text(encoding="utf-8"))
    write_text(folder / "report.html", html)
    return folder / "report.html"


def render_sweep(result: SweepResult, importance: Mapping[str, float], plan: str) -> str:
    """The report's HTML.

    Args:
        result: the trials.
        importance: the share of the variance that each key explains; empty where that is not known.
        plan: the text of the sweep's file.
    """
    name = _objective(result)
    sections = [
        ("trials", "Trials", _trials(result)),
        ("scaling", "How the score scales", _scaling(result, name)),
        ("settings", "Each setting", _settings(result, name)),
        ("importance", "What mattered", _importance(importance)),
        ("failed", "Failed and pruned trials", _failed(result)),
        ("reproduce", "How to reproduce", _reproduce(plan)),
    ]
    shown = [(anchor, title, body) for anchor, title, body in sections if body]
    body = _headline(result, name) + Markup("").join(
        Markup('<section id="{0}" aria-labelledby="{0}-h"><h2 id="{0}-h">{1}</h2>{2}</section>').format(*section)
        for section in shown
    )
    contents = [(anchor, title) for anchor, title, _ in shown]
    return page(title=f"Sweep {result.plan.sweep.name}", body=body, contents=contents)


def _objective(result: SweepResult) -> str:
    given = result.plan.sweep.objective
    head, _, corpus = given.partition(".")
    known = _OBJECTIVES.get(head)
    return f"{known}, {corpus}" if known and corpus else known or given


def _headline(result: SweepResult, name: str) -> Markup:
    sweep, best = result.plan.sweep, result.best
    about = [
        f"{len(result.trials)} of {result.wanted} trials",
        f"{len(sweep.seeds)} seeds each" if len(sweep.seeds) > 1 else f"seed {sweep.seeds[0]}",
        f"sampler {sweep.sampler}",
        f"recipe {result.plan.recipe.name}",
    ]
    said = "No trial is complete yet."
    if best is not None and best.score is not None:
        settings = ", ".join(f"{key} = {_plain(value)}" for key, value in best.settings.items())
        said = f"Best: trial {best.number} with {settings}: {best.score:.4f} {name}."
    return Markup("<h1>Sweep {}</h1><p class=kicker>{}</p><p>{}</p>").format(sweep.name, " · ".join(about), said)


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
            f"{trial.compute:.2e}",
        ]
        for trial in result.ranked
    ]
    better = "less" if result.plan.sweep.direction == "minimize" else "more"
    caption = f"The best first ({better} is better). Compute: 6 operations for each parameter and token."
    return table(head, rows, caption=caption, numeric=tuple(range(len(head))))


def _scaling(result: SweepResult, name: str) -> Markup:
    if not result.scalings:
        return Markup("")
    drawings = [
        to_svg(_scaling_chart(each, name), title=f"{name} over {each.axis}") for each in result.scalings if each.law
    ]
    lines = Markup("").join(Markup("<li>{}</li>").format(law_line(each)) for each in result.scalings)
    caption = (
        "The best trial of each size; bars go from the best seed to the worst, the line is the fitted power law. For "
        "compute, trials that another beats with less are left out."
    )
    drawn = figure(drawings, caption=caption) if drawings else Markup("")
    confidence = result.scalings[0].law.confidence if result.scalings[0].law else 0.95
    notes = (
        f"Exponents with {confidence:.0%} intervals over the sizes (bootstrap-t on residuals). They hold for this "
        "recipe between the smallest and the largest size; nothing is said of what lies beyond."
    )
    return Markup("{}<ul>{}</ul><p>{}</p>").format(drawn, lines, notes)


def _scaling_chart(scaling: Scaling, name: str) -> object:
    law = scaling.law
    assert law is not None
    sizes = [point.size for point in scaling.points]
    line = ScalingLine(
        name=name,
        series=0,
        sizes=tuple(sizes),
        costs=tuple(point.seeds or (point.score,) for point in scaling.points),
        exponent=-law.exponent,
        fitted=tuple((float(size), law.at(float(size))) for size in np.geomspace(min(sizes), max(sizes), 40)),
    )
    return scaling_chart([line], title=f"Over {scaling.axis}", size=AXES[scaling.axis], axis=name)


def _settings(result: SweepResult, name: str) -> Markup:
    complete = [trial for trial in result.trials if trial.score is not None]
    if len(complete) < 2:
        return Markup("")
    names = [key for key in complete[0].settings if len({trial.settings[key] for trial in complete}) > 1]
    drawings = [to_svg(_setting_chart(complete, key, name), title=f"{name} over {key}") for key in names]
    return figure(drawings, caption="A mark a trial; what spreads them at one value are the other settings.")


def _setting_chart(trials: list[Trial], key: str, name: str) -> object:
    points = [
        SettingPoint(
            value=_axis_value(trial.settings[key]), score=trial.score, says=f"trial {trial.number}: {trial.score:.4f}"
        )
        for trial in trials
        if trial.score is not None
    ]
    return setting_chart(points, title=key, axis=name)


def _axis_value(value: object) -> float | str:
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


def _reproduce(plan: str) -> Markup:
    return Markup(
        "<p>The sweep as its folder keeps it, recipe included; <code>shoal sweep</code> with the file that it was "
        "begun with goes on, or begins anew in another folder.</p><pre>{}</pre>"
    ).format(plan)


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
