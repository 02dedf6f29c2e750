"""From a text to its sentences and segments: counts, lengths, long texts, progress, and the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shoal.errors import DataError, UsageError
from shoal.segmentation import (
    Channel,
    Features,
    Segmentation,
    as_sentences,
    find_overlong,
    read_lines,
    segment,
    segment_features,
    segmenter,
)
from shoal.segmentation.segmenter import MAX_WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence


def two_subjects(first: int, second: int, seed: int = 0) -> list[str]:
    """Sentences of two disjoint vocabularies."""
    rng = np.random.default_rng(seed)
    words = [["river", "bridge", "water", "boat", "shore"], ["engine", "factory", "steel", "machine", "worker"]]
    return [" ".join(rng.choice(words[part], 6)) + "." for part in [0] * first + [1] * second]


def levels(lengths: Sequence[int], seed: int = 0) -> Features:
    """Vectors of three dimensions whose mean alternates between segments."""
    rng = np.random.default_rng(seed)
    means = np.repeat(np.arange(len(lengths)) % 2 * 4.0 - 2.0, lengths)
    return Features(vectors=means[:, None] + rng.normal(size=(len(means), 3)))


class Given(Channel):
    """Features that were made beforehand; not registered, since it has no name as a class attribute."""

    def __init__(self, features: Features, name: str = "given") -> None:
        self.name, self._features = name, features

    def features(self, sentences: Sequence[str]) -> Features:
        return self._features


def test_a_change_of_subject_is_found_at_its_sentence() -> None:
    found = segment(two_subjects(20, 25))
    assert found.places == [20]
    assert found.lengths == (20, 25)
    cut = found.cuts[0]
    assert cut.low <= 20 <= cut.high
    assert cut.gain > found.penalty > 0
    assert 0 < cut.confidence <= cut.near <= 1


def test_running_text_is_split_first() -> None:
    assert segment(" ".join(two_subjects(20, 25))) == segment(two_subjects(20, 25))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_segments_as_were_requested(count: int) -> None:
    found = segment(two_subjects(15, 15), count=count, min_length=3)
    assert found.count == len(found) == count
    assert min(found.lengths) >= 3
    assert found.penalty == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "give a count from 1 to 5"),
        ({"count": 6}, "give a count from 1 to 5"),
        ({"min_length": 0}, "expected at least 1 sentence"),
        ({"count": 4, "min_length": 3}, "give a count from 1 to 3"),
    ],
)
def test_counts_that_do_not_fit_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        segment(two_subjects(5, 5), **settings)


def test_a_text_shorter_than_the_minimum_is_one_segment() -> None:
    assert segment(two_subjects(8, 8), min_length=20).lengths == (16,)
    assert segment(two_subjects(8, 8), min_length=8).lengths == (8, 8)
    assert segment(["Only one."]).lengths == (1,)


def test_a_long_text_is_read_in_windows_and_cut_as_a_whole_one_is() -> None:
    lengths = [150, 120, 180, 130, 170, 160]
    steps: list[tuple[str, int, int]] = []
    found = segment_features(levels(lengths), progress=lambda *step: steps.append(step))
    assert sum(lengths) > MAX_WHOLE
    assert [cut.place for cut in found.cuts] == np.cumsum(lengths)[:-1].tolist()
    assert all(cut.low <= cut.place <= cut.high for cut in found.cuts)
    assert steps[-1] == ("sentences segmented", 910, 910)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow), 9])
def test_a_long_text_takes_a_count(count: int) -> None:
    lengths = [300, 300, 310]
    found = segment(["x"] * sum(lengths), channel=Given(levels(lengths)), count=count, min_length=4)
    assert found.count == count
    assert min(found.lengths) >= 4
    strongest = {300, 600} if count > 2 else {found.places[0]}
    assert strongest <= set(found.places) <= set(range(910))


@pytest.mark.parametrize(("count", "min_length"), [(45, 2), (30, 3), (44, 2), (18, 5), (90, 1)])
def test_a_long_text_takes_as_many_segments_as_fit(
    monkeypatch: pytest.MonkeyPatch, count: int, min_length: int
) -> None:
    for name, value in (("MAX_WHOLE", 40), ("_STEP", 10)):
        monkeypatch.setattr(segmenter, name, value)
    found = segment(["x"] * 90, channel=Given(levels([31, 28, 31])), count=count, min_length=min_length)
    assert found.count == count
    assert min(found.lengths) >= min_length


@pytest.mark.parametrize(("lengths", "min_length"), [((60, 50), 35), ((50, 45), 45)])
def test_a_long_text_has_segments_as_long_as_a_window_of_two(
    monkeypatch: pytest.MonkeyPatch, lengths: tuple[int, int], min_length: int
) -> None:
    for name, value in (("MAX_WHOLE", 40), ("_STEP", 10)):
        monkeypatch.setattr(segmenter, name, value)
    found = segment(["x"] * sum(lengths), channel=Given(levels(lengths)), min_length=min_length)
    assert found.lengths == lengths


def test_short_texts_report_no_progress_without_a_model() -> None:
    segment(two_subjects(5, 5), progress=lambda *step: pytest.fail(str(step)))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (Features(), "no counts, vectors or likelihoods"),
        (Features(counts=np.eye(4), background=np.array([0.0, 0.5, 0.3, 0.2])), "share that is not above 0"),
        (Features(counts=np.eye(4), background=np.full(3, 0.3)), r"background of shape \(3,\) for 4 words"),
        (Features(vectors=np.ones((4, 2)), trust=np.array([1.0, 0.0, 1.0, 1.0])), "trust that is not above 0"),
        (Features(vectors=np.ones((4, 2)), placing=Features(counts=-np.eye(4))), "negative counts"),
        (Features(vectors=np.zeros((3, 2))), r"shape \(3, 2\) for 4 sentences"),
        (Features(likelihoods=np.array([[np.nan, 0.0]] * 4)), "not finite"),
        (Features(counts=-np.ones((4, 2))), "negative counts"),
    ],
)
def test_a_channel_that_gives_no_row_per_sentence_is_refused(features: Features, message: str) -> None:
    with pytest.raises(DataError, match=message):
        segment(["a", "b", "c", "d"], channel=Given(features))


def test_a_result_holds_its_features_and_prints_itself() -> None:
    lines = two_subjects(20, 25)
    found = segment(lines)
    assert found.features is not None
    assert len(found.features) == 45
    assert found.head is None
    shown = str(found).splitlines()
    assert shown[0] == "2 segments in 45 sentences, by words"
    assert shown[1].startswith("  1  sentences 1 to 20: ")
    assert shown[3].startswith("  -- boundary before sentence 21: probability ")
    assert repr(found) == "Segmentation(channel='words', sentences=45, places=[20])"
    assert list(found) == [tuple(lines[:20]), tuple(lines[20:])]


def test_a_result_is_plain_values_and_a_frame() -> None:
    found = segment(two_subjects(10, 12), count=2)
    plain = json.loads(json.dumps(found.to_dict()))
    assert set(plain) == {"channel", "count", "penalty", "cuts", "sentences"}
    assert set(plain["cuts"][0]) == {"place", "confidence", "low", "high", "near", "gain"}
    frame = found.to_frame()
    assert list(frame.columns) == ["segment", "sentence", "confidence"]
    assert frame.segment.tolist() == [0] * found.places[0] + [1] * (22 - found.places[0])
    assert frame.confidence.dropna().tolist() == [found.cuts[0].confidence]


def test_results_of_equal_cuts_are_equal_whatever_their_features() -> None:
    one = Segmentation(sentences=("a",), cuts=(), penalty=1.0, channel="x")
    other = Segmentation(
        sentences=("a",), cuts=(), penalty=1.0, channel="x", features=Features(vectors=np.ones((1, 1)))
    )
    assert one == other


def test_lines_are_sentences_where_they_are_said_to_be() -> None:
    assert read_lines("one\n\n two  words \nMr. X. came") == ["one", "two words", "Mr. X. came"]


@pytest.mark.parametrize("given", ["", " \n ", [], ["a", ""], ["a", 3], "\x00\x01\x02" * 9, ["fine", "\x00\x7f\x03"]])
def test_what_holds_no_text_is_refused(given: object) -> None:
    with pytest.raises(DataError):
        as_sentences(given)  # type: ignore[arg-type]


def test_long_texts_in_which_no_sentences_are_found_are_named() -> None:
    assert find_overlong(as_sentences("no mark at all\n" * 100)) == "1 sentence of 1,499 characters"
    assert find_overlong(as_sentences("It rained. " * 500)) is None
    assert find_overlong(as_sentences("a short one")) is None


def test_a_line_may_hold_a_line_separator() -> None:
    assert read_lines("One\u2028and a half.\n\nTwo.\r\n") == ["One and a half.", "Two."]
