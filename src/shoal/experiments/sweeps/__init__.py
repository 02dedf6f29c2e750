"""Sweeps: one recipe trained many times over other settings, on one machine or on a Ray cluster."""

from __future__ import annotations

from shoal.experiments.sweeps.files import load_sweep, planned
from shoal.experiments.sweeps.foretelling import Forecast, forecast
from shoal.experiments.sweeps.powerlaw import PowerLaw, fit_above_floor, fit_power_law
from shoal.experiments.sweeps.result import SweepResult, read_sweep
from shoal.experiments.sweeps.runner import run_sweep
from shoal.experiments.sweeps.sweep import Sweep, SweepPlan
from shoal.experiments.sweeps.trials import Trial, UnitRecord

__all__ = [
    "Forecast",
    "PowerLaw",
    "Sweep",
    "SweepPlan",
    "SweepResult",
    "Trial",
    "UnitRecord",
    "fit_above_floor",
    "fit_power_law",
    "forecast",
    "load_sweep",
    "planned",
    "read_sweep",
    "run_sweep",
]
