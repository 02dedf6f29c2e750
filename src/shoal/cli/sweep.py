"""``shoal sweep``: a recipe trained many times over other settings, on one machine or on a Ray cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shoal.cli.options import Flag, Json, Workers
from shoal.cli.terminal import display, print_json, progress_bars

if TYPE_CHECKING:
    from shoal.cli.terminal import Display
    from shoal.experiments.sweeps import Forecast, SweepPlan, UnitRecord


def sweep(
    file: Path,
    /,
    *,
    out: Path | None = None,
    corpora: Path | None = None,
    engine: Literal["local", "ray"] = "local",
    workers: Workers = None,
    address: str | None = None,
    retry_failed: Flag = False,
    dry_run: Flag = False,
    as_json: Json = False,
) -> None:
    """Train a recipe for every trial of a sweep; find the best settings and how the score scales.

    The same command resumes a sweep that was interrupted or killed.

    Parameters
    ----------
    file
        TOML file with a recipe and the keys to sweep over.
    out
        Folder of the sweep. Default: sweeps/NAME.
    corpora
        Folder in which the recipe's corpora lie. Default: the recipe's own folder.
    engine
        local (processes on this machine) or ray (a Ray cluster); both give bit-identical results.
    address
        Address of a running Ray cluster, such as 10.0.0.1:6379, or auto. Default: start one on this machine.
    retry_failed
        Run failed trials again.
    dry_run
        Print the number of trials and their time, from measured steps, and train nothing.
    """
    from shoal.experiments.sweeps import load_sweep, read_importance, run_sweep
    from shoal.reports import write_report

    plan = load_sweep(file, data=corpora)
    if dry_run:
        _print_forecast(plan, workers, as_json=as_json)
        return
    folder = out or Path("sweeps") / plan.sweep.name
    with display() as shown:
        notes = _Notes(shown, more_is_better=plan.sweep.direction == "maximize")
        result = run_sweep(
            plan, folder, engine=engine, workers=workers, address=address, retry_failed=retry_failed,
            progress=shown.progress, on_trial=notes,
        )  # fmt: skip
    report = write_report(folder)
    if as_json:
        print_json(result.to_dict(read_importance(folder)) | {"sweep": str(folder), "report": str(report)})
        return
    print(result)
    for key, share in read_importance(folder).items():
        print(f"importance of {key}: {share:.2f}")
    print(f"\nsweep   {folder}\nreport  {report}")


class _Notes:
    """Progress notes after each training: the best score so far, and failures."""

    def __init__(self, shown: Display, *, more_is_better: bool) -> None:
        self._shown = shown
        self._more = more_is_better
        self._best: tuple[float, int] | None = None

    def __call__(self, record: UnitRecord) -> None:
        if record.score is None:
            what = "was pruned" if record.state == "pruned" else "failed"
            self._shown.print(f"trial {record.trial} (seed {record.seed}) {what}: {record.reason}")
            return
        better = self._best is None or (record.score > self._best[0]) == self._more
        if better:
            self._best = (record.score, record.trial)
        assert self._best is not None
        self._shown.note(f"last {record.score:.4f}, best {self._best[0]:.4f} (trial {self._best[1]})")


def _print_forecast(plan: SweepPlan, workers: int | None, *, as_json: bool) -> None:
    """Measure a few steps, and print how long the sweep will take."""
    from shoal.experiments import side_by_side
    from shoal.experiments.sweeps import forecast

    with progress_bars() as progress:
        measured = forecast(plan, progress=progress)
    count = side_by_side(workers, threads=plan.sweep.threads, device=plan.recipe.device)
    if as_json:
        print_json(measured.to_dict() | {"workers": count})
    else:
        print(_forecast_text(measured, count))


def _forecast_text(measured: Forecast, workers: int) -> str:
    """The measured trials and the sum."""
    lines = [
        f"trial {pilot.number}: {', '.join(f'{key} = {value}' for key, value in pilot.settings.items())}; "
        f"{pilot.parameters:,} parameters, {pilot.tokens:,} tokens, {pilot.seconds:,.0f} s"
        for pilot in measured.pilots
    ]
    all_seconds = measured.seconds / min(workers, measured.trainings)
    return "\n".join(
        [
            *lines,
            f"{measured.trials:,} trials, {measured.trainings:,} trainings; {len(measured.pilots)} trials measured",
            f"about {measured.seconds:,.0f} s of training, {all_seconds:,.0f} s on {workers} workers, without scoring",
        ]
    )
