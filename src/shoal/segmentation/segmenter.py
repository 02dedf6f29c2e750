"""`segment`: from a text to its segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.segmentation.agreement import agreement_scores
from shoal.segmentation.channels import find_channel
from shoal.segmentation.confidence import places_around
from shoal.segmentation.evidence import segment_scores
from shoal.segmentation.features import check_features
from shoal.segmentation.partition import best_partition, partition_path
from shoal.segmentation.penalty import average_priors
from shoal.segmentation.placing import placed_cuts
from shoal.segmentation.result import Cut, Segmentation
from shoal.segmentation.sentences import as_sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.features import Channel
    from shoal.segmentation.penalty import Choice


def segment(
    text: str | Sequence[str],
    *,
    channel: str | Channel = "words",
    count: int | None = None,
    min_length: int = 2,
) -> Segmentation:
    """Cut a text where the distribution of what a channel reads in it changes.

    Args:
        text: running text, which is split into sentences, or the sentences.
        channel: ``"words"``, or how the sentences are to be read.
        count: the number of segments; None chooses it.
        min_length: sentences that a segment has at least; a shorter text is one segment.

    Raises:
        UsageError: the count or the least length cannot be had from so many sentences (UnknownNameError: no channel
            has the name).
        DataError: the text is empty or binary, or the channel cannot read it.
    """
    sentences = as_sentences(text)
    reader = find_channel(channel) if isinstance(channel, str) else channel
    _check_lengths(len(sentences), count, min_length)
    features = reader.features(sentences)
    check_features(features, len(sentences), reader.name)
    choice = average_priors(segment_scores(features), min_length)
    agreement = agreement_scores(choice.same_NN, choice.boundaries_N, min_length)
    places = best_partition(agreement) if count is None else partition_path(agreement, count)[-1][1]
    cuts = _cuts(choice, places)
    if features.placing is not None:
        cuts = placed_cuts(choice, places, features.placing, min_length)
    return Segmentation(
        sentences=sentences,
        cuts=cuts,
        penalty=choice.penalty if count is None else 0.0,
        channel=reader.name,
    )


def _cuts(choice: Choice, places: list[int]) -> tuple[Cut, ...]:
    edges = [0, *places, len(choice.same_NN)]
    around = places_around(choice.boundaries_N, places)
    return tuple(
        Cut(
            place=place,
            confidence=float(choice.boundaries_N[place]),
            low=low,
            high=high,
            gain=float(choice.scores[before, place] + choice.scores[place, after] - choice.scores[before, after]),
        )
        for before, place, after, (low, high) in zip(edges, places, edges[2:], around, strict=False)
    )


def _check_lengths(sentences: int, count: int | None, min_length: int) -> None:
    if min_length < 1:
        raise UsageError(f"min_length is {min_length}; expected at least 1 sentence")
    if count is None:
        return
    most = max(1, sentences // min_length)
    if not 1 <= count <= most:
        raise UsageError(
            f"{count} segments cannot be cut from {sentences} sentences with at least {min_length} each; "
            f"give a count from 1 to {most}"
        )
