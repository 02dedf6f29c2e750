"""Who is told of a pretraining while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.watching import Moment
    from shoal.progress import Progress
    from shoal.training import CurvePoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """What each is called with; None for nobody."""

    progress: Progress | None = None
    """Gets (what, done, total)."""

    on_plan: Callable[[PretrainPlan], None] | None = None
    """Gets what will be done, and how long it will take, before it starts."""

    on_step: Callable[[CurvePoint], None] | None = None
    on_moment: Callable[[Moment], None] | None = None
    """Gets held-out scores and samples, each time that the model is scored."""
