"""`segment`: from a text to its sentences, and from them to its segments.

The evidence of segments needs all pairs of a text's places, which is too much for a book. A text of more than
`MAX_WHOLE` sentences is therefore read in windows of six hundred sentences that begin two hundred apart; of each window
the middle counts, where a boundary has at least two hundred sentences on both sides to be judged by. Where segments
have more than two hundred sentences at least, windows are as much longer. Time: linear in the text, some five to ten
milliseconds per sentence.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError, UsageError
from shoal.progress import Progress, no_progress
from shoal.segmentation.channels import check_features, find_channel
from shoal.segmentation.decode import decode
from shoal.segmentation.posterior import average_over_priors, likely_evidence
from shoal.segmentation.result import Cut, Segmentation
from shoal.text import split_sentences
from shoal.textfiles import numbered_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.channels import Channel, Features

MAX_WHOLE = 800
"""Texts of up to this many sentences are read as a whole."""

_STEP = 200

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_MAX_CONTROL = 0.01
"""Share of characters: a text has hardly any, a binary file read as UTF-8 far more."""
_OVERLONG = 1000
"""Mean number of characters per sentence from which the ends of sentences were hardly found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The boundaries of a document, and the posterior that they rest on."""

    cuts: tuple[Cut, ...]

    boundaries_N: NDArray[np.float64]
    """The probability that a segment begins at each place from 0 to n."""

    penalty: float
    """The gain that a cut needs, in nats."""


def segment(
    text: str | Sequence[str],
    *,
    channel: str | Channel = "words",
    count: int | None = None,
    min_length: int = 2,
    progress: Progress = no_progress,
) -> Segmentation:
    """Cut a text where the distribution of a channel's features changes.

    Args:
        text: running text, which is split into sentences, or the sentences.
        channel: the name of a channel that needs no model, or a channel.
        count: the number of segments; None chooses it.
        min_length: minimum number of sentences per segment; a shorter text is one segment.
        progress: called with a description, the number of sentences done and their number: while a model reads, and
            while a text of more than `MAX_WHOLE` sentences is segmented.

    Raises:
        UsageError: the text is too short for the count and the minimum length, or the channel needs a model
            (UnknownNameError: no channel has the name).
        DataError: the text is empty or binary, or the channel cannot read it.
    """
    sentences = as_sentences(text)
    size = len(sentences)
    reader = find_channel(channel) if isinstance(channel, str) else channel
    _check_lengths(size, count, min_length)
    slow = bool(getattr(reader, "model", ""))  # without a model, reading takes no time
    if slow:
        progress("sentences read", 0, size)
    features = reader.features(sentences)
    check_features(features, size, reader.name)
    if slow:
        progress("sentences read", size, size)
    decoded = segment_features(features, count=count, min_length=min_length, progress=progress)
    return Segmentation(
        sentences=sentences,
        cuts=decoded.cuts,
        penalty=decoded.penalty if count is None else 0.0,
        channel=reader.name,
        features=features,
        head=getattr(reader, "head", None),
    )


def read_lines(text: str) -> list[str]:
    """The lines of a text that holds a sentence on each; empty ones are left out.

    Raises:
        DataError: the text is binary.
    """
    check_text(text)
    return [" ".join(line.split()) for _, line in numbered_lines(text)]


def check_text(text: str) -> None:
    """Raise for the content of a file that holds no text.

    Raises:
        DataError: more than one character in a hundred is a control or a replacement character.
    """
    strange = len(_CONTROL.findall(text))
    if strange > _MAX_CONTROL * len(text):
        raise DataError(f"{strange} of {len(text)} characters are no text; expected a text file in UTF-8")


def as_sentences(given: str | Sequence[str]) -> tuple[str, ...]:
    """A text's sentences, or the given sentences, as a tuple.

    Raises:
        DataError: the text is binary or empty, or a sentence is empty or no string.
    """
    if isinstance(given, str):
        check_text(given)
        sentences = split_sentences(given)
    else:
        sentences = list(given)
        for place, sentence in enumerate(sentences):
            if not isinstance(sentence, str) or not sentence.strip():
                raise DataError(f"sentence {place} is {sentence!r}; expected a string that is not empty")
            check_text(sentence)
    if not sentences:
        raise DataError("there is no text to cut; expected at least one sentence")
    return tuple(sentences)


def find_overlong(sentences: Sequence[str]) -> str | None:
    """A description of sentences too long to be sentences, such as ``1 sentence of 2,999 characters``; else None."""
    mean = sum(map(len, sentences)) // len(sentences)
    if mean <= _OVERLONG:
        return None
    many = "1 sentence" if len(sentences) == 1 else f"{len(sentences)} sentences"
    return f"{many} of {mean:,} characters"


def segment_features(
    features: Features,
    *,
    count: int | None = None,
    min_length: int = 2,
    progress: Progress = no_progress,
) -> Decoded:
    """Cut a document by the features of its sentences.

    Args:
        features: of n sentences.
        count: the number of segments; None chooses it.
        min_length: minimum number of sentences per segment.
        progress: called with a description, the number of sentences done and n, for each window of a long text.
    """
    if len(features) <= MAX_WHOLE:
        return _decode_window(features, min_length, count)
    decoded = _decode_long(features, min_length, progress)
    return decoded if count is None else replace(decoded, cuts=_counted(decoded, count, min_length))


def _decode_window(features: Features, min_length: int, count: int | None = None) -> Decoded:
    min_length = min(min_length, len(features))  # a shorter text is one segment
    posterior = average_over_priors(likely_evidence(features, min_length), min_length)
    cuts = decode(posterior, min_length=min_length, count=count, placing=features.placing)
    return Decoded(cuts=cuts, boundaries_N=posterior.boundaries_N, penalty=posterior.penalty)


def _decode_long(features: Features, min_length: int, progress: Progress) -> Decoded:
    """The cuts of all windows, each where it counts; the penalty is the median over windows."""
    cuts: list[Cut] = []
    size = len(features)
    boundaries_N = np.zeros(size + 1)
    penalties = []
    # With less than the shortest segment on a side, no place of a window could be a boundary.
    for start, stop, first, last in _windows(size, max(_STEP, min_length)):
        part = _decode_window(features.rows(start, stop), min_length)
        boundaries_N[first:last] = part.boundaries_N[first - start : last - start]
        penalties.append(part.penalty)
        for cut in part.cuts:
            place, before = cut.place + start, cuts[-1].place if cuts else 0
            # Windows are cut independently: the first cut of one may lie too close to the last cut of the one before.
            if first <= place < last and place - before >= min_length:
                cuts.append(replace(cut, place=place, low=cut.low + start, high=cut.high + start))
        progress("sentences segmented", last, size)
    return Decoded(cuts=tuple(cuts), boundaries_N=boundaries_N, penalty=float(np.median(penalties)))


def _counted(decoded: Decoded, count: int, min_length: int) -> tuple[Cut, ...]:
    """As many cuts as a given number of segments needs: those that gain most, then the likeliest other places."""
    found = {cut.place: cut for cut in decoded.cuts}
    strongest = sorted(found, key=lambda place: -found[place].gain)
    likeliest = np.argsort(-decoded.boundaries_N, kind="stable").tolist()
    edges = [0, len(decoded.boundaries_N) - 1]
    room = edges[1] // min_length - 1
    # A place that was passed over may fit once others are taken, so that the places may be gone through again.
    while len(edges) - 1 < count:
        for place in (*strongest, *likeliest):
            at = bisect.bisect_left(edges, place)
            if len(edges) - 1 == count or place == edges[at]:
                continue
            before, after = place - edges[at - 1], edges[at] - place
            lost = (before + after) // min_length - before // min_length - after // min_length + 1
            # Where the others would have no room any more, the number that was asked for could not be reached.
            if min(before, after) >= min_length and room - lost >= count - len(edges):
                edges.insert(at, place)
                room -= lost
    chances = decoded.boundaries_N.tolist()
    return tuple(
        found.get(place)
        or Cut(place=place, confidence=chances[place], low=place, high=place, near=chances[place], gain=0.0)
        for place in edges[1:-1]
    )


def _windows(size: int, step: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and stop of each window of three steps, and the range of places for which its boundaries count."""
    starts = range(0, max(1, size - 2 * step), step)
    for start in starts:
        stop = min(size, start + 3 * step)
        yield start, stop, start + step if start else 1, size if start == starts[-1] else start + 2 * step


def _check_lengths(sentences: int, count: int | None, min_length: int) -> None:
    if min_length < 1:
        raise UsageError(f"min_length is {min_length}; expected at least 1 sentence")
    if count is None:
        return
    max_count = max(1, sentences // min_length)
    if not 1 <= count <= max_count:
        raise UsageError(
            f"{count} segments cannot be cut from {sentences} sentences with at least {min_length} each; "
            f"give a count from 1 to {max_count}"
        )
