"""Continuation of many prefixes at a time, greedy or as a caller chooses, with a cache where the model's is reliable.

The rows of a batch have prefixes of different lengths, which are padded on the left, masked by length, and given
positions that count real tokens only. Where the cache does not bear that, rows of one length go together; where there
is no cache that gives the numbers of reading all again (`shoal.models.caching`), all is read again for each token.
Where the length of what is read plays a part (`shoal.models.lengths`), a row whose length leaves the stretch in which
its batch was begun is read again, too. Padding and batch shape may still change logits by rounding, so what comes out
is a draft: the caller verifies it.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from shoal.models.caching import CacheUse, cache_use, forward_parameters, left_padded, read_on
from shoal.models.prefixes import Prefix, group_prefixes, most_likely, say_next

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.models.factorization import FactoredModel

    Choosing = Callable[[torch.Tensor, Sequence[Prefix]], torch.Tensor]

_CELLS = 2**17
"""Keys of a batch at most, which bounds the memory of the cache."""

_LOGITS = 2**26
"""Logits of a batch at most, where a model gives them for the whole prefix."""


def decode_greedily(
    factored: FactoredModel,
    prefixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_id: int | None,
    *,
    may_pad: bool = True,
) -> list[list[int]]:
    """Continue each prefix with its argmax until the end token, which is kept, or until its limit.

    Args:
        factored: of the model, which is in evaluation mode.
        prefixes: ids to go on from; at least one each.
        limits: the most tokens to say for each.
        end_id: the token that ends a continuation, if there is one.
        may_pad: whether prefixes of different lengths may go together.
    """
    rows = [Prefix(place, prefix, limit) for place, (prefix, limit) in enumerate(zip(prefixes, limits, strict=True))]
    decode_rows(factored, rows, end_id, most_likely, may_pad=may_pad)
    return [row.said for row in rows]


def decode_rows(
    factored: FactoredModel, rows: Sequence[Prefix], end_id: int | None, choose: Choosing, *, may_pad: bool = True
) -> None:
    """Continue each row until the end token, which is kept, or until its limit.

    Args:
        factored: of the model, which is in evaluation mode.
        rows: what is said is put into them.
        end_id: the token that ends a continuation, if there is one.
        choose: gives the next token of each row (B) by its logits (B × V).
        may_pad: whether prefixes of different lengths may go together.
    """
    model: Any = factored.model
    use = cache_use(factored)
    last_only = "logits_to_keep" in forward_parameters(model)
    decoding = _Decoding(factored, end_id, choose, {"logits_to_keep": 1} if last_only else {})
    going = [row for row in rows if row.limit > 0]
    while going:
        groups = group_prefixes(
            going,
            _CELLS if last_only and use is not None else max(1, _LOGITS // factored.vocabulary),
            padded=may_pad and use is not None and use.pads,
            lengths=factored.lengths,
            **({} if factored.padding == "right" else {"most": 1}),
        )
        going = [row for group in groups for row in decoding.go_on(group, use)]


class _Decoding:
    """One way to continue groups of rows."""

    def __init__(self, factored: FactoredModel, end_id: int | None, choose: Choosing, extra: dict[str, int]) -> None:
        self._factored = factored
        self._end_id = end_id
        self._choose = choose
        self._extra = extra

    def go_on(self, rows: list[Prefix], use: CacheUse | None) -> list[Prefix]:
        """Continue rows as far as they can go together.

        Returns:
            Those that are not finished, and must be read again.
        """
        return self._say_one(rows) if use is None else self._say_many(rows, use)

    def _say_one(self, rows: list[Prefix]) -> list[Prefix]:
        ids_BL = torch.tensor([row.ids for row in rows], device=self._factored.model.device)
        said_B = self._choose(self._factored.full_logits(ids_BL)[:, -1], rows)
        return [rows[place] for place in say_next(rows, said_B, self._end_id)]

    def _say_many(self, rows: list[Prefix], use: CacheUse) -> list[Prefix]:
        model: Any = self._factored.model
        last, left = self._factored.lengths.last(max(row.length for row in rows)), []
        ids_BL, mask_BL = left_padded([row.ids for row in rows], model.device)
        self._factored.forget()
        cache: Any = None
        while rows:
            logits_BV, cache = read_on(model, ids_BL, mask_BL, cache, **self._extra)
            said_B = self._choose(logits_BV, rows)
            going = say_next(rows, said_B, self._end_id)
            if last is not None:
                left += [rows[place] for place in going if rows[place].length > last]
                going = [place for place in going if rows[place].length <= last]
            if len(going) < len(rows):
                kept = torch.tensor(going, dtype=torch.long, device=model.device)
                rows = [rows[place] for place in going]
                said_B, mask_BL = said_B[kept], mask_BL[kept]
                if rows:
                    use.keep(cache, kept)
            ids_BL = said_B[:, None]
            mask_BL = torch.cat([mask_BL, mask_BL.new_ones(len(rows), 1)], dim=1)
        return left
