"""Pretraining: from a recipe file to a small model and what was measured of it.

Importing this room's part imports neither torch nor transformers; `pretrain_run` does when it is called.
"""

from __future__ import annotations

from shoal.experiments.pretraining.files import load_recipe, parse_setting
from shoal.experiments.pretraining.listeners import Listeners
from shoal.experiments.pretraining.recipe import Recipe, recipe_from
from shoal.experiments.pretraining.result import HeldOutScore, Memorised, PretrainResult
from shoal.experiments.pretraining.run import plan_run, pretrain_run

__all__ = [
    "HeldOutScore",
    "Listeners",
    "Memorised",
    "PretrainResult",
    "Recipe",
    "load_recipe",
    "parse_setting",
    "plan_run",
    "pretrain_run",
    "recipe_from",
]
