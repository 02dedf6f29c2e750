"""Nearest neighbours by cosine, Euclidean distance and dot product, and where the three disagree.

On vectors of one length the three give one order; they disagree as far as lengths differ. The dot product prefers long
vectors, the Euclidean distance those about as long as the query.

Shapes: V vectors, D width, R queries, C neighbours per query.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

MEASURES = ("cosine", "Euclidean distance", "dot product")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNeighbours:
    """The nearest neighbours of one token, by each measure."""

    token: str
    length: float
    """Euclidean norm of its vector."""

    nearest: dict[str, tuple[tuple[str, float], ...]]
    """(token, value of the measure), the nearest first."""

    only: dict[str, tuple[str, ...]]
    """By measure: the neighbours that it alone names."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureAgreement:
    """How far two measures name the same neighbours, over many tokens."""

    first: str
    second: str
    shared: float
    """Mean share of the neighbours that both name, 0 to 1."""

    same_first: float
    """Share of tokens with the same nearest neighbour."""


def nearest_neighbours(
    vectors_VD: Vectors, names: Sequence[str], rows: Sequence[int], *, count: int = 8
) -> list[TokenNeighbours]:
    """Find the nearest neighbours of some vectors, without the vector itself.

    Args:
        vectors_VD: all vectors.
        names: the name of each.
        rows: the queries, as rows of the vectors.
        count: number of neighbours per query.

    Raises:
        UsageError: there are not that many other vectors.
    """
    orders = _orders(vectors_VD, rows, count)
    lengths = np.linalg.norm(vectors_VD, axis=1)
    found = []
    for place, row in enumerate(rows):
        nearest = {
            measure: tuple(
                (names[other], float(value)) for other, value in zip(others[place], values[place], strict=True)
            )
            for measure, (others, values) in orders.items()
        }
        named = {measure: set(others[place].tolist()) for measure, (others, _) in orders.items()}
        only = {
            measure: tuple(
                names[other]
                for other in orders[measure][0][place].tolist()
                if not any(other in named[rival] for rival in MEASURES if rival != measure)
            )
            for measure in MEASURES
        }
        found.append(TokenNeighbours(token=names[row], length=float(lengths[row]), nearest=nearest, only=only))
    return found


def measure_agreement(
    vectors_VD: Vectors, *, count: int = 8, sample: int = 1000, seed: int = 0
) -> list[MeasureAgreement]:
    """Compare the measures over a sample of queries.

    Args:
        vectors_VD: all vectors.
        count: number of neighbours per query.
        sample: maximum number of queries.
        seed: draws the queries.
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(len(vectors_VD))[:sample]
    orders = {measure: others for measure, (others, _) in _orders(vectors_VD, rows, count).items()}
    found = []
    for first, second in combinations(MEASURES, 2):
        shared = [np.isin(one, other).mean() for one, other in zip(orders[first], orders[second], strict=True)]
        same = (orders[first][:, 0] == orders[second][:, 0]).mean()
        found.append(
            MeasureAgreement(first=first, second=second, shared=float(np.mean(shared)), same_first=float(same))
        )
    return found


def _orders(
    vectors_VD: Vectors, rows: Sequence[int] | npt.NDArray[np.int64], count: int
) -> dict[str, tuple[npt.NDArray[np.int64], Vectors]]:
    """By measure: the nearest rows (R × C) and their values."""
    if not 1 <= count < len(vectors_VD):
        raise UsageError(f"{len(vectors_VD)} vectors have 1 to {len(vectors_VD) - 1} neighbours each, not {count}")
    query_R = np.asarray(rows)
    dots_RV = vectors_VD[query_R] @ vectors_VD.T
    squares_V = np.einsum("vd,vd->v", vectors_VD, vectors_VD)
    lengths_V = np.sqrt(np.maximum(squares_V, 1e-30))
    # Rounding may leave a square slightly below 0.
    distances_RV = np.sqrt(np.maximum(squares_V[query_R, None] + squares_V - 2 * dots_RV, 0))
    values = {
        "cosine": dots_RV / (lengths_V[query_R, None] * lengths_V),
        "Euclidean distance": distances_RV,
        "dot product": dots_RV,
    }
    found = {}
    for measure, values_RV in values.items():
        costs_RV = values_RV.copy() if measure == "Euclidean distance" else -values_RV
        # A vector is not its own neighbour; by dot product it need not be the nearest either.
        costs_RV[np.arange(len(query_R)), query_R] = np.inf
        nearest_RC = np.argpartition(costs_RV, count - 1, axis=1)[:, :count]
        order_RC = np.argsort(np.take_along_axis(costs_RV, nearest_RC, axis=1), axis=1, kind="stable")
        nearest_RC = np.take_along_axis(nearest_RC, order_RC, axis=1)
        found[measure] = (nearest_RC, np.take_along_axis(values_RV, nearest_RC, axis=1))
    return found
