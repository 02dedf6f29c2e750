"""The types of attention heads: which heads match a type better than heads of shuffled models do, and well enough.

With them the patterns of all heads on one text.

Shapes: N blocks, H heads, R head types, T tests (head types on each kind of rows), X heads of shuffled models; of
patterns L positions, T strongest links of a query.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import ModelError, UsageError
from shoal.figures import HeadPattern, links_that_fit
from shoal.insight.head_scores import HEAD_TYPES, RelatedRows, null_scores, scored_rows
from shoal.insight.hooks import component_name, find_parts, read_activations
from shoal.insight.options import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.options import AnalysisOptions

_BY_POSITION = ("previous token", "first token", "same token")
"""Types that text can show. A head that likes some tokens better than others (nouns after articles) also looks at what
followed an earlier occurrence, so the other types are judged where only the repetition distinguishes the keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadType:
    """The types of one head, and its score in each."""

    block: int
    head: int

    roles: tuple[str, ...]
    """The types that it has, the one with the highest score first; none for most heads."""

    scores: dict[str, float]
    """By type, on repeated random tokens: the share of attention on the keys of the type."""

    text_scores: dict[str, float]
    """The same on text; without a type that no token of the text could show, and empty without text. Induction and
    duplicate token are reported there and not judged, since a head that likes some words better reaches them too."""

    p_values: dict[str, float]
    """By type: the share of heads of shuffled models that reach the score, the better of the two kinds of rows, times
    the number of tests (Bonferroni)."""

    @property
    def name(self) -> str:
        """The name of the head."""
        return component_name(self.block, "head", self.head)

    def best_score(self, role: str) -> float:
        """The score in a type, on random tokens or on text, whichever is higher."""
        return max(self.scores[role], self.text_scores.get(role, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTypes:
    """What `find_head_types` returns."""

    heads: tuple[HeadType, ...]
    """Block by block."""

    alpha: float
    smallest: float
    """The smallest score with which a head has a type."""

    null_heads: int
    """Number of heads of shuffled models that the scores were compared with."""

    thresholds: dict[str, float]
    """By type: what a head had to reach on repeated random tokens."""

    text_thresholds: dict[str, float]
    """The same on text, of the types that are judged there; empty without text."""

    @property
    def typed(self) -> tuple[HeadType, ...]:
        """The heads that have a type."""
        return tuple(head for head in self.heads if head.roles)

    def __str__(self) -> str:
        rows = [
            f"  {head.name}  " + ", ".join(f"{role} {head.best_score(role):.2f}" for role in head.roles)
            for head in self.typed
        ]
        return "\n".join([f"{len(self.typed)} of {len(self.heads)} heads have a type", *rows])

    def to_frame(self) -> pandas.DataFrame:
        """A row per head and type: its scores on random tokens and on text, p-value, and whether it has the type."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "block": head.block,
                    "head": head.head,
                    "type": role,
                    "score": score,
                    "text_score": head.text_scores.get(role),
                    "p_value": head.p_values[role],
                    "has_type": role in head.roles,
                }
                for head in self.heads
                for role, score in head.scores.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def find_head_types(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast | None = None,
    texts: Sequence[str] = (),
    *,
    min_score: float = 0.1,
    options: AnalysisOptions = DEFAULTS,
) -> HeadTypes:
    """Find which attention heads are previous-token, induction, duplicate-token, first-token or same-token heads.

    A head has a type where its score on repeated random tokens (or, for a type of position, on text) is higher than
    heads of shuffled models reach, and is at least ``min_score``. Of a model with random weights at most ``alpha`` of
    the heads get a type on average.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: its tokenizer; without it no text can be read, and any id may be drawn.
        texts: real texts; the beginning of each is read.
        min_score: the smallest score that matters.
        options: alpha, the share of heads that may get a type by chance; seed of the random tokens and the shuffles;
            progress callback.

    Raises:
        ModelError: the model has no attention, or reads too few tokens.
        UsageError: texts without a tokenizer, or a score that is no share.
    """
    parts, alpha = find_parts(model), options.alpha
    if not parts.heads:
        raise ModelError(f"{parts.name} has no attention that could be found, so its heads have no types")
    if not 0 < min_score < 1:
        raise UsageError(f"min_score = {min_score} is no share; give a number between 0 and 1")
    if texts and tokenizer is None:
        raise UsageError("texts need the tokenizer that reads them; give it, or no texts")
    rows = [RelatedRows(model, ids, lengths) for ids, lengths in scored_rows(parts, tokenizer, texts, options.seed)]

    def score(which: PreTrainedModel) -> torch.Tensor:
        return torch.cat([each.score(which) for each in rows], dim=-1)

    scores_NHT = score(model)
    # Only what is judged counts as a test, so that Bonferroni does not pay for what is merely reported.
    judged_T = torch.tensor([place == 0 or role in _BY_POSITION for place in range(len(rows)) for role in HEAD_TYPES])
    tests = int(judged_T.sum())
    # The smallest p-value is tests / (1 + null heads): with fewer heads nothing could reach alpha.
    null_XT = null_scores(parts, score, heads=math.ceil(tests / alpha), options=options)
    exceeded_NHT = (null_XT >= scores_NHT[:, :, None]).sum(2)
    # One more in numerator and denominator: the head itself is one of the draws (Phipson and Smyth 2010).
    p_NHT = (tests * (1 + exceeded_NHT) / (1 + len(null_XT))).clamp(max=1.0)
    p_NHT = torch.where(judged_T, p_NHT, 1.0)
    return HeadTypes(
        heads=tuple(
            _head(block, head, scores_NHT[block, head], p_NHT[block, head], alpha, min_score)
            for block in range(len(parts.blocks))
            for head in range(parts.heads)
        ),
        alpha=alpha,
        smallest=min_score,
        null_heads=len(null_XT),
        **_thresholds(null_XT, alpha / tests, min_score),
    )


def _thresholds(null_XT: torch.Tensor, level: float, min_score: float) -> dict[str, dict[str, float]]:
    """What a head had to reach, on random tokens and on text: the score that a share ``level`` of null heads reach."""
    allowed = max(int(level * (1 + len(null_XT))) - 1, 0)
    # The score of a type that no query could show is not a number; it counts as 0.
    reached_T = null_XT.nan_to_num(0.0).sort(descending=True, dim=0).values[allowed].clamp(min=min_score)
    on_random, *on_text = (
        dict(zip(HEAD_TYPES, each.tolist(), strict=True)) for each in reached_T.split(len(HEAD_TYPES))
    )
    return {
        "thresholds": on_random,
        "text_thresholds": {role: each[role] for each in on_text for role in _BY_POSITION},
    }


def _head(block: int, head: int, scores_T: torch.Tensor, p_T: torch.Tensor, alpha: float, min_score: float) -> HeadType:
    """The record of one head."""
    sources = [dict(zip(HEAD_TYPES, part.tolist(), strict=True)) for part in scores_T.split(len(HEAD_TYPES))]
    p_sources = p_T.split(len(HEAD_TYPES))
    roles: dict[str, float] = {}
    for place, role in enumerate(HEAD_TYPES):
        shown = [
            source[role]
            for source, p_R in zip(sources, p_sources, strict=True)
            if float(p_R[place]) <= alpha and source[role] >= min_score
        ]
        roles |= {role: max(shown)} if shown else {}
    return HeadType(
        block=block,
        head=head,
        roles=tuple(sorted(roles, key=lambda role: -roles[role])),
        scores=sources[0],
        text_scores={role: value for source in sources[1:] for role, value in source.items() if not math.isnan(value)},
        p_values=dict(zip(HEAD_TYPES, torch.stack(p_sources).amin(0).tolist(), strict=True)),
    )


@torch.inference_mode()
def head_patterns(parts: Parts, ids_L: torch.Tensor, types: HeadTypes | None) -> tuple[HeadPattern, ...]:
    """Compute the attention pattern of every head of every block.

    Only the strongest links of each query are returned, and they are chosen block by block, so that memory holds the
    weights of one block at a time.

    Args:
        parts: the parts of the model.
        ids_L: the text.
        types: the types of the heads, which become notes of the patterns.

    Raises:
        ModelError: the model has no attention that could be captured.
    """
    if not parts.heads:
        raise ModelError(f"{parts.name} has no attention that could be found, so no patterns can be shown")
    links = links_that_fit(len(ids_L), len(parts.blocks) * parts.heads)

    def strongest(_: str, weights_1HLL: torch.Tensor) -> torch.Tensor:
        weights_HLT, keys_HLT = weights_1HLL[0].float().topk(links, dim=-1)
        return torch.stack([weights_HLT, keys_HLT.float()])

    weights = ["blocks.*.attention.weights"]
    seen = read_activations(parts.model, ids_L[None], weights, reduce=strongest, axis=lambda _: 2)
    # Keys are uint16 below: thousands of links go into a page, and positions end before 65,536.
    notes = {} if types is None else {(head.block, head.head): ", ".join(head.roles) for head in types.heads}
    return tuple(
        HeadPattern(
            block=block,
            head=head,
            keys_LT=links_2HLT[1, head].cpu().numpy().astype(np.uint16),
            weights_LT=links_2HLT[0, head].cpu().numpy(),
            note=notes.get((block, head), ""),
        )
        for block, links_2HLT in enumerate(seen.values())
        for head in range(parts.heads)
    )
