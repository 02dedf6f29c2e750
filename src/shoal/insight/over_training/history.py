"""When each head takes its role: its score at every checkpoint, and where that series changes.

Two answers are given side by side, and none stands in for the other: the change point of the series upwards
(`shoal.changes`), and the first checkpoint from which the score stays above the threshold of the last one.

Shapes: C checkpoints, N blocks, H heads, R roles.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes import change_points
from shoal.insight.hooks.parts import find_parts
from shoal.insight.over_training.checkpoints import checkpoint_folders
from shoal.insight.roles.named import head_roles
from shoal.insight.roles.repeats import repeated_tokens
from shoal.insight.roles.scores import ROLES, role_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from shoal.insight.roles.named import HeadRoles


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMoment:
    """When one head took one role."""

    block: int
    head: int
    role: str
    scores: tuple[float, ...]
    """At each checkpoint, on random tokens said twice."""

    change_step: int | None
    """The step of the first checkpoint after the change point at which the score rises most; None where no change point
    is upwards, as in a series that rises evenly or is too short to tell."""

    change_low: int | None
    change_high: int | None
    """The steps between which the change lies, its confidence set."""

    p_value: float | None
    threshold_step: int | None
    """The step from which on the score stays at or above the threshold; None where it does not at the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHistory:
    """What `roles_over_training` returns."""

    steps: tuple[int, ...]
    thresholds: dict[str, float]
    """By role: what a head had to reach at the last checkpoint."""

    moments: tuple[RoleMoment, ...]
    """Of the heads that have a role at the last checkpoint."""

    def lines(self) -> list[str]:
        """The moments in words."""
        return [f"over {len(self.steps)} checkpoints, from step {self.steps[0]} to {self.steps[-1]}"] + [
            f"  block {each.block} head {each.head}  {each.role}: by change point "
            f"{'not found' if each.change_step is None else f'step {each.change_step}'}, by threshold "
            f"{self.thresholds[each.role]:.2f} "
            f"{'not reached' if each.threshold_step is None else f'step {each.threshold_step}'}"
            for each in self.moments
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def roles_over_training(
    run: Path,
    texts: Sequence[str] = (),
    *,
    device: str = "auto",
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> RoleHistory:
    """Follow the heads that have a role at the end of a training back to where they took it.

    Args:
        run: a folder of checkpoints (see `checkpoint_folders`).
        texts: real texts, on which roles of place are judged too.
        device: where the models are put.
        seed: of the random tokens, which are the same at every checkpoint.
        progress: called with (what, done, total).

    Raises:
        DataError: there are fewer than two checkpoints.
        ModelError: a checkpoint cannot be used.
    """
    from shoal.models import load_model

    folders = checkpoint_folders(run)
    scores = []
    for number, (_, folder) in enumerate(folders):
        loaded = load_model(str(folder), device=device)
        ids_BL = repeated_tokens(find_parts(loaded.model), loaded.tokenizer, seed=seed).to(loaded.model.device)
        scores.append(role_scores(loaded.model, ids_BL, [ids_BL.shape[1]] * len(ids_BL)).numpy())
        if progress is not None:
            progress("checkpoints", number + 1, len(folders))
    last = head_roles(loaded.model, loaded.tokenizer, texts, seed=seed, progress=progress)
    return role_moments([step for step, _ in folders], np.stack(scores), last)


def role_moments(steps: Sequence[int], scores_CNHR: npt.NDArray[np.floating[Any]], last: HeadRoles) -> RoleHistory:
    """The moments of the heads that are named at the last checkpoint, from the scores at all of them."""
    moments = [
        _moment(
            steps,
            scores_CNHR[:, head.block, head.head, ROLES.index(role)],
            head.block,
            head.head,
            role,
            last.thresholds,
        )
        for head in last.named
        for role in head.roles
    ]
    return RoleHistory(steps=tuple(steps), thresholds=last.thresholds, moments=tuple(moments))


def _moment(
    steps: Sequence[int],
    score_C: npt.NDArray[np.floating[Any]],
    block: int,
    head: int,
    role: str,
    thresholds: Mapping[str, float],
) -> RoleMoment:
    rises = (
        [
            (float(score_C[change.place :].mean() - score_C[: change.place].mean()), change)
            for change in change_points(score_C, min_distance=max(0.05, 2 / len(score_C))).changes
        ]
        if len(score_C) > 2
        else []
    )
    rise, change = max(rises, key=lambda pair: pair[0], default=(0.0, None))
    change = change if rise > 0 else None
    below = np.flatnonzero(score_C < thresholds[role])
    after = 0 if not len(below) else int(below[-1]) + 1
    return RoleMoment(
        block=block,
        head=head,
        role=role,
        scores=tuple(score_C.tolist()),
        change_step=None if change is None else steps[change.place],
        change_low=None if change is None else steps[change.low],
        change_high=None if change is None else steps[min(change.high, len(steps) - 1)],
        p_value=None if change is None else change.p_value,
        threshold_step=steps[after] if after < len(steps) else None,
    )
