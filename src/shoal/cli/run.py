"""``shoal run``: an experiment from its file to its verdict and report."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json, Workers


def run(
    experiment: str = "counting",
    /,
    *,
    preset: str | None = None,
    out: Path | None = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run an experiment: certify the evaluator, train every arm for every seed, evaluate, and give a verdict.

    The same command resumes a run that was interrupted or killed.

    Parameters
    ----------
    experiment
        TOML file, or the name of an experiment that comes with shoal.
    preset
        Preset of the file. Default: the file's own.
    out
        Run folder. Default: runs/NAME-PRESET.
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
    print(verdict)
    print(f"\nrun     {folder}\nreport  {report}")
