"""Channels: found by their names, and what each makes of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.segmentation import (
    Channel,
    ClassifierChannel,
    EmotionChannel,
    Features,
    RegisterChannel,
    SentenceVectorChannel,
    SurprisalChannel,
    TopicChannel,
    WordChannel,
    find_channel,
    known_channels,
    segment,
    shipped_head,
)
from shoal.segmentation.channels.neural import length_trust

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def test_every_channel_is_known_by_its_name_with_words_first() -> None:
    known = known_channels()
    assert next(iter(known)) == "words"
    assert {"words", "topic", "register", "emotion", "vectors", "surprisal"} <= set(known)
    assert all(channel.reads for name, channel in known.items() if name in ("words", "topic", "register", "emotion"))
    assert known["register"] is RegisterChannel
    assert known["words"] is WordChannel


def test_a_subclass_with_a_name_is_found_by_it() -> None:
    class Shouting(Channel):
        name = "shouting"
        reads = "the share of capitals"

        def features(self, sentences: Sequence[str]) -> Features:
            shares = [sum(map(str.isupper, line)) / len(line) for line in sentences]
            return Features(vectors=np.array(shares)[:, None] - np.mean(shares))

    assert isinstance(find_channel("shouting"), Shouting)
    assert segment(["not loud at all"] * 15 + ["VERY LOUD INDEED"] * 15, channel="shouting").places == [15]


def test_models_and_heads_are_asked_for_and_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reads by a language model; name it with --model"):
        find_channel("surprisal")
    with pytest.raises(UsageError, match="--model is for surprisal and vectors"):
        find_channel("words", model="m")
    with pytest.raises(UsageError, match="--head is for emotion and register"):
        find_channel("vectors", model="m", head=tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean 'topic'"):
        find_channel("topics")


def test_stems_are_counted_and_measured_against_the_language() -> None:
    features = WordChannel().features(["Rivers and a river.", "A zyxwv!"])
    assert features.counts.toarray().tolist() == [[2, 1, 1, 0], [0, 0, 1, 1]]  # river, and, a, zyxwv
    assert features.background is not None
    river, _, article, unknown = features.background
    assert article > river > unknown == 1e-5


def test_a_language_without_shares_has_no_background() -> None:
    features = WordChannel(language="german").features(["Die Flüsse fließen.", "Ein Fluss."])
    assert features.background is None
    with pytest.raises(UnknownNameError):
        WordChannel(language="klingon").features(["x"])


def test_topic_leaves_out_closed_class_words_and_numbers() -> None:
    features = TopicChannel().features(["The river is over there, and it's 12 miles.", "She was!"])
    assert features.counts.sum(axis=1).tolist() == [2, 0]  # river, mile


def test_rows_cut_every_part() -> None:
    whole = Features(
        counts=np.arange(8).reshape(4, 2),
        background=np.ones(2),
        vectors=np.arange(4.0)[:, None],
        trust=np.arange(4.0),
        likelihoods=np.zeros((4, 3)),
        placing=Features(counts=np.eye(4)),
    )
    part = whole.rows(1, 3)
    assert len(part) == 2
    assert part.counts.tolist() == [[2, 3], [4, 5]]
    assert part.trust is not None
    assert part.trust.tolist() == [1.0, 2.0]
    assert part.placing is not None
    assert part.placing.counts.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    assert part.background is whole.background
    assert len(Features()) == 0


def test_classifiers_give_likelihoods_and_register_the_words_that_place() -> None:
    lines = ["I love this!", "So sad."]
    emotion, register = find_channel("emotion"), find_channel("register")
    assert isinstance(emotion, EmotionChannel)
    assert emotion.head is not None
    assert np.array_equal(emotion.features(lines).likelihoods, emotion.head.likelihoods(lines))
    assert emotion.features(lines).placing is None
    assert register.features(lines).placing is not None
    assert ClassifierChannel(shipped_head("emotion"), name="mine").name == "mine"
    assert ClassifierChannel(shipped_head("emotion")).name == "classes"


def test_short_sentences_are_trusted_less() -> None:
    assert length_trust(np.array([0, 1, 8, 10_000])) == pytest.approx([1 / 3, 1 / 3, 0.5**0.5, 1.0], abs=1e-3)


def test_sentence_vectors_are_encoded_once_and_read_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Encoder:
        digest, settings, calls = "weights", "mean", 0

        def __init__(self, spec: Any, device: str) -> None:
            assert (spec, device) == ("some/encoder", "cpu")

        def encode(self, sentences: Sequence[str]) -> np.ndarray:
            Encoder.calls += 1
            return np.array([[len(line), 1.0] for line in sentences], dtype=np.float32)

    monkeypatch.setattr("shoal.models.SentenceEncoder", Encoder)
    first = SentenceVectorChannel("some/encoder", cache=tmp_path).features(["one", "three"])
    again = SentenceVectorChannel("some/encoder", cache=str(tmp_path)).features(["one", "three"])
    assert Encoder.calls == 1
    assert first.vectors is not None
    assert first.vectors.tolist() == [[3.0, 1.0], [5.0, 1.0]]
    assert np.array_equal(first.vectors, again.vectors)
    SentenceVectorChannel("some/encoder", cache=tmp_path).features(["one", "other"])
    assert Encoder.calls == 2
    assert not list(tmp_path.glob("*.part"))


def test_surprisal_is_standardised_and_needs_a_context() -> None:
    with pytest.raises(UsageError, match="at least 1 sentence"):
        SurprisalChannel("bundled:stories", context=0)
    lines = ["Once upon a time there was a little girl.", "She loved to play.", "Qzx vbn wkj pqr."]
    found = SurprisalChannel("bundled:stories").features(lines)
    assert found.vectors is not None
    assert found.vectors.shape == (3, 1)
    assert found.vectors.mean() == pytest.approx(0.0, abs=1e-9)
    assert found.vectors.std() == pytest.approx(1.0)
    assert int(found.vectors[:, 0].argmax()) == 2
