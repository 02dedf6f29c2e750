"""What each place of a batch sees, as an attention layer would: its visible keys in the order of their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.models.dummies.context_tree import LOST, ROOT

if TYPE_CHECKING:
    from torch import Tensor


def context_nodes(
    children: dict[tuple[int, int], int],
    ids_BK: Tensor,
    positions_BK: Tensor,
    visible_BQK: Tensor,
    offset: int,
    *,
    absolute: bool,
) -> list[list[int]]:
    """The node of the tree of contexts that each query stands at.

    A context counts only where the positions of its keys follow each other without a gap; with ``absolute`` they must
    start at 0 as well, as for learned position embeddings. Anything else is ``LOST``: padding that is seen, a token
    that is masked, a query that does not see itself.

    Args:
        children: the tree, (node, token id) to node.
        ids_BK: the token ids that serve as keys, those in the cache included.
        positions_BK: their position ids.
        visible_BQK: what each query may attend to.
        offset: the number of keys before the first query.
        absolute: whether positions must start at 0.
    """
    queries = visible_BQK.shape[1]
    # From one query to the next, usually nothing changes but that it sees itself; then the context grows by a step.
    changed_BQK = visible_BQK[:, 1:] ^ visible_BQK[:, :-1]
    changes_BQ = changed_BQK.sum(-1).tolist()
    own_BQ = visible_BQK[:, :, offset : offset + queries].diagonal(dim1=1, dim2=2).tolist()
    own_changed_BQ = changed_BQK[:, :, offset + 1 : offset + queries].diagonal(dim1=1, dim2=2).tolist()
    rows = []
    for row, (ids, positions) in enumerate(zip(ids_BK.tolist(), positions_BK.tolist(), strict=True)):
        nodes: list[int] = []
        node, last = LOST, -1
        for query in range(queries):
            own = offset + query
            changes = changes_BQ[row][query - 1] if query else -1
            if changes == 1 and own_changed_BQ[row][query - 1] and own_BQ[row][query] and last >= 0:
                node = children.get((node, ids[own]), LOST) if positions[own] == last + 1 else LOST
                last = positions[own]
            elif changes != 0:
                keys = visible_BQK[row, query].nonzero()[:, 0].tolist()
                node, last = _walk(children, keys, ids, positions, absolute=absolute)
            nodes.append(node if own_BQ[row][query] and positions[own] == last else LOST)
        rows.append(nodes)
    return rows


def _walk(
    children: dict[tuple[int, int], int], keys: list[int], ids: list[int], positions: list[int], *, absolute: bool
) -> tuple[int, int]:
    """The node that the visible keys lead to, and the last position; -1 where nothing is visible."""
    if not keys:
        return LOST, -1
    keys = sorted(keys, key=positions.__getitem__)
    first, last = positions[keys[0]], positions[keys[-1]]
    if (absolute and first != 0) or [positions[key] for key in keys] != list(range(first, last + 1)):
        return LOST, last
    node = ROOT
    for key in keys:
        node = children.get((node, ids[key]), LOST)
    return node, last
