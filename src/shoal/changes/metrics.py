"""How near found places are to the true ones.

The two measures of van den Burg and Williams, "An evaluation of change point detection algorithms" (2020), section 4,
for one or several annotators, and the mean error of places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def f1_with_margin(true: Sequence[Sequence[int]], found: Iterable[int], *, margin: int = 5) -> float:
    """The F1 score of places that count as found within a margin; the start 0 is a trivial place of everyone.

    Precision is the share of found places that some annotator has; recall is the mean over annotators of the share of
    their places that was found. A found place serves one true place only.

    Args:
        true: the places of each annotator; write ``[places]`` where there is one truth.
        found: the found places.
        margin: how far apart two places may lie and still be the same.

    Raises:
        UsageError: there is no list of places for each annotator, or the margin is negative.
    """
    _check_annotators("f1_with_margin", true)
    if margin < 0:
        raise UsageError(f"margin is a number of steps from 0; got {margin!r}")
    # With the trivial place in both, no set is empty, and precision and recall are above 0.
    answers = {0, *found}
    annotators = [{0, *places} for places in true]
    precision = _hits(set().union(*annotators), answers, margin) / len(answers)
    recall = sum(_hits(places, answers, margin) / len(places) for places in annotators) / len(annotators)
    return 2.0 * precision * recall / (precision + recall)


def covering(true: Sequence[Sequence[int]], found: Iterable[int], *, length: int) -> float:
    """How well found pieces cover true ones: the mean, weighted by length, of the best Jaccard index of each.

    Args:
        true: the places of each annotator; the result is the mean over them.
        found: the found places.
        length: the number of steps of the stream.

    Raises:
        UsageError: there is no list of places for each annotator, the stream has no step, or a place lies outside it.
    """
    _check_annotators("covering", true)
    if length < 1:
        raise UsageError(f"length is the number of steps of the stream, from 1; got {length!r}")
    answers = _pieces(found, length)
    return sum(_covered(_pieces(places, length), answers) for places in true) / len(true) / length


def mean_error(true: Sequence[int], found: Sequence[int]) -> float:
    """The mean distance from each true place to the nearest found one, in steps; infinite where none was found.

    Args:
        true: the true places.
        found: the found places.
    """
    if not true:
        return 0.0
    if not found:
        return float("inf")
    return sum(min(abs(place - other) for other in found) for place in true) / len(true)


def _check_annotators(name: str, true: Sequence[Sequence[int]]) -> None:
    """Refuse no annotator at all, and the places of one truth that are not in a list of their own."""
    if not true:
        raise UsageError(f"{name} needs the places of at least one annotator; give [places] for one truth")
    if not all(hasattr(places, "__iter__") for places in true):
        raise UsageError(f"{name} needs a list of places for each annotator; give [places] for one truth; got {true!r}")


def _hits(true: set[int], found: set[int], margin: int) -> int:
    """How many true places have a found one within the margin, each found one being used once."""
    free, hits = set(found), 0
    for place in sorted(true):
        near = min(free, key=lambda other: (abs(other - place), other), default=None)
        if near is not None and abs(near - place) <= margin:
            free.remove(near)
            hits += 1
    return hits


def _pieces(places: Iterable[int], length: int) -> list[tuple[int, int]]:
    """The pieces [start, stop) between places."""
    inner = sorted(set(places) - {0, length})
    if inner and (inner[0] < 0 or inner[-1] > length):
        raise UsageError(f"places must lie from 0 to {length}, the length of the stream; got {inner[0]} to {inner[-1]}")
    return list(zip([0, *inner], [*inner, length], strict=True))


def _covered(true: list[tuple[int, int]], found: list[tuple[int, int]]) -> float:
    """The sum over true pieces of their length times the best Jaccard index."""
    return sum((stop - start) * max(_jaccard((start, stop), other) for other in found) for start, stop in true)


def _jaccard(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)
