"""``shoal run``: an experiment from its file to its verdict and report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shoal.cli.options import Json, Workers
from shoal.cli.terminal import print_json, progress_bars

if TYPE_CHECKING:
    from shoal.experiments import Verdict
    from shoal.experiments.crossed import CrossedResult


def run(
    experiment: str = "counting",
    /,
    *,
    preset: str | None = None,
    out: Path | None = None,
    workers: Workers = None,
    design: bool = False,
    as_json: Json = False,
) -> None:
    """Run an experiment: certify the evaluator, train every arm for every seed, evaluate, and give a verdict.

    A file with [factors] crosses them: every combination is trained, and each hypothesis gets a verdict. The same
    command resumes a run that was interrupted or killed.

    Parameters
    ----------
    experiment
        TOML file, or the name of an experiment that comes with shoal.
    preset
        Preset of the file. Default: the file's own.
    out
        Run folder. Default: runs/NAME-PRESET.
    design
        Of a file with [factors]: describe which effects its design can tell apart, and train nothing.
    """
    from shoal.errors import UsageError
    from shoal.experiments import has_factors
    from shoal.reports import write_report

    crossed = has_factors(experiment)
    if design:
        if not crossed:
            raise UsageError(f"--design describes crossed factors, and {experiment} has no [factors]; leave it out")
        _print_design(experiment, preset, as_json=as_json)
        return
    result, folder = (_run_crossed if crossed else _run_arms)(experiment, preset, out, workers)
    report = write_report(folder)
    if as_json:
        print_json(result.to_dict() | {"run": str(folder), "report": str(report)})
        return
    print(result)
    print(f"\nrun     {folder}\nreport  {report}")


def _run_arms(experiment: str, preset: str | None, out: Path | None, workers: int | None) -> tuple[Verdict, Path]:
    from shoal.experiments import load_experiment, run_experiment, unresolved_shortcuts

    plan = load_experiment(experiment, preset)
    folder = out or Path("runs") / plan.folder_name
    if open_question := unresolved_shortcuts(plan):
        print(f"warning: {open_question}", file=sys.stderr)
    with progress_bars() as progress:
        return run_experiment(plan, folder, workers=_side_by_side(workers), progress=progress), folder


def _run_crossed(
    experiment: str, preset: str | None, out: Path | None, workers: int | None
) -> tuple[CrossedResult, Path]:
    from shoal.experiments.crossed import load_crossed, run_crossed

    plan = load_crossed(experiment, preset)
    folder = out or Path("runs") / plan.folder_name
    with progress_bars() as progress:
        return run_crossed(plan, folder, workers=_side_by_side(workers), progress=progress), folder


def _side_by_side(workers: int | None) -> int | Literal["auto"]:
    return "auto" if workers is None else workers


def _print_design(experiment: str, preset: str | None, *, as_json: bool) -> None:
    from shoal.experiments.crossed import load_crossed, plan_crossed

    found = plan_crossed(load_crossed(experiment, preset))
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
