"""Examples as rows of ids that fit into a model, and which rows go through it together.

Rows are sorted by length, so that little is padded, and a batch is filled until its tokens, padding included, would
exceed the budget. The order of the examples plays no part: rows of one length are sorted by their ids. Where the
length of what is read plays a part in the model, rows go together whose lengths agree (`shoal.models.lengths`), and a
row whose target crosses a border is split there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from shoal.errors import DataError, TooLongError
from shoal.models import ALL_AGREE, Lengths, context_of
from shoal.models.fast import FastModel
from shoal.text import encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example
    from shoal.text import PlainTokenizer


def encode_rows(
    model: PreTrainedModel | FastModel, tokenizer: PreTrainedTokenizerFast | PlainTokenizer, examples: Sequence[Example]
) -> list[ScoringRow]:
    """Encode examples, one row each, over the whole target.

    Args:
        model: whose context and vocabulary must hold the rows.
        tokenizer: the model's.
        examples: what is to be scored.

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an example cannot be encoded, or an id lies outside the model's vocabulary.
    """
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    check = row_check(model)
    rows = [ScoringRow(index, pair.ids, pair.boundary, 0, len(pair.target)) for index, pair in enumerate(pairs)]
    for row, example in zip(rows, examples, strict=True):
        check(row, example.prompt)
    return rows


def row_check(model: PreTrainedModel | FastModel) -> Callable[[ScoringRow, str], None]:
    """Make a check that refuses a row that the model cannot read; it takes the row and the text that it begins with.

    Raises:
        TooLongError: (the check) the row is longer than the model's context.
        DataError: (the check) an id lies outside the model's vocabulary.
    """
    context, vocabulary = model_limits(model)

    def check(row: ScoringRow, text: str) -> None:
        # The last id is predicted and never read.
        if context is not None and len(row.ids) - 1 > context:
            raise TooLongError(
                f"example {row.item} ({text[:40]!r}) takes {len(row.ids)} tokens, its prompt {row.boundary}, and "
                f"the model reads at most {context}; shorten it or take a model with a longer context"
            )
        if max(row.ids) >= vocabulary:
            raise DataError(
                f"example {row.item} has the token id {max(row.ids)}, and the model knows {vocabulary} tokens; "
                f"use the model's own tokenizer"
            )

    return check


def model_limits(model: PreTrainedModel | FastModel) -> tuple[int | None, int]:
    """The longest context of the model, None where its configuration names none, and the size of its vocabulary."""
    if isinstance(model, FastModel):
        return model.context, model.embeddings
    return context_of(model), model.get_input_embeddings().weight.shape[0]


_WORTH_SHARING = 0.125
"""The share of a batch's tokens that sharing a prefix must save, since its keys and values are then copied."""


@dataclass(frozen=True, slots=True)
class ScoringRow:
    """A span of an item to be scored: its target tokens from ``start`` to ``stop``."""

    item: int
    ids: tuple[int, ...]
    """All ids of the item, prompt and target."""
    boundary: int
    """Where the target begins."""
    start: int
    stop: int

    @property
    def fed(self) -> int:
        """How many ids the model must read to predict the last of the span."""
        return self.boundary + self.stop - 1


def split_row(row: ScoringRow, lengths: Lengths) -> list[ScoringRow]:
    """Split a row into parts, each to be read at lengths that agree with those of the prefixes of all its tokens.

    Args:
        row: what is to be scored.
        lengths: which lengths give the same numbers.
    """
    if lengths.all_agree:
        return [row]
    pieces = []
    while row.start < row.stop:
        last = lengths.last(row.boundary + row.start)
        stop = row.stop if last is None else min(row.stop, last - row.boundary + 1)
        pieces.append(replace(row, stop=stop))
        row = replace(row, start=stop)
    return pieces


def fill_batches(rows: Iterable[ScoringRow], token_budget: int, lengths: Lengths = ALL_AGREE) -> list[list[ScoringRow]]:
    """Batches of at most ``token_budget`` tokens, padding included; a longer row goes alone.

    Args:
        rows: as `split_row` gives them.
        token_budget: tokens of a batch.
        lengths: rows whose lengths do not agree go into different batches.
    """
    batches: list[list[ScoringRow]] = []
    # By ids within a length: rows with a common opening then meet in one batch, which `shared_opening` saves.
    for row in sorted(rows, key=lambda row: (row.fed, row.ids[: row.fed])):
        # Rows come shortest first, so that all others of the batch would be padded to this one.
        fits = bool(batches) and (len(batches[-1]) + 1) * row.fed <= token_budget
        if fits and lengths.agree(batches[-1][0].fed, row.fed):
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def pad_batch(batch: Sequence[ScoringRow], device: torch.device) -> torch.Tensor:
    """Ids (B × L), padded on the right. The filler is id 0: nothing that is read lies behind it.

    Args:
        batch: the rows; at least one.
        device: of the model.
    """
    length = max(row.fed for row in batch)
    return torch.tensor([(*row.ids[: row.fed], *[0] * (length - row.fed)) for row in batch], device=device)


def shared_opening(batch: Sequence[ScoringRow]) -> int:
    """How many ids all rows begin with, before any whose successor is scored; 0 where they are too few."""
    # In lexicographic order all rows lie between these two, so that what the two share at the beginning all share.
    first, last = min(row.ids for row in batch), max(row.ids for row in batch)
    # The head needs the hidden state before the first scored token, so that the shared part must end before it.
    unread = min(row.boundary + row.start for row in batch) - 1
    alike = (one == other for one, other in zip(first, last, strict=False))
    shared = min(next((place for place, same in enumerate(alike) if not same), unread), unread)
    saved, all_of_it = shared * (len(batch) - 1), len(batch) * max(row.fed for row in batch)
    return shared if saved >= _WORTH_SHARING * all_of_it else 0


def scored_places(batch: Sequence[ScoringRow]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For the N target tokens of a batch, row after row: their row, the position that predicts them, their id."""
    which = [place for place, row in enumerate(batch) for _ in range(row.start, row.stop)]
    where = [row.boundary - 1 + position for row in batch for position in range(row.start, row.stop)]
    target = [row.ids[row.boundary + position] for row in batch for position in range(row.start, row.stop)]
    return torch.tensor(which), torch.tensor(where), torch.tensor(target)
