"""Which items go through the model together: rows of items that share beginnings, and blocks of rows.

Items are sorted by their token ids, so that those that begin alike stand next to each other whatever order they came
in. A row holds items until its tree has so many nodes; rows of similar size make a block. A block is what is computed
at once, and its numbers depend on it alone: a run that is resumed or split over machines gives the same bytes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.evaluation.prefix_trees import TokenRequest, common_prefix, shared_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROW_NODES = 64
"""Nodes of a row: attention costs the square of it, and padding is at most a part of a row."""

_MAX_ROW_NODES = 384
"""Nodes of a row whose items share most of their tokens."""

MIN_HEADER = 16
"""Ids that all items of a task must begin with to be read as a prefix of their own: below, a tree does as well."""

GENERATION_CELLS = 2**16
"""Cells of the cache of prompts that are continued together, which bounds its memory."""

_MAX_GENERATIONS = 32
"""Prompts that are continued together."""


@dataclass(frozen=True, slots=True)
class PackedBlock:
    """Items that go through the model together: the ids of each row."""

    rows: tuple[tuple[str, ...], ...]


def find_header(requests: Mapping[str, Sequence[TokenRequest]]) -> int:
    """How many ids all items of a task begin with, if they are enough to be read once.

    Args:
        requests: of each item; at least one.
    """
    shared = common_prefix([request for each in requests.values() for request in each])
    return shared if shared >= MIN_HEADER else 0


def pack_requests(requests: Mapping[str, Sequence[TokenRequest]], header: int, token_budget: int) -> list[PackedBlock]:
    """Blocks of items whose texts are scored.

    Args:
        requests: of each item, by its id.
        header: ids that all begin with, which count for nothing.
        token_budget: nodes of a block, padding included; a longer row goes alone.
    """
    first = {item: min(request.ids for request in each) for item, each in requests.items()}
    order = sorted(requests, key=lambda item: (first[item], item))
    rows: list[tuple[int, list[str]]] = []
    previous: tuple[int, ...] | None = None
    for item in order:
        size = _tree_size(requests[item], header)
        saved = max(0, shared_length(previous, first[item]) - header) if previous is not None else 0
        together = rows[-1][0] + size - saved if rows else 0
        # A long request that shares half of its tokens, as the answers to one question do, joins a row all the same.
        if rows and (together <= ROW_NODES or (2 * saved >= size and together <= _MAX_ROW_NODES)):
            rows[-1] = (together, [*rows[-1][1], item])
        else:
            rows.append((size, [item]))
        previous = first[item]
    # Longest first: a block's first row decides its padding, and a run out of memory ends at once.
    rows.sort(key=lambda row: -row[0])
    blocks: list[list[list[str]]] = []
    longest = 0
    for size, items in rows:
        if blocks and (len(blocks[-1]) + 1) * longest <= token_budget:
            blocks[-1].append(items)
        else:
            blocks.append([items])
            longest = max(size, 1)
    return [PackedBlock(tuple(tuple(row) for row in block)) for block in blocks]


def _tree_size(requests: Sequence[TokenRequest], header: int) -> int:
    """The nodes of an item by itself: those of its first request, and of each further one what it does not share."""
    ordered = sorted(request.ids for request in requests)
    size = len(ordered[0]) - 1 - header
    for before, after in itertools.pairwise(ordered):
        size += max(0, len(after) - 1 - max(header, shared_length(before, after)))
    return size


def pack_prompts(prompts: Mapping[str, TokenRequest], room: int, token_budget: int) -> list[PackedBlock]:
    """Blocks of items that are answered by generated text: prompts of similar length.

    Args:
        prompts: of each item, by its id.
        room: tokens that each generates at most.
        token_budget: cells of the cache of a block.
    """
    order = sorted(prompts, key=lambda item: (-len(prompts[item].ids), prompts[item].ids, item))
    blocks: list[list[str]] = []
    longest = 0
    for item in order:
        full = bool(blocks) and (
            len(blocks[-1]) == _MAX_GENERATIONS or (len(blocks[-1]) + 1) * (longest + room) > token_budget
        )
        if not blocks or full:
            blocks.append([item])
            longest = len(prompts[item].ids)
        else:
            blocks[-1].append(item)
    return [PackedBlock((tuple(block),)) for block in blocks]
