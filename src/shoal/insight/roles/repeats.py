"""Rows on which roles show: random tokens said twice, and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.errors import ModelError
from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts

_HALF = 48
_ROWS = 8
_LEAST_HALF = 4


def repeated_tokens(
    parts: Parts, tokenizer: PreTrainedTokenizerFast | None = None, *, rows: int = _ROWS, seed: int = 0
) -> torch.Tensor:
    """Rows of random tokens that are said twice, after the beginning token where the tokenizer adds one.

    Nothing but the repetition can be predicted, so that a head which looks at what followed last time shows (Elhage et
    al. 2021, transformer-circuits.pub).

    Raises:
        ModelError: the context is too short to say anything twice.
    """
    half = min(_HALF, ((parts.context or 2 * _HALF + 1) - 1) // 2)
    if half < _LEAST_HALF:
        raise ModelError(f"{parts.name} reads {parts.context} tokens, too few to see what a head does")
    special = set(tokenizer.all_special_ids) if tokenizer is not None else set()
    size = parts.model.get_input_embeddings().weight.shape[0]
    if tokenizer is not None:
        size = min(size, len(tokenizer))
    usable = torch.tensor([id_ for id_ in range(size) if id_ not in special])
    draws = torch.Generator().manual_seed(seed)
    half_BS = torch.stack([usable[_draw(len(usable), half, draws)] for _ in range(rows)])
    begin = _beginning(tokenizer)
    parts_of_row = [half_BS, half_BS] if begin is None else [torch.full((rows, 1), begin), half_BS, half_BS]
    return torch.cat(parts_of_row, dim=1)


def text_rows(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], *, tokens: int = 128, rows: int = 4 * _ROWS
) -> tuple[torch.Tensor, list[int]]:
    """The beginnings of texts as rows padded on the right, and their lengths; of three tokens at least."""
    most = min(tokens, parts.context or tokens)
    check_coverage(tokenizer, texts[:rows])
    encoded = [tokenizer(text, verbose=False)["input_ids"][:most] for text in texts[:rows]]
    kept = [ids for ids in encoded if len(ids) > 2]
    longest = max(map(len, kept), default=0)
    padded = [ids + [ids[-1]] * (longest - len(ids)) for ids in kept]
    return torch.tensor(padded, dtype=torch.long).reshape(len(kept), longest), [len(ids) for ids in kept]


def _draw(count: int, size: int, draws: torch.Generator) -> torch.Tensor:
    """Places without repetition where there are enough of them."""
    if count >= size:
        return torch.randperm(count, generator=draws)[:size]
    return torch.randint(count, (size,), generator=draws)


def _beginning(tokenizer: PreTrainedTokenizerFast | None) -> int | None:
    """The token that the tokenizer puts before a text."""
    if tokenizer is None:
        return None
    added = tokenizer("")["input_ids"]
    return added[0] if added and added[0] == tokenizer.bos_token_id else None
