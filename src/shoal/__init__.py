"""shoal: a laboratory for small language models.

Every verb of the command line is a function here; each is imported when it is first asked for, so that ``import
shoal`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shoal.evaluation import Certificate, ItemScore, Scores, certify, evaluate, evaluate_by_generation
    from shoal.experiments import (
        Experiment,
        PretrainResult,
        Recipe,
        Verdict,
        compare_runs,
        load_experiment,
        load_recipe,
        pretrain_run,
        run_experiment,
    )
    from shoal.models import LoadedModel, load_model, save_model
    from shoal.reports import write_report
    from shoal.tasks import Example, Task, make_task, narrowness, read_rows, write_rows
    from shoal.training import TrainResult, TrainSettings, train

__version__ = "0.1.0"

_ROOMS = {
    "evaluation": ("Certificate", "ItemScore", "Scores", "certify", "evaluate", "evaluate_by_generation"),
    "experiments": (
        "Experiment",
        "PretrainResult",
        "Recipe",
        "Verdict",
        "compare_runs",
        "load_experiment",
        "load_recipe",
        "pretrain_run",
        "run_experiment",
    ),
    "models": ("LoadedModel", "load_model", "save_model"),
    "reports": ("write_report",),
    "tasks": ("Example", "Task", "make_task", "narrowness", "read_rows", "write_rows"),
    "training": ("TrainResult", "TrainSettings", "train"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Certificate",
    "Example",
    "Experiment",
    "ItemScore",
    "LoadedModel",
    "PretrainResult",
    "Recipe",
    "Scores",
    "Task",
    "TrainResult",
    "TrainSettings",
    "Verdict",
    "certify",
    "compare_runs",
    "evaluate",
    "evaluate_by_generation",
    "load_experiment",
    "load_model",
    "load_recipe",
    "make_task",
    "narrowness",
    "pretrain_run",
    "read_rows",
    "run_experiment",
    "save_model",
    "train",
    "write_report",
    "write_rows",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its room when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
