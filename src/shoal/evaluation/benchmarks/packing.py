"""Which items go through the model together.

Items are sorted by their token ids, so that those that begin alike stand next to each other whatever order they came
in; a block holds items until its tree has so many nodes. A block is what is computed at once, and its numbers depend on
it alone: a run that is resumed or split over machines gives the same bytes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from shoal.evaluation.prefix_trees import TokenRequest, common_prefix, shared_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIN_HEADER = 16
"""Ids that all items of a task must begin with to be read as a prefix of their own: below, a tree does as well."""

GENERATION_CELLS = 2**16
"""Cells of the cache of prompts that are continued together, which bounds its memory."""

_MAX_GENERATIONS = 32
"""Prompts that are continued together."""


def find_header(requests: Mapping[str, Sequence[TokenRequest]]) -> int:
    """How many ids all items of a task begin with, if they are enough to be read once.

    Args:
        requests: of each item; at least one.
    """
    shared = common_prefix([request for each in requests.values() for request in each])
    return shared if shared >= MIN_HEADER else 0


def pack_requests(
    requests: Mapping[str, Sequence[TokenRequest]], header: int, token_budget: int
) -> list[tuple[str, ...]]:
    """Blocks of items whose texts are scored.

    Args:
        requests: of each item, by its id.
        header: ids that all begin with, which count for nothing.
        token_budget: nodes of a block's tree; an item with more goes alone.
    """
    first = {item: min(request.ids for request in each) for item, each in requests.items()}
    blocks: list[list[str]] = []
    nodes: list[int] = []
    for item in sorted(requests, key=lambda item: (first[item], item)):
        size = _tree_size(requests[item], header)
        saved = max(0, shared_length(first[blocks[-1][-1]], first[item]) - header) if blocks else 0
        if blocks and nodes[-1] + size - saved <= token_budget:
            blocks[-1].append(item)
            nodes[-1] += size - saved
        else:
            blocks.append([item])
            nodes.append(size)
    # Largest first, so that a run out of memory ends at once.
    order = sorted(range(len(blocks)), key=lambda place: (-nodes[place], place))
    return [tuple(blocks[place]) for place in order]


def _tree_size(requests: Sequence[TokenRequest], header: int) -> int:
    """The nodes of an item by itself: those of its first request, and of each further one what it does not share."""
    ordered = sorted(request.ids for request in requests)
    size = len(ordered[0]) - 1 - header
    for before, after in itertools.pairwise(ordered):
        size += max(0, len(after) - 1 - max(header, shared_length(before, after)))
    return size


def pack_prompts(prompts: Mapping[str, TokenRequest], room: int, token_budget: int) -> list[tuple[str, ...]]:
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
    return [tuple(block) for block in blocks]
