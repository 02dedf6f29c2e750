"""``shoal sweep``: a recipe trained many times over other settings, on one machine or on a Ray cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from shoal.cli.console import Display
    from shoal.experiments.sweeps import Forecast, SweepPlan, UnitRecord


def sweep(
    file: Path,
    /,
    *,
    out: Path | None = None,
    data: Path | None = None,
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    address: str | None = None,
    retry_failed: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Train a recipe for every trial of a sweep, and say which settings are best and how the score scales.

    A sweep that was interrupted or killed goes on where it was when the same command is given again.

    Parameters
    ----------
    file
        A TOML file with a recipe and the keys that are swept.
    out
        The folder of the sweep; by default sweeps/NAME.
    data
        The folder from which the recipe's sources are found; by default the one that the recipe lies in.
    engine
        local (processes of this machine) or ray (a Ray cluster). Both give the same bits.
    workers
        Trainings side by side; by default one a core. 0 does all in one process.
    address
        Of a Ray cluster that is there, as in 10.0.0.1:6379, or auto; without it one is started on this machine.
    retry_failed
        Do trials anew that failed before.
    dry_run
        Say how many trials there are and how long they will take, from measured steps, and train nothing.
    as_json
        Print the trials, importances and fits as JSON on standard output.
    """
    from shoal.cli.console import display, print_json
    from shoal.experiments.sweeps import load_sweep, read_importance, run_sweep
    from shoal.reports import write_sweep_report

    plan = load_sweep(file, data=data)
    if dry_run:
        _foretell(plan, workers, as_json=as_json)
        return
    folder = out or Path("sweeps") / plan.sweep.name
    with display() as shown:
        notes = _Notes(shown, more_is_better=plan.sweep.direction == "maximize")
        result = run_sweep(
            plan, folder, engine=engine, workers=workers, address=address, retry_failed=retry_failed,
            progress=shown.progress, on_trial=notes,
        )  # fmt: skip
    report = write_sweep_report(folder)
    if as_json:
        print_json(result.to_dict(read_importance(folder)) | {"sweep": str(folder), "report": str(report)})
        return
    print(result.to_text())
    for key, share in read_importance(folder).items():
        print(f"importance of {key}: {share:.2f}")
    print(f"\nsweep   {folder}\nreport  {report}")


class _Notes:
    """Tells of each training as it ends: the best score so far, and what failed."""

    def __init__(self, shown: Display, *, more_is_better: bool) -> None:
        self._shown = shown
        self._more = more_is_better
        self._best: tuple[float, int] | None = None

    def __call__(self, record: UnitRecord) -> None:
        if record.score is None:
            what = "was given up" if record.state == "pruned" else "failed"
            self._shown.say(f"trial {record.trial} (seed {record.seed}) {what}: {record.reason}")
            return
        better = self._best is None or (record.score > self._best[0]) == self._more
        if better:
            self._best = (record.score, record.trial)
        assert self._best is not None
        self._shown.note(f"last {record.score:.4f}, best {self._best[0]:.4f} (trial {self._best[1]})")


def _foretell(plan: SweepPlan, workers: int | None, *, as_json: bool) -> None:
    """Measure and print what the sweep will take."""
    from shoal.cli.console import print_json, progress_bars
    from shoal.experiments import available_cores
    from shoal.experiments.sweeps import forecast

    with progress_bars() as progress:
        told = forecast(plan, progress=progress)
    side_by_side = workers or available_cores()
    if as_json:
        print_json(told.to_dict() | {"workers": side_by_side})
    else:
        print(_forecast_text(told, side_by_side))


def _forecast_text(told: Forecast, workers: int) -> str:
    """The measured trials and the sum."""
    lines = [
        f"trial {pilot.number}: {', '.join(f'{key} = {value}' for key, value in pilot.settings.items())}; "
        f"{pilot.parameters:,} parameters, {pilot.tokens:,} tokens, {pilot.seconds:,.0f} s"
        for pilot in told.pilots
    ]
    all_seconds = told.seconds / min(workers, told.trainings)
    return "\n".join(
        [
            *lines,
            f"{told.trials:,} trials, {told.trainings:,} trainings; {len(told.pilots)} trials were measured",
            f"about {told.seconds:,.0f} s of training, {all_seconds:,.0f} s with {workers} workers; scoring besides",
        ]
    )
