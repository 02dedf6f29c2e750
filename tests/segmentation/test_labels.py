"""Labels say what was measured, and nothing else."""

from __future__ import annotations

import pytest

from shoal.segmentation import Cut, Segmentation, label_segments, shipped_head
from shoal.segmentation.sentence_features import style_tokens
from styles import sentences

FIRST = (*sentences("talk", 12, 0), *["The lighthouse? You knew that lighthouse."] * 4)
SECOND = (*sentences("report", 10, 0), *["The harbour and the harbour of the harbour."] * 3)


def cut(*parts: tuple[str, ...], channel: str = "words") -> Segmentation:
    places = [sum(map(len, parts[:k])) for k in range(1, len(parts))]
    cuts = tuple(Cut(place=place, confidence=0.9, low=place, high=place, near=0.9, gain=5.0) for place in places)
    return Segmentation(
        sentences=tuple(line for part in parts for line in part), cuts=cuts, penalty=3.0, channel=channel
    )


def test_a_label_names_the_words_and_the_style_of_its_segment() -> None:
    first, second = label_segments(cut(FIRST, SECOND))
    assert "lighthouse" in {trait.name for trait in first.words}
    assert "harbour" in {trait.name for trait in second.words}
    assert {trait.name: trait.z > 0 for trait in first.style}["you"]
    assert "long sentences" in second.text
    assert first.since == ()
    assert second.since


def test_every_trait_was_measured() -> None:
    first, _ = label_segments(cut(FIRST, SECOND))
    tokens = [token.lower() for line in FIRST for token in style_tokens(line)]
    (trait,) = (trait for trait in first.words if trait.name == "lighthouse")
    assert trait.share == pytest.approx(tokens.count("lighthouse") / len(tokens))
    assert trait.elsewhere == 0
    assert trait.z > 1.65


def test_the_order_of_magnitude_of_z_follows_the_formula() -> None:
    from shoal.segmentation.labels import _log_odds

    # 10 of 100 against 0 of 100, one prior token of a hundred: ln(11/189) - ln(1/199), variance 1/11 + 1/1.
    assert _log_odds(10, 100, 0, 100, 1.0) == pytest.approx((2.4494) / (1 / 11 + 1) ** 0.5, abs=1e-3)


def test_segments_that_are_alike_have_nothing_that_sets_them_apart() -> None:
    line = "The same words are here."
    for label in label_segments(cut((line,) * 10, (line,) * 10)):
        assert label.text == "nothing that sets it apart"


def test_one_segment_is_compared_with_nothing() -> None:
    (label,) = label_segments(cut(FIRST))
    assert label.words == label.style == label.since == ()


def test_a_channel_with_classes_says_the_class_and_its_probability() -> None:
    happy = ("I love this, thank you so much!", "Haha this is hilarious", "Great, so happy for you") * 4
    sad = ("I am so sad, I miss her", "Sorry for your loss", "I feel so lonely and depressed") * 4
    labels = label_segments(cut(happy, sad, channel="emotion"), head=shipped_head("emotion"))
    assert [label.class_name for label in labels] == ["joy", "sadness"]
    assert all(label.probability is not None and label.probability > 0.9 for label in labels)
    assert labels[0].to_dict()["text"].startswith("joy (")


def test_many_segments_are_labelled_by_counting_each_word_once() -> None:
    names = [f"thing{chr(97 + part // 26)}{chr(97 + part % 26)}" for part in range(300)]
    parts = [(f"Some {name} and {name} came here.",) * 4 for name in names]
    labels = label_segments(cut(*parts))
    assert len(labels) == 300
    assert [[trait.name for trait in label.words] for label in labels] == [[name] for name in names]
    assert {trait.elsewhere for label in labels for trait in label.words} == {0.0}
