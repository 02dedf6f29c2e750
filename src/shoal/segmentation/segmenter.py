"""`segment`: from a text to its segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.segmentation.channels import find_channel
from shoal.segmentation.features import check_features
from shoal.segmentation.reading import read_whole
from shoal.segmentation.result import Segmentation
from shoal.segmentation.sentences import as_sentences
from shoal.segmentation.stretches import WHOLE, count_cuts, read_stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.features import Channel


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
    if len(sentences) <= WHOLE:
        reading = read_whole(features, min_length, count)
        cuts = reading.cuts
    else:
        reading = read_stretches(features, min_length)
        cuts = reading.cuts if count is None else count_cuts(reading, count, min_length)
    return Segmentation(
        sentences=sentences,
        cuts=cuts,
        penalty=reading.penalty if count is None else 0.0,
        channel=reader.name,
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
