"""A recipe run from its corpora to the folder of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.result import PretrainResult


def pretrain_run(
    recipe: Recipe,
    out: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    resume: bool = True,
) -> PretrainResult:
    """Train a model from scratch as the recipe says.

    Args:
        recipe: what to do.
        out: the run folder; made where it does not exist.
        progress: called with (what, done, total).
        resume: go on where an earlier call with the same recipe was killed; otherwise a folder with a run is refused.
    """
    raise NotImplementedError(recipe, out, progress, resume)
