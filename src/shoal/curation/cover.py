"""A subset that covers a corpus: documents chosen by their vectors, and how far the others are from them.

Two greedy choices. *Farthest first* (k-center: Gonzalez 1985, Theoretical Computer Science 38:293-306) takes the
document that is farthest from all chosen ones; its cover radius is at most twice the best. *Facility location* takes
the document that most raises the sum over all documents of the similarity to the nearest chosen one; the sum is at
least 1 - 1/e of the best (Nemhauser, Wolsey and Fisher 1978, Mathematical Programming 14:265-294). The first minds
outliers, the second where most documents are. Cost: O(N k D) and O(N² D).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CoverMethod = Literal["farthest", "facility"]

_MAX_FACILITIES = 20_000
"""Documents of facility location, whose similarities are a square of this side (1.6 GB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Chosen documents, and how well they cover all."""

    places: tuple[int, ...]
    """Of the chosen documents, in the order in which they were chosen."""

    method: str
    radius: float
    """The largest distance of a document to the nearest chosen one."""

    mean_distance: float
    """The mean of these distances."""

    random_radius: float
    random_mean_distance: float
    """The same for as many documents that were chosen at random (the mean of `RANDOM_DRAWS` draws)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "method": self.method,
            "count": len(self.places),
            "radius": self.radius,
            "mean_distance": self.mean_distance,
            "random_radius": self.random_radius,
            "random_mean_distance": self.random_mean_distance,
            "places": list(self.places),
        }

    def __str__(self) -> str:
        """The distances, and those of a random choice."""
        return (
            f"{len(self.places):,} documents by {self.method}: cover radius {self.radius:.4g} (at random "
            f"{self.random_radius:.4g}), mean distance {self.mean_distance:.4g} (at random "
            f"{self.random_mean_distance:.4g})"
        )


# The radius of a single random choice varies by a tenth and more.
RANDOM_DRAWS = 20


def find_cover(
    vectors_ND: NDArray[np.floating], count: int, *, method: CoverMethod = "farthest", seed: int = 0
) -> Cover:
    """Choose documents that cover all.

    Args:
        vectors_ND: one row per document; distances are Euclidean.
        count: how many to choose.
        method: ``farthest`` or ``facility``.
        seed: of the first document of ``farthest``, and of the random choices to compare with.

    Raises:
        UnknownNameError: there is no such method.
        UsageError: more are wanted than there are, or there are too many documents for facility location.
    """
    vectors = np.asarray(vectors_ND, dtype=np.float64)
    if not 0 < count <= len(vectors):
        raise UsageError(f"{count} of {len(vectors)} documents cannot be chosen; give 1 to {len(vectors)}")
    if method not in ("farthest", "facility"):
        raise UnknownNameError("method of cover", method, ("farthest", "facility"))
    places = farthest_first(vectors, count, seed=seed) if method == "farthest" else _facilities(vectors, count)
    distances = _nearest(vectors, vectors[places])
    random = np.random.default_rng(seed)
    drawn = [_nearest(vectors, vectors[random.choice(len(vectors), count, replace=False)]) for _ in range(RANDOM_DRAWS)]
    return Cover(
        places=tuple(places),
        method=method,
        radius=float(distances.max()),
        mean_distance=float(distances.mean()),
        random_radius=float(np.mean([one.max() for one in drawn])),
        random_mean_distance=float(np.mean([one.mean() for one in drawn])),
    )


def farthest_first(
    vectors_ND: NDArray[np.floating],
    count: int,
    *,
    start: NDArray[np.floating] | None = None,
    weights_N: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> list[int]:
    """Places of documents, each the farthest from those before it.

    Args:
        vectors_ND: one row per document.
        count: how many to choose.
        start: vectors that count as chosen already; None begins with a random document.
        weights_N: factors on the distances, such as how much is learned from each document; None takes 1.
        seed: of that document.
    """
    vectors = np.asarray(vectors_ND, dtype=np.float64)
    if start is not None and len(start):
        distances = _nearest(vectors, np.asarray(start, dtype=np.float64))
        places: list[int] = []
    else:
        places = [int(np.random.default_rng(seed).integers(len(vectors)))]
        distances = _distances(vectors, vectors[places[0]])
    while len(places) < count:
        gains = distances.copy() if weights_N is None else distances * weights_N
        # Below all others, weighted or not: equal documents are chosen only when no other is left, and none twice.
        gains[places] = -1.0
        place = int(gains.argmax())
        places.append(place)
        distances = np.minimum(distances, _distances(vectors, vectors[place]))
    return places


def _facilities(vectors: NDArray[np.float64], count: int) -> list[int]:
    """Greedy facility location with similarities 1 / (1 + distance)."""
    if len(vectors) > _MAX_FACILITIES:
        raise UsageError(
            f"facility location of {len(vectors):,} documents needs too much memory; "
            f"give at most {_MAX_FACILITIES:,}, or the method farthest"
        )
    # Any falling function of the distance has the guarantee; this one is bounded, so that far outliers do not decide.
    similar_NN = 1 / (1 + np.stack([_distances(vectors, vector) for vector in vectors])).astype(np.float32)
    best_N = np.zeros(len(vectors), dtype=np.float32)
    places: list[int] = []
    for _ in range(count):
        gains_N = np.maximum(similar_NN, best_N).sum(axis=1)
        gains_N[places] = -1.0
        places.append(int(gains_N.argmax()))
        best_N = np.maximum(best_N, similar_NN[places[-1]])
    return places


def _distances(vectors: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.sqrt(((vectors - vector) ** 2).sum(axis=1))
    return found


def _nearest(vectors: NDArray[np.float64], chosen: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance of each vector to the nearest chosen one."""
    found = np.full(len(vectors), np.inf)
    for vector in chosen:
        found = np.minimum(found, _distances(vectors, vector))
    return found
