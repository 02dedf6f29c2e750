"""Failures clustered by meaning: seeds whose vectors lie together, named by the words that set them apart.

The vectors are those of `shoal.curation.classifier` (hidden states of a causal language model, hashed words, word
vectors or a sentence encoder), less their mean, as hidden states share one direction that means nothing. Clusters are
those of average linkage by cosine; their number has the greatest mean silhouette (Rousseeuw 1987).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.text import LETTER_RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.curation.classifier import Vectorizer
    from shoal.statistics import CorrectedShare

# More than a person reads of in a report; seeds in the hundreds would otherwise split into pairs.
_MAX_CLUSTERS = 10
_MIN_TEXTS = 6
"""Texts from which on they are clustered; fewer are one cluster."""

_NAMED = 3
_WORD = re.compile(LETTER_RUN)
_SHORTEST = 3
"""Letters of a word that may name a cluster."""
_COMMON_WORDS = """
the and for are can could how what where who why when does did with from into that this they them their there
not you your was were will would should has have had get any some one best way ways good like use make
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCluster:
    """Failures that mean alike."""

    name: str
    """The words that set its seeds apart."""

    example: str
    """The seed in the middle."""

    seeds: int
    """Seeds of which a probe failed."""

    probes: int
    """Probes whose seed lies in the cluster, those that did not fail among them."""

    failures: int
    failed: CorrectedShare
    """The share of the probes that failed, corrected for the scorer's errors; seeds are clusters of the statistics."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TextClusters:
    """Texts in clusters, and where any other text belongs."""

    numbers: tuple[int, ...]
    """The cluster of each text."""

    names: tuple[str, ...]
    """Of the clusters."""

    middles: tuple[int, ...]
    """The place of the text in the middle of each."""

    centres_KD: NDArray[np.float64]
    mean_D: NDArray[np.float64]

    def nearest(self, vectors_ND: NDArray[Any]) -> list[int]:
        """The cluster whose centre is nearest to each vector.

        Args:
            vectors_ND: of the same vectorizer.
        """
        return [int(place) for place in (_unit(vectors_ND - self.mean_D) @ self.centres_KD.T).argmax(axis=1)]


def cluster_texts(texts: Sequence[str], vectorizer: Vectorizer) -> TextClusters:
    """Cluster texts by meaning.

    Args:
        texts: different ones; at least one.
        vectorizer: gives their vectors.
    """
    vectors_ND = np.asarray(vectorizer.encode(texts), dtype=np.float64)
    # The mean of two or three vectors is mostly themselves, and without it they would point in opposite directions.
    mean_D = vectors_ND.mean(axis=0) if len(texts) >= _MIN_TEXTS else np.zeros(vectors_ND.shape[1])
    units_ND = _unit(vectors_ND - mean_D)
    numbers = _best_clusters(units_ND)
    count = max(numbers) + 1
    centres_KD = _unit(np.stack([units_ND[np.array(numbers) == number].mean(axis=0) for number in range(count)]))
    near_NK = units_ND @ centres_KD.T
    middles = tuple(
        max((place for place, own in enumerate(numbers) if own == number), key=lambda place: near_NK[place, number])
        for number in range(count)
    )
    return TextClusters(tuple(numbers), tuple(_names(texts, numbers, count)), middles, centres_KD, mean_D)


def _best_clusters(units_ND: NDArray[np.float64]) -> list[int]:
    """The cluster of each text, by the number of clusters with the greatest silhouette."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    texts = len(units_ND)
    if texts < _MIN_TEXTS:
        return [0] * texts
    apart_NN = np.clip(1 - units_ND @ units_ND.T, 0, 2)
    # A text of which the vectorizer knows no word has the vector 0: it is like others of its kind, and like no other.
    empty_N = ~units_ND.any(axis=1)
    apart_NN[np.ix_(empty_N, empty_N)] = 0.0
    np.fill_diagonal(apart_NN, 0.0)
    best, best_score = [0] * texts, 0.0
    # Half as many clusters as texts at most: the silhouette of a single text is 0 by definition.
    for count in range(2, min(_MAX_CLUSTERS, texts // 2) + 1):
        found = AgglomerativeClustering(n_clusters=count, metric="precomputed", linkage="average").fit_predict(apart_NN)
        score = float(silhouette_score(apart_NN, found, metric="precomputed"))
        if score > best_score:
            best, best_score = [int(number) for number in found], score
    # In the order in which they come, so that equal clusters have equal numbers whatever the library counts.
    order = {number: place for place, number in enumerate(dict.fromkeys(best))}
    return [order[number] for number in best]


def _unit(vectors_ND: NDArray[Any]) -> NDArray[np.float64]:
    norms_N1 = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    found: NDArray[np.float64] = vectors_ND / np.where(norms_N1 == 0, 1, norms_N1)
    return found


def _names(texts: Sequence[str], numbers: Sequence[int], count: int) -> list[str]:
    """For each cluster the words that are more frequent in its texts than in all of them (TF-IDF over clusters)."""
    words = [{word for word in _WORD.findall(text.lower()) if len(word) >= _SHORTEST} - _COMMON for text in texts]
    overall = Counter(word for found in words for word in found)
    names = []
    for number in range(count):
        own = Counter(word for found, mine in zip(words, numbers, strict=True) if mine == number for word in found)
        weights = {word: times * math.log1p(len(texts) / overall[word]) for word, times in own.items()}
        best = sorted(weights, key=lambda word: (-weights[word], word))[:_NAMED]
        names.append(", ".join(best) or f"cluster {number + 1}")
    return names


def failure_clusters(
    failed: Mapping[str, int],
    probed: Mapping[str, Sequence[bool]],
    vectorizer: Vectorizer,
    share: Callable[[Sequence[bool], Sequence[str]], CorrectedShare],
) -> tuple[tuple[ProbeCluster, ...], dict[str, str]]:
    """Clusters of the seeds that failed, with the rate of failures among all probes whose seed lies in them.

    Args:
        failed: failing probes by seed; seeds without one are left out.
        probed: whether each probe of a seed failed, for all seeds.
        vectorizer: gives the vectors of seeds.
        share: from truth values and their seeds to a `CorrectedShare` of failures.

    Returns:
        The clusters, the one with the most failures first, and the name of the cluster of each seed that failed.
    """
    texts = list(failed)
    if not texts:
        return (), {}
    clusters = cluster_texts(texts, vectorizer)
    others = [seed for seed in probed if seed not in failed]
    places = dict(zip(texts, clusters.numbers, strict=True))
    if others:
        # Seeds that did not fail shape no cluster, but are part of its denominator.
        places |= dict(zip(others, clusters.nearest(np.asarray(vectorizer.encode(others))), strict=True))
    found = []
    for number, name in enumerate(clusters.names):
        seeds = [seed for seed in probed if places[seed] == number]
        values = [(value, seed) for seed in seeds for value in probed[seed]]
        found.append(
            ProbeCluster(
                name=name,
                example=texts[clusters.middles[number]],
                seeds=sum(seed in failed for seed in seeds),
                probes=len(values),
                failures=sum(value for value, _ in values),
                failed=share([value for value, _ in values], [seed for _, seed in values]),
            )
        )
    of_seed = {seed: clusters.names[places[seed]] for seed in texts}
    return tuple(sorted(found, key=lambda cluster: -cluster.failures)), of_seed
