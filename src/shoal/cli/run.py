"""``shoal run``: an experiment from its file to its verdict and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def run(
    experiment: str = "counting",
    /,
    *,
    preset: str | None = None,
    out: Path | None = None,
    workers: int | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Run an experiment: certify the evaluator, train every arm for every seed, evaluate, and give a verdict.

    A run that was interrupted or killed goes on where it was when the same command is given again.

    Parameters
    ----------
    experiment
        A TOML file, or the name of an experiment that comes with shoal.
    preset
        One of the file's presets; without it the file's own default.
    out
        The run folder; by default runs/NAME-PRESET.
    workers
        Processes that train side by side; by default as many as there are cores. 0 does all in this one.
    as_json
        Print the verdict as JSON on standard output.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.experiments import load_experiment, run_experiment
    from shoal.reports import write_report

    plan = load_experiment(experiment, preset)
    folder = out or Path("runs") / plan.folder_name
    with progress_bars() as progress:
        verdict = run_experiment(plan, folder, workers="auto" if workers is None else workers, progress=progress)
    report = write_report(folder)
    if as_json:
        print_json(verdict.to_dict() | {"run": str(folder), "report": str(report)})
        return
    print(verdict.to_text())
    print(f"\nrun     {folder}\nreport  {report}")
