"""When each head takes its role: its score at every checkpoint, and where that series rises.

Shapes: C checkpoints, N blocks, H heads, R roles.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.insight.hooks.parts import find_parts
from shoal.insight.over_training.checkpoints import checkpoint_folders
from shoal.insight.over_training.rise import Rise, find_rise, told
from shoal.insight.roles.named import head_roles, role_rows
from shoal.insight.roles.scores import ROLES, role_scores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from shoal.insight.roles.named import HeadRole, HeadRoles
    from shoal.progress import Progress

    Scores = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMoment:
    """When one head took one role."""

    block: int
    head: int
    role: str
    seen_on: Literal["random tokens", "text"]
    """On what the score is taken: random tokens said twice, or text where only that shows the role."""

    scores: tuple[float, ...]
    """At each checkpoint."""

    threshold: float
    """What a head had to reach there at the last checkpoint."""

    rise: Rise


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHistory:
    """What `roles_over_training` returns."""

    steps: tuple[int, ...]
    moments: tuple[RoleMoment, ...]
    """Of the heads that have a role at the last checkpoint."""

    def lines(self) -> list[str]:
        """The moments in words."""
        return [f"over {len(self.steps)} checkpoints, from step {self.steps[0]} to {self.steps[-1]}"] + [
            f"  block {each.block} head {each.head}  {each.role} on {each.seen_on}: {told(each.rise, each.threshold)}"
            for each in self.moments
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def roles_over_training(
    run: str | Path,
    texts: Sequence[str] = (),
    *,
    device: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
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
    scores: list[list[Scores]] = []
    for number, (_, folder) in enumerate(folders):
        loaded = load_model(str(folder), device=device)
        rows = role_rows(find_parts(loaded.model), loaded.tokenizer, texts, seed)
        scores.append([role_scores(loaded.model, ids, lengths).numpy() for ids, lengths in rows])
        if progress is not None:
            progress("checkpoints", number + 1, len(folders))
    last = head_roles(loaded.model, loaded.tokenizer, texts, seed=seed, progress=progress)
    on_repeats, *on_text = (np.stack(each) for each in zip(*scores, strict=True))
    return role_moments([step for step, _ in folders], on_repeats, last, on_text[0] if on_text else None)


def role_moments(
    steps: Sequence[int], scores_CNHR: Scores, last: HeadRoles, text_scores_CNHR: Scores | None = None
) -> RoleHistory:
    """The moments of the heads that are named at the last checkpoint, from the scores at all of them.

    Args:
        steps: of the checkpoints, in order.
        scores_CNHR: on random tokens said twice.
        last: the roles at the last checkpoint.
        text_scores_CNHR: on text, where the roles were judged on text too.
    """
    moments = [
        _moment(steps, scores_CNHR, text_scores_CNHR, head, role, last) for head in last.named for role in head.roles
    ]
    return RoleHistory(steps=tuple(steps), moments=tuple(moments))


def _moment(
    steps: Sequence[int],
    scores_CNHR: Scores,
    text_scores_CNHR: Scores | None,
    head: HeadRole,
    role: str,
    last: HeadRoles,
) -> RoleMoment:
    """One head in one role, followed on random tokens where these show it, and on text otherwise."""
    plain = text_scores_CNHR is None or head.scores[role] >= last.thresholds[role]
    series_CNHR = scores_CNHR if plain or text_scores_CNHR is None else text_scores_CNHR
    score_C = series_CNHR[:, head.block, head.head, ROLES.index(role)]
    threshold = (last.thresholds if plain else last.text_thresholds)[role]
    return RoleMoment(
        block=head.block,
        head=head.head,
        role=role,
        seen_on="random tokens" if plain else "text",
        scores=tuple(score_C.tolist()),
        threshold=threshold,
        rise=find_rise(steps, score_C, threshold),
    )
