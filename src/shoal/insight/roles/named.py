"""Which heads have a role: a score that a head of a shuffled model does not reach, and that is not negligible."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import ModelError, UsageError
from shoal.insight.hooks.parts import find_parts
from shoal.insight.roles.null import null_scores
from shoal.insight.roles.repeats import repeated_tokens, text_rows
from shoal.insight.roles.scores import ROLES, role_scores
from shoal.statistics import check_alpha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts
    from shoal.progress import Progress

_BY_PLACE = ("previous token", "first token", "same token")
"""Roles that text can show. A head that likes some tokens better than others (nouns after articles) also looks at
what followed an earlier occurrence, so the other roles are judged where nothing but the repetition tells the keys
apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRole:
    """What one head does."""

    block: int
    head: int

    roles: tuple[str, ...]
    """Those that it has, the one with the highest score first; none for most heads."""

    scores: dict[str, float]
    """On random tokens said twice, by role: the share of attention that the role looks at."""

    text_scores: dict[str, float]
    """The same on text; without a role that no token of the text could show, and empty without text. Induction and
    duplicate token are told there and not judged, since a head that likes some words better reaches them too."""

    p_values: dict[str, float]
    """By role: how often a head of a shuffled model reaches the score, the better of the two kinds of rows, times the
    number of scores that were looked at (Bonferroni)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRoles:
    """What `head_roles` returns."""

    heads: tuple[HeadRole, ...]
    """Block by block."""

    alpha: float
    smallest: float
    null_heads: int
    """How many heads of shuffled models the scores were compared with."""

    thresholds: dict[str, float]
    """By role: what a head had to reach on random tokens."""

    text_thresholds: dict[str, float]
    """The same on text, of the roles that are judged there; empty without text."""

    @property
    def named(self) -> tuple[HeadRole, ...]:
        """The heads that have a role."""
        return tuple(head for head in self.heads if head.roles)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def head_roles(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast | None = None,
    texts: Sequence[str] = (),
    *,
    alpha: float = 0.01,
    smallest: float = 0.1,
    seed: int = 0,
    progress: Progress | None = None,
) -> HeadRoles:
    """Find what each attention head does.

    A head has a role where its score on random tokens said twice (or, for a role of place, on text) is higher than
    heads of shuffled models reach, and is at least ``smallest``. Of a model with random weights at most ``alpha`` of
    the heads are named on average.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: its tokenizer; without it no text can be read, and any id may be drawn.
        texts: real texts, of which the beginnings are read.
        alpha: the share of heads that may be named by chance.
        smallest: the smallest score that matters.
        seed: of the random tokens and the shuffles.
        progress: called with (what, done, total).

    Raises:
        ModelError: the model has no attention, or reads too few tokens.
        UsageError: texts without a tokenizer, or a level or score that is no share.
    """
    check_alpha(alpha)
    parts = find_parts(model)
    if not parts.heads:
        raise ModelError(f"{parts.name} has no attention that could be found, so no heads whose roles could be told")
    if not 0 < smallest < 1:
        raise UsageError(f"smallest = {smallest} is no share; give a number between 0 and 1")
    if texts and tokenizer is None:
        raise UsageError("texts need the tokenizer that reads them; give it, or no texts")
    rows = role_rows(parts, tokenizer, texts, seed)

    def score(which: PreTrainedModel) -> torch.Tensor:
        return torch.cat([role_scores(which, ids, lengths) for ids, lengths in rows], dim=-1)

    scores_NHT = score(model)
    judged_T = torch.tensor([place == 0 or role in _BY_PLACE for place in range(len(rows)) for role in ROLES])
    tests = int(judged_T.sum())
    null_XT = null_scores(parts, score, heads=math.ceil(tests / alpha), seed=seed + 1, progress=progress)
    exceeded_NHT = (null_XT >= scores_NHT[:, :, None]).sum(2)
    p_NHT = (tests * (1 + exceeded_NHT) / (1 + len(null_XT))).clamp(max=1.0)
    p_NHT = torch.where(judged_T, p_NHT, 1.0)
    allowed = int(alpha / tests * (1 + len(null_XT))) - 1
    reached_T = null_XT.nan_to_num(0.0).sort(descending=True, dim=0).values[max(allowed, 0)].clamp(min=smallest)
    on_repeats, *on_text = (dict(zip(ROLES, part.tolist(), strict=True)) for part in reached_T.split(len(ROLES)))
    return HeadRoles(
        heads=tuple(
            _role(block, head, scores_NHT[block, head], p_NHT[block, head], alpha, smallest)
            for block in range(len(parts.blocks))
            for head in range(parts.heads)
        ),
        alpha=alpha,
        smallest=smallest,
        null_heads=len(null_XT),
        thresholds=on_repeats,
        text_thresholds={role: each[role] for each in on_text for role in _BY_PLACE},
    )


def role_rows(
    parts: Parts, tokenizer: PreTrainedTokenizerFast | None, texts: Sequence[str], seed: int
) -> list[tuple[torch.Tensor, list[int]]]:
    """The ids and lengths of random tokens said twice, then of the texts where there are any."""
    repeats_BL = repeated_tokens(parts, tokenizer, seed=seed).to(parts.model.device)
    rows = [(repeats_BL, [repeats_BL.shape[1]] * len(repeats_BL))]
    if tokenizer is not None:
        ids_BL, lengths = text_rows(parts, tokenizer, texts)
        rows += [(ids_BL.to(parts.model.device), lengths)] if lengths else []
    return rows


def _role(block: int, head: int, scores_T: torch.Tensor, p_T: torch.Tensor, alpha: float, smallest: float) -> HeadRole:
    """One head's record."""
    sources = [dict(zip(ROLES, part.tolist(), strict=True)) for part in scores_T.split(len(ROLES))]
    p_sources = p_T.split(len(ROLES))
    roles: dict[str, float] = {}
    for place, role in enumerate(ROLES):
        shown = [
            source[role]
            for source, p_R in zip(sources, p_sources, strict=True)
            if float(p_R[place]) <= alpha and source[role] >= smallest
        ]
        roles |= {role: max(shown)} if shown else {}
    return HeadRole(
        block=block,
        head=head,
        roles=tuple(sorted(roles, key=lambda role: -roles[role])),
        scores=sources[0],
        text_scores={role: value for source in sources[1:] for role, value in source.items() if not math.isnan(value)},
        p_values=dict(zip(ROLES, torch.stack(p_sources).amin(0).tolist(), strict=True)),
    )
