"""``shoal overfit``: methods against overfitting at equal compute, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Flag, Json, Texts, Workers
from shoal.cli.terminal import display, print_forecast, print_json, progress_bars

if TYPE_CHECKING:
    from shoal.cli.terminal import Display
    from shoal.experiments.overfitting import OverfitPlan, TrainingRecord


def overfit(
    recipe: Path,
    /,
    *,
    out: Path | None = None,
    corpora: Path | None = None,
    set_: Annotated[Texts, Parameter(name="--set")] = None,
    workers: Workers = None,
    dry_run: Flag = False,
    as_json: Json = False,
) -> None:
    """Compare methods against overfitting at equal compute: regularisation, ensembles, distillation.

    Every row has held-out bits per byte, the gap to training text, an interval over seeds paired with the baseline, and
    what it costs to train and to use. The same command resumes a comparison that was interrupted or killed.

    Parameters
    ----------
    recipe
        TOML file of the comparison, such as examples/overfit_tiny.toml.
    out
        Folder of the comparison. Default: runs/NAME.
    corpora
        Folder in which the recipe's corpora lie. Default: the folder of the pretraining recipe.
    set_
        Change as KEY=VALUE, of the pretraining recipe (training.tokens=1000000) or of the comparison
        (overfit.seeds=5). Repeatable.
    dry_run
        Print how many trainings there are and how long they will take, from measured steps, and train nothing.
    """
    from shoal.experiments.overfitting import load_overfit, run_overfit
    from shoal.experiments.pretraining import parse_setting
    from shoal.reports import write_report

    plan = load_overfit(recipe, data=corpora, values=dict(map(parse_setting, set_ or [])))
    folder = out or Path("runs") / plan.overfit.name
    if dry_run:
        _print_forecast(plan, folder, workers, as_json=as_json)
        return
    with display() as shown:
        result = run_overfit(plan, folder, workers=workers, progress=shown.progress, on_training=_Notes(shown))
    report = write_report(folder)
    if as_json:
        print_json(result.to_dict() | {"report": str(report)})
        return
    print(f"{result}\n\nfolder  {folder}\nreport  {report}")


class _Notes:
    """Progress notes after each training."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown

    def __call__(self, record: TrainingRecord) -> None:
        if record.state == "failed":
            self._shown.print(f"{record.key} failed: {record.reason}")
        else:
            self._shown.note(
                f"last: {record.bits('validation'):.4f} bits per byte of validation text, "
                f"{record.bits('training'):.4f} of training text"
            )


def _print_forecast(plan: OverfitPlan, folder: Path, workers: int | None, *, as_json: bool) -> None:
    """Measure a few steps, and print how long the comparison will take."""
    from shoal.experiments.overfitting import forecast_overfit

    with progress_bars() as progress:
        measured = forecast_overfit(plan, folder, progress=progress)
    print_forecast(measured, workers, threads=plan.overfit.threads, device=plan.recipe.device, as_json=as_json)
