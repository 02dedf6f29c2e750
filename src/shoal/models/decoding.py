"""Continuation of many prefixes at a time, greedy or as a caller chooses, by the fastest way that the model allows.

A fast model (`shoal.models.fast`) pads prefixes on the right, reads them once, and continues each row at its own
length. A model of `transformers` continues with its cache, where that is reliable: prefixes are padded on the left,
masked by length, and given positions that count real tokens only. Where the cache does not bear padding, rows of one
length go together; where there is no cache that gives the numbers of reading all again (`shoal.models.probing`), all is
read again for each token. Where the length of what is read matters (`shoal.models.lengths`), a row whose length leaves
the segment in which its batch was begun is read again, too. Padding and batch shape may still change logits by
rounding, so the result is a draft: the caller verifies it.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from shoal.models.factorization import FactoredModel, factor_model
from shoal.models.fast import KVCache, PrefixCache
from shoal.models.lengths import ALL_AGREE, Lengths
from shoal.models.probing import CacheUse, cache_use, forward_parameters, left_padded, read_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel

    from shoal.models.fast import FastModel

    Choose = Callable[[torch.Tensor, Sequence["Prefix"]], torch.Tensor]
    Stop = Callable[["Prefix"], bool]

_MAX_ROWS = 64

_MAX_CELLS = 2**17
"""Keys of a batch at most, which bounds the memory of the cache."""

_MIN_SHARED = 16
"""Ids that all prefixes of a batch must begin with to be read once."""

_MAX_LOGITS = 2**26
"""Logits of a batch at most, where a model gives them for the whole prefix."""


@dataclass(slots=True)
class Prefix:
    """One prefix and what has been generated so far."""

    place: int
    prefix: Sequence[int]
    limit: int
    """How many tokens may be generated."""

    generated: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """The prefix and what has been generated."""
        return [*self.prefix, *self.generated]

    @property
    def length(self) -> int:
        """The number of these ids."""
        return len(self.prefix) + len(self.generated)


@torch.inference_mode()
def decode_greedily(
    model: PreTrainedModel | FastModel | FactoredModel,
    prefixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_id: int | None,
    *,
    may_pad: bool = True,
    stop: Stop | None = None,
) -> list[list[int]]:
    """Continue each prefix with its argmax until the end token, which is included, or until its limit.

    Args:
        model: a causal language model in evaluation mode, what `load_for_scoring` gives, or either of them factored
            already; then for texts as long as these.
        prefixes: ids to continue; at least one each.
        limits: the number of new tokens of each, at most.
        end_id: the token that ends a continuation, if there is one.
        may_pad: whether prefixes of different lengths may go together; without padding numbers are nearer to those of
            each prefix by itself.
        stop: called with a row after each of its tokens; the row ends where it gives True.
    """
    rows = [Prefix(place, prefix, limit) for place, (prefix, limit) in enumerate(zip(prefixes, limits, strict=True))]
    if not isinstance(model, FactoredModel):
        model = factor_model(model, max_length=max((len(row.prefix) + row.limit for row in rows), default=0))
    decode_rows(model, rows, end_id, argmax_tokens, may_pad=may_pad, stop=stop)
    return [row.generated for row in rows]


def decode_rows(
    factored: FactoredModel,
    rows: Sequence[Prefix],
    end_id: int | None,
    choose: Choose,
    *,
    may_pad: bool = True,
    stop: Stop | None = None,
) -> None:
    """Continue each row until the end token, which is included, or until its limit.

    Args:
        factored: the model, which is in evaluation mode.
        rows: get what is generated.
        end_id: the token that ends a continuation, if there is one.
        choose: gives the next token of each row (B) from its logits (B × V).
        may_pad: whether prefixes of different lengths may go together.
        stop: called with a row after each of its tokens; the row ends where it gives True.
    """
    going = [row for row in rows if row.limit > 0]
    if factored.fast is not None:
        for group in group_prefixes(going, _MAX_CELLS, padded=may_pad):
            _decode_fast(factored.fast, group, end_id, choose, stop)
        return
    model: Any = factored.model
    use = cache_use(factored)
    last_only = "logits_to_keep" in forward_parameters(model)
    decoding = _Decoding(factored, end_id, choose, {"logits_to_keep": 1} if last_only else {}, stop)
    while going:
        groups = group_prefixes(
            going,
            _MAX_CELLS if last_only and use is not None else max(1, _MAX_LOGITS // factored.vocabulary),
            padded=may_pad and use is not None and use.pads,
            lengths=factored.lengths,
            # A model whose rows change each other must read them one by one.
            **({} if factored.padding == "right" else {"max_rows": 1}),
        )
        going = [row for group in groups for row in decoding.decode(group, use)]


def can_continue(factored: FactoredModel) -> bool:
    """Whether what has been read need not be read again to generate one more token."""
    return factored.fast is not None or cache_use(factored) is not None


def argmax_tokens(logits_BV: torch.Tensor, _rows: Sequence[Prefix]) -> torch.Tensor:
    """The argmax of each row, as `decode_rows` takes it.

    Args:
        logits_BV: the logits of each row.
        _rows: not used.
    """
    return logits_BV.argmax(-1)


def append_next(
    rows: Sequence[Prefix], next_B: torch.Tensor, end_id: int | None, stop: Stop | None = None
) -> list[int]:
    """Append the next token to each row.

    Args:
        rows: get the tokens.
        next_B: one for each row.
        end_id: the token that ends a row, if there is one.
        stop: as `decode_rows` takes it.

    Returns:
        The places of the rows that continue: neither ended nor stopped nor at their limit.
    """
    for row, token in zip(rows, next_B.tolist(), strict=True):
        row.generated.append(token)
    return [
        place
        for place, row in enumerate(rows)
        if row.generated[-1] != end_id and len(row.generated) < row.limit and not (stop is not None and stop(row))
    ]


def group_prefixes(
    rows: Sequence[Prefix], max_cells: int, *, padded: bool, max_rows: int = _MAX_ROWS, lengths: Lengths = ALL_AGREE
) -> Iterator[list[Prefix]]:
    """Group rows of similar length and limit.

    Args:
        rows: what is to be grouped.
        max_cells: positions of a group at most.
        padded: whether rows of different length may go together.
        max_rows: rows of a group at most.
        lengths: rows whose lengths do not agree are separated.
    """
    group: list[Prefix] = []
    # By limit as well, so that the rows of a group end at about the same time.
    for row in sorted(rows, key=lambda row: (row.length, row.limit)):
        # Rows come sorted, so the newest is the longest and decides the room of all.
        full = (len(group) + 1) * (len(row.prefix) + row.limit) > max_cells or len(group) == max_rows
        if group and (full or not _go_together(group[0], row, lengths, padded=padded)):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _go_together(shorter: Prefix, longer: Prefix, lengths: Lengths, *, padded: bool) -> bool:
    return lengths.agree(shorter.length, longer.length) if padded else shorter.length == longer.length


def _shared_prefix(rows: Sequence[Prefix]) -> int:
    """How many ids all prefixes begin with, less the last of each; 0 where reading them once would save little."""
    if len(rows) == 1:
        return 0
    # In lexicographic order all lie between the first and the last.
    prefixes = [tuple(row.prefix) for row in rows]
    first, last = min(prefixes), max(prefixes)
    shared = min(map(len, prefixes)) - 1
    shared = next((place for place in range(shared) if first[place] != last[place]), shared)
    return shared if shared >= _MIN_SHARED else 0


@torch.inference_mode()
def _decode_fast(model: FastModel, rows: list[Prefix], end_id: int | None, choose: Choose, stop: Stop | None) -> None:
    lengths = [len(row.prefix) for row in rows]
    ids_BL = torch.tensor([[*row.prefix, *[0] * (max(lengths) - len(row.prefix))] for row in rows], device=model.device)
    lengths_B = torch.tensor(lengths, device=model.device)
    shared = _shared_prefix(rows)
    prefix = None
    if shared:
        # Worked examples before a question are the longest part of a prompt, and the same in all.
        prefix = PrefixCache()
        model.hidden(ids_BL[:1, :shared], prefix)
        prefix.close()
    cache = KVCache(lengths_B, max(length + row.limit for length, row in zip(lengths, rows, strict=True)), prefix)
    # The last token of each row, since padding stands behind it.
    rows_B = torch.arange(len(rows), device=model.device)
    last_BD = model.hidden(ids_BL[:, shared:], cache)[rows_B, lengths_B - 1 - shared]
    cache.advance()
    while rows:
        next_B = choose(model.head.logits(last_BD), rows)
        going = append_next(rows, next_B, end_id, stop)
        if len(going) < len(rows):
            left = torch.tensor(going, dtype=torch.long, device=model.device)
            rows, next_B = [rows[place] for place in going], next_B[left]
            cache.select(left)
        if rows:
            last_BD = model.hidden(next_B[:, None], cache)[:, 0]
            cache.advance()


class _Decoding:
    """One way to continue groups of rows."""

    def __init__(
        self,
        factored: FactoredModel,
        end_id: int | None,
        choose: Choose,
        extra: dict[str, int],
        stop: Stop | None,
    ) -> None:
        self._factored = factored
        self._stop = stop
        self._end_id = end_id
        self._choose = choose
        self._extra = extra

    def decode(self, rows: list[Prefix], use: CacheUse | None) -> list[Prefix]:
        """Continue rows as far as they can go together.

        Returns:
            Those that are not finished, and must be read again.
        """
        return self._decode_one(rows) if use is None else self._decode_many(rows, use)

    def _decode_one(self, rows: list[Prefix]) -> list[Prefix]:
        ids_BL = torch.tensor([row.ids for row in rows], device=self._factored.model.device)
        next_B = self._choose(self._factored.full_logits(ids_BL)[:, -1], rows)
        return [rows[place] for place in append_next(rows, next_B, self._end_id, self._stop)]

    def _decode_many(self, rows: list[Prefix], use: CacheUse) -> list[Prefix]:
        model: Any = self._factored.model
        last, again = self._factored.lengths.last(max(row.length for row in rows)), []
        ids_BL, mask_BL = left_padded([row.ids for row in rows], model.device)
        # Before the first read only: what the model keeps must then stay for the whole group.
        self._factored.forget()
        cache: Any = None
        while rows:
            logits_BV, cache = read_on(model, ids_BL, mask_BL, cache, **self._extra)
            next_B = self._choose(logits_BV, rows)
            going = append_next(rows, next_B, self._end_id, self._stop)
            if last is not None:
                # The keys of these rows were computed for another segment of lengths, so that their cache is worth
                # nothing.
                again += [rows[place] for place in going if rows[place].length > last]
                going = [place for place in going if rows[place].length <= last]
            if len(going) < len(rows):
                left_B = torch.tensor(going, dtype=torch.long, device=model.device)
                rows = [rows[place] for place in going]
                next_B, mask_BL = next_B[left_B], mask_BL[left_B]
                if rows:
                    use.select(cache, left_B)
            ids_BL = next_B[:, None]
            # The mask covers the cache as well.
            mask_BL = torch.cat([mask_BL, mask_BL.new_ones(len(rows), 1)], dim=1)
        return again
