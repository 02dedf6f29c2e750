"""Experiments: from a file to a run folder and a verdict."""

from __future__ import annotations

from shoal.experiments.compare import Comparison, Difference, compare_runs
from shoal.experiments.experiment import Experiment
from shoal.experiments.loading import load_experiment, shipped_experiments
from shoal.experiments.measures import MEASURES, Measure
from shoal.experiments.pretraining import PretrainResult, Recipe, load_recipe, pretrain_run
from shoal.experiments.runner import run_experiment
from shoal.experiments.verdict import Control, Effect, Verdict, decide

__all__ = [
    "MEASURES",
    "Comparison",
    "Control",
    "Difference",
    "Effect",
    "Experiment",
    "Measure",
    "PretrainResult",
    "Recipe",
    "Verdict",
    "compare_runs",
    "decide",
    "load_experiment",
    "load_recipe",
    "pretrain_run",
    "run_experiment",
    "shipped_experiments",
]
