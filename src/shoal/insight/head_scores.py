"""The score of each attention head in each head type, on rows that show it, and the scores of shuffled models.

A head type is a relation between a query and a key. Its score is the attention on the keys in that relation, averaged
over the queries that have one; it lies between 0 and 1, and a head that does nothing else has 1.

| head type | keys |
|---|---|
| previous token | the token before |
| induction | the token after an earlier occurrence of this token (Olsson et al. 2022, arXiv:2209.11895) |
| duplicate token | an earlier occurrence of this token (Wang et al. 2022, arXiv:2211.00593) |
| first token | the first token of the row, the sink of idle heads (Xiao et al. 2023, arXiv:2309.17453) |
| same token | itself |

The null distribution is that of the model itself with the entries of each weight shuffled. A shuffle keeps the size and
spread of every weight and destroys what was learned. Where the weights were drawn independently, as fresh ones are, the
shuffled model is a draw from the same distribution, so that of a model with random weights no more heads get a type
than the level allows.

Shapes: B rows, L positions (queries and keys), S tokens of half a row, H heads, N blocks, R head types.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from shoal.errors import ModelError
from shoal.insight.hooks import capture, find_segments
from shoal.insight.tokens.reading import encode_texts
from shoal.models import forget, shuffle_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts, Segment
    from shoal.insight.options import AnalysisOptions

HEAD_TYPES = ("previous token", "induction", "duplicate token", "first token", "same token")

_FIRST_QUERY = 2
"""The first query that counts: before it, the previous token is the first token."""

_BATCH_TOKENS = 2048
"""Tokens of one pass; weights are summed up layer by layer, so that memory stays small."""

_HALF = 48
_ROWS = 8
"""Random tokens of half a row, and rows: 8 rows of 96 tokens place the score of a head within about 0.02."""

_MIN_HALF = 4
_TEXTS, _TEXT_TOKENS = 4 * _ROWS, 128
"""Texts that are read, and tokens of each."""

_MIN_SHUFFLES = 4


def head_type_scores(model: PreTrainedModel, ids_BL: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
    """Compute the score of every head in every type (N × H × R); not a number where no query has such a key.

    Args:
        model: in evaluation mode.
        ids_BL: rows of token ids, padded on the right.
        lengths: number of tokens of each row.
    """
    return RelatedRows(model, ids_BL, lengths).score(model)


class RelatedRows:
    """Rows of token ids with the keys of each head type, which are found once for all models that read the rows.

    Args:
        model: any of these models; they differ in nothing but their weights.
        ids_BL: rows of token ids, padded on the right.
        lengths: number of tokens of each row.
    """

    def __init__(self, model: PreTrainedModel, ids_BL: torch.Tensor, lengths: Sequence[int]) -> None:
        self._passes: list[_Pass] = []
        self._queries_R = torch.zeros(len(HEAD_TYPES), dtype=torch.float64)
        step = max(1, _BATCH_TOKENS // ids_BL.shape[1])
        for first in range(0, len(ids_BL), step):
            ids, sizes = ids_BL[first : first + step], lengths[first : first + step]
            related_BRLL = related_keys(ids, sizes)
            self._passes += [_pass(ids, sizes, related_BRLL, segment) for segment in find_segments(model, ids.shape[1])]
            self._queries_R += related_BRLL.any(-1).sum((0, 2)).cpu().double()

    @torch.inference_mode()
    def score(self, model: PreTrainedModel) -> torch.Tensor:
        """Compute the score of every head in every type (N × H × R), as `head_type_scores` does."""
        # Sums in float64: thousands of small shares are added up.
        mass = torch.zeros(())
        for each in self._passes:
            mass = mass + _attention_mass(model, each)
        return (mass / self._queries_R).float()


def related_keys(ids_BL: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
    """Find the keys of each head type for each query (B × R × L × L, bool).

    Args:
        ids_BL: rows of token ids, padded on the right.
        lengths: number of tokens of each row; queries behind them have no keys.
    """
    length = ids_BL.shape[1]
    place = torch.arange(length, device=ids_BL.device)
    behind_LL = place[:, None] - place
    same_BLL = ids_BL[:, :, None] == ids_BL[:, None, :]
    # A key follows an earlier occurrence where the key before it is the same token.
    follows_BLL = torch.nn.functional.pad(same_BLL, (1, 0))[:, :, :-1]
    relations = (
        (behind_LL == 1).expand_as(same_BLL),
        follows_BLL & (behind_LL > 0),
        same_BLL & (behind_LL > 0),
        (place == 0).expand_as(same_BLL),
        (behind_LL == 0).expand_as(same_BLL),
    )
    counts_BL = (place >= _FIRST_QUERY) & (place < torch.tensor(lengths, device=ids_BL.device)[:, None])
    return torch.stack(relations, dim=1) & counts_BL[:, None, :, None]


def scored_rows(
    parts: Parts, tokenizer: PreTrainedTokenizerFast | None, texts: Sequence[str], seed: int
) -> list[tuple[torch.Tensor, list[int]]]:
    """Make the ids and lengths of repeated random tokens, then of the texts where there are any.

    Args:
        parts: the parts of the model.
        tokenizer: its tokenizer; None reads no text.
        texts: real texts.
        seed: seed of the random tokens.
    """
    repeats_BL = repeated_tokens(parts, tokenizer, seed=seed).to(parts.model.device)
    rows = [(repeats_BL, [repeats_BL.shape[1]] * len(repeats_BL))]
    if tokenizer is not None:
        ids_BL, lengths = text_rows(parts, tokenizer, texts)
        rows += [(ids_BL.to(parts.model.device), lengths)] if lengths else []
    return rows


def repeated_tokens(
    parts: Parts, tokenizer: PreTrainedTokenizerFast | None = None, *, rows: int = _ROWS, seed: int = 0
) -> torch.Tensor:
    """Draw rows of random tokens that are repeated once, after the beginning token where the tokenizer adds one.

    Only the repetition can be predicted, so that a head which looks at what followed last time shows (Elhage et al.
    2021, transformer-circuits.pub).

    Args:
        parts: the parts of the model.
        tokenizer: its tokenizer, whose special tokens are not drawn.
        rows: number of rows.
        seed: seed of the tokens.

    Raises:
        ModelError: the context is too short to repeat anything.
    """
    # Two halves and a beginning token must fit into the context.
    half = min(_HALF, ((parts.context or 2 * _HALF + 1) - 1) // 2)
    if half < _MIN_HALF:
        raise ModelError(f"{parts.name} reads {parts.context} tokens, too few to see what a head does")
    special = set(tokenizer.all_special_ids) if tokenizer is not None else set()
    size = parts.model.get_input_embeddings().weight.shape[0]
    # Embeddings are often padded to a multiple of 64: those ids were never trained.
    if tokenizer is not None:
        size = min(size, len(tokenizer))
    usable = torch.tensor([id_ for id_ in range(size) if id_ not in special])
    draws = torch.Generator().manual_seed(seed)
    # Without repetition within a half, so that only one earlier occurrence can be looked at.
    half_BS = torch.stack([usable[_draw(len(usable), half, draws)] for _ in range(rows)])
    begin = _beginning(tokenizer)
    parts_of_row = [half_BS, half_BS] if begin is None else [torch.full((rows, 1), begin), half_BS, half_BS]
    return torch.cat(parts_of_row, dim=1)


def text_rows(parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> tuple[torch.Tensor, list[int]]:
    """Encode the beginnings of texts of three tokens or more as rows padded on the right, with their lengths.

    Args:
        parts: the parts of the model.
        tokenizer: its tokenizer.
        texts: real texts, of which the first 32 are read.
    """
    max_tokens = min(_TEXT_TOKENS, parts.context or _TEXT_TOKENS)
    rows = [ids for ids in encode_texts(tokenizer, texts[:_TEXTS], max_tokens=max_tokens) if len(ids) > _FIRST_QUERY]
    width = max(map(len, rows), default=0)
    # Any id does, since the mask hides it; one that the model knows is never out of range.
    padded = [ids + [ids[-1]] * (width - len(ids)) for ids in rows]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), width), [len(ids) for ids in rows]


def null_scores(
    parts: Parts, score: Callable[[PreTrainedModel], torch.Tensor], *, heads: int, options: AnalysisOptions
) -> torch.Tensor:
    """Score at least ``heads`` heads of shuffled models (heads × tests).

    Args:
        parts: the parts of the model.
        score: from a model to the scores of its heads (N × H × tests).
        heads: the minimum number of heads.
        options: seed of the shuffles, and progress callback.
    """
    # Several shuffles at least, whatever the number of heads: one draw of the weights may be an odd one.
    times = max(_MIN_SHUFFLES, math.ceil(heads / (len(parts.blocks) * parts.heads)))
    draws = torch.Generator().manual_seed(options.seed + 1)  # another seed than that of the random tokens
    # One copy, shuffled again and again: a shuffle of a shuffle is as random as one of the original.
    shuffled = copy.deepcopy(parts.model)
    found = []
    for done in range(times):
        shuffle_weights(shuffled, draws)
        found.append(score(shuffled).flatten(0, 1))
        options.progress("shuffled models", done + 1, times)
    return torch.cat(found)


class _Pass(NamedTuple):
    """One pass over the beginnings of some rows, and what is looked at in it."""

    ids_BL: torch.Tensor
    mask_BL: torch.Tensor
    related_BRM: torch.Tensor
    """The related keys of each query of the segment, 1 or 0, flat over pairs of query and key."""

    queries: slice
    forget: bool


def _pass(ids_BL: torch.Tensor, lengths: Sequence[int], related_BRLL: torch.Tensor, segment: Segment) -> _Pass:
    queries = slice(segment.start, segment.stop)
    mask_BL = torch.arange(segment.stop) < torch.tensor(lengths)[:, None]
    return _Pass(
        ids_BL=ids_BL[:, : segment.stop],
        mask_BL=mask_BL.long().to(ids_BL.device),
        related_BRM=related_BRLL[:, :, queries, : segment.stop].flatten(2).float(),
        queries=queries,
        forget=segment.forget,
    )


def _attention_mass(model: PreTrainedModel, rows: _Pass) -> torch.Tensor:
    """The attention of the queries on their related keys, summed over queries and rows (N × H × R, float64)."""

    def reduce(_: str, weights_BHLL: torch.Tensor) -> torch.Tensor:
        related_BMR = rows.related_BRM.transpose(1, 2)
        return torch.bmm(weights_BHLL[:, :, rows.queries].flatten(2).float(), related_BMR).sum(0).double().cpu()

    if rows.forget:
        forget(model)
    with capture(model, ["blocks.*.attention.weights"], reduce=reduce) as cache:
        # Without the head: nobody reads the logits, which cost more than the blocks where the vocabulary is large.
        model.base_model(rows.ids_BL, attention_mask=rows.mask_BL, use_cache=False)
    return torch.stack(list(cache.values()))


def _draw(count: int, size: int, draws: torch.Generator) -> torch.Tensor:
    """Places without repetition where there are enough of them."""
    if count >= size:
        return torch.randperm(count, generator=draws)[:size]
    return torch.randint(count, (size,), generator=draws)


def _beginning(tokenizer: PreTrainedTokenizerFast | None) -> int | None:
    """The token that the tokenizer puts before a text."""
    if tokenizer is None:
        return None
    (added,) = encode_texts(tokenizer, [""])
    return added[0] if added and added[0] == tokenizer.bos_token_id else None
