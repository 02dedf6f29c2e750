"""Words in a plane, with how far the plane can be trusted and the neighbours that it shows and hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError
from shoal.insight.vectors.geometry import Projection, project
from shoal.text.vectors import find_word, nearest_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas

    from shoal.text.vectors import WordVectors

_NAMES = {"pca": "PCA", "tsne": "t-SNE"}
_NEAREST = 5
_MIN_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WordMap:
    """Words in a plane."""

    words: tuple[str, ...]
    groups: tuple[str, ...]
    """Of each word the one that it was drawn in as a neighbour of, or itself; empty where words were not chosen so."""

    projection: Projection
    """Of the vectors at length 1, so that near is near by cosine."""

    seed: int
    near_in_space: tuple[tuple[str, ...], ...]
    """The nearest of each word by cosine, among the words of the map."""

    near_in_plane: tuple[tuple[str, ...], ...]

    @property
    def method(self) -> str:
        """The method as it is written."""
        return _NAMES[self.projection.method]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "method": self.projection.method,
            "seed": self.seed,
            "trustworthiness": self.projection.trustworthiness,
            "neighbours_preserved": self.projection.neighbours_preserved,
            "explained_variance": self.projection.explained_variance,
            "words": self.to_frame().to_dict("records"),
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per word: its group, its place, and its nearest words in the space and in the plane."""
        import pandas

        places = self.projection.points_N2.tolist()
        rows = [
            {
                "word": word,
                "group": self.groups[place] if self.groups else None,
                "x": places[place][0],
                "y": places[place][1],
                "near_in_space": self.near_in_space[place],
                "near_in_plane": self.near_in_plane[place],
            }
            for place, word in enumerate(self.words)
        ]
        return pandas.DataFrame(rows)

    def __str__(self) -> str:
        """How the map was made, how far it can be trusted, and the neighbours of the first words."""
        found = self.projection
        seed = f", seed {self.seed}" if found.method == "tsne" else ""
        variance = "" if found.explained_variance is None else f"; {found.explained_variance:.0%} of the variance"
        trust = (
            f"trustworthiness {found.trustworthiness:.3f}, {found.neighbours_preserved:.0%} of the five nearest stay "
            f"nearest{variance}"
        )
        lines = [
            f"{len(self.words)} words by {self.method}{seed}: {trust}",
            f"  {'word':16}  {'nearest by cosine':44}  nearest in the plane",
        ]
        lines += [
            f"  {word:16}  {' '.join(space):44}  {' '.join(plane)}"
            for word, space, plane in zip(self.words[:20], self.near_in_space, self.near_in_plane, strict=False)
        ]
        return "\n".join(lines)


def map_words(
    vectors: WordVectors, words: Sequence[str], *, neighbours: int = 0, method: str = "pca", seed: int = 0
) -> WordMap:
    """Draw words in a plane.

    Args:
        vectors: the words with their vectors.
        words: at least three, or at least one with neighbours; those of each word follow it.
        neighbours: nearest words of each word that are drawn too, each once.
        method: ``pca`` or ``tsne``.
        seed: of t-SNE.

    Raises:
        UsageError: a word has no vector, or the words are fewer than three.
        UnknownNameError, MissingExtraError: see `project`.
    """
    groups: dict[str, str] = {}
    for word in words:
        own = vectors.words[find_word(vectors, word)]
        groups[own] = own
    for own in list(groups) if neighbours else ():
        for other, _ in nearest_words(vectors, own, count=neighbours).nearest:
            groups.setdefault(other, own)
    if len(groups) < _MIN_WORDS:
        raise UsageError(f"a map of {len(groups)} words shows nothing; give at least {_MIN_WORDS}, or --neighbours 20")
    chosen = list(groups)
    unit_ND = vectors.unit()[[vectors.places[word] for word in chosen]]
    projection = project(unit_ND, method, seed=seed)
    return WordMap(
        words=tuple(chosen),
        groups=tuple(groups[word] for word in chosen) if neighbours else (),
        projection=projection,
        seed=seed,
        # Distances are differences of nearly equal squares, whose last digits decide among close neighbours.
        near_in_space=_near(chosen, unit_ND.astype(np.float64)),
        near_in_plane=_near(chosen, projection.points_N2),
    )


def _near(words: Sequence[str], points: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """The nearest others of each word."""
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    count = min(_NEAREST, len(words) - 1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return tuple(tuple(words[place] for place in row) for row in order.tolist())
