"""Token rows packed as a tree, so that what several of them begin with is stored, and computed, once.

Requests are put into the tree in lexicographic order of their ids, so that its nodes come in the order of a walk, and
what each adds to it is a run of places. The last id of a request is predicted and never read: it is no node, unless
another request continues behind it. What is scored of a request are edges: from the node that predicts to the id that
is predicted. Requests that are equal, and beginnings that are equal, share nodes and edges, whatever item they belong
to.

Cost: a sort of the requests, and work on tokens by slices of lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.models.fast import TreeRun

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A text as ids, of which those from ``boundary`` on are to be scored given those before."""

    ids: tuple[int, ...]
    boundary: int
    """At least 1: something must stand before what is scored."""

    @property
    def target(self) -> tuple[int, ...]:
        """What is scored."""
        return self.ids[self.boundary :]


@dataclass(slots=True)
class TokenTree:
    """Some requests as one tree behind a prefix that all share."""

    prefix: int
    """How many ids stand before the tree."""

    ids: list[int] = field(default_factory=list)
    """The id of each node, in the order of the walk."""

    depths: list[int] = field(default_factory=list)
    """The position of each node in its text, the prefix counted."""

    runs: list[TreeRun] = field(default_factory=list)
    """The nodes that each request added, with those that they follow."""

    paths: list[list[int]] = field(default_factory=list)
    """Of each request, in the order in which they were given: the nodes that predict its target, one per id."""


def build_tree(requests: Sequence[TokenRequest], prefix: int = 0) -> TokenTree:
    """The tree of some requests.

    Args:
        requests: each begins with the same ``prefix`` ids; at least one.
        prefix: fewer ids than any boundary.
    """
    tree = TokenTree(prefix=prefix, paths=[[] for _ in requests])
    branch: list[int] = []
    before: tuple[int, ...] = ()
    # In lexicographic order a request shares with the one before it all that it shares with any earlier one.
    for place in sorted(range(len(requests)), key=lambda place: requests[place].ids):
        ids, boundary = requests[place].ids, requests[place].boundary
        shared = max(0, min(shared_length(before, ids), len(before) - 1, len(ids) - 1) - prefix)
        first = len(tree.ids)
        added = ids[prefix + shared : -1]
        tree.ids += added
        tree.depths += range(prefix + shared, len(ids) - 1)
        if added:
            tree.runs.append(TreeRun(first, len(added), branch[:shared]))
        branch[shared:] = range(first, first + len(added))
        tree.paths[place] = branch[boundary - 1 - prefix : len(ids) - 1 - prefix]
        before = ids
    return tree


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences begin with in common.

    Args:
        one: ids.
        other: ids.
    """
    limit = min(len(one), len(other))
    if one[:limit] == other[:limit]:
        return limit
    low, high = 0, limit - 1
    # Halving compares slices, which is far faster than a loop over ids.
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_prefix(requests: Sequence[TokenRequest]) -> int:
    """How many ids all requests begin with that can be read before any of them is scored.

    Args:
        requests: at least one.
    """
    # In lexicographic order all lie between the first and the last, so that what these share all share.
    first, last = min(request.ids for request in requests), max(request.ids for request in requests)
    unread = min(request.boundary for request in requests) - 1
    return max(0, min(shared_length(first, last), unread))
