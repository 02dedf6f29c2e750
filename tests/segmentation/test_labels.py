"""Labels say what was measured, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shoal.segmentation import (
    Cut,
    Features,
    Segmentation,
    label_segments,
    segment,
    sentence_similarities,
    shipped_head,
)
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


def test_z_follows_the_formula() -> None:
    # Ten lighthouses of 100 tokens against none of 100; the prior adds 100 tokens at the whole text's rate, 10 / 200.
    here, there = ["lighthouse lamp glow wave ship rock foam gull mist tide"] * 10, ["a b c d e f g h i j"] * 10
    first, _ = label_segments(cut(tuple(here), tuple(there)), max_words=20)
    (trait,) = (trait for trait in first.words if trait.name == "lighthouse")
    odds = np.log(15 / (200 - 15)) - np.log(5 / (200 - 5))
    assert trait.z == pytest.approx(odds / (1 / 15 + 1 / 5) ** 0.5)


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


def test_a_sentence_is_as_similar_as_the_share_of_its_words_that_come_again() -> None:
    counts = np.array([[1, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3]])
    found = sentence_similarities(Features(counts=counts), (3, 2))
    assert [one.value for one in found] == [0.5, 0.5, 0.0, 1.0, 1.0]
    assert found[0].description == "50% of its words come again in its segment"
    assert found[0].class_index is None


def test_a_sentence_is_as_similar_as_its_cosine_with_the_others() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [5.0, 5.0], [-1.0, 0.0]])
    found = [one.value for one in sentence_similarities(Features(vectors=vectors), (3, 1, 1))]
    others = [vectors[1] + vectors[2], vectors[0] + vectors[2], vectors[0] + vectors[1]]
    expected = [float(v @ o / np.linalg.norm(v) / np.linalg.norm(o)) for v, o in zip(vectors, others, strict=False)]
    assert found == pytest.approx([*expected, 0.0, 0.0])  # alone in its segment, a sentence is like nothing


def test_a_sentence_has_its_likeliest_class() -> None:
    likelihoods = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]))
    first, second = sentence_similarities(Features(likelihoods=likelihoods), (2,), ("a", "b", "c"))
    assert (first.class_index, first.description) == (0, "a 0.70")
    assert (second.class_index, second.value) == (2, pytest.approx(0.8))


def test_labels_go_by_the_head_by_which_the_text_was_read() -> None:
    happy = ["I love this, thank you so much!", "Haha this is hilarious", "Great, so happy for you"] * 4
    found = segment(happy, channel="emotion")
    (label,) = label_segments(found)
    assert label.class_name == "joy"
    assert found.head is not None
    assert label_segments(replace(found, head=None))[0].class_name is None


def test_at_most_as_many_traits_as_were_requested() -> None:
    for label in label_segments(cut(FIRST, SECOND), max_words=1, max_style=2):
        assert len(label.words) <= 1
        assert len(label.style) <= 2
        assert len(label.since) <= 2


def test_words_are_labelled_with_their_marks_and_without_contractions() -> None:
    hindi = ("हिन्दी किताब पढ़ो।",) * 6
    english = ("I'll say that I've read what I'd know.",) * 6
    first, second = label_segments(cut(hindi, english))
    assert {trait.name for trait in first.words} == {"हिन्दी", "किताब", "पढ़ो"}
    assert not {trait.name for trait in second.words} & {"ll", "ve"}


@pytest.mark.parametrize("words", [("hello hello", "hello"), ("cats dogs birds", "houses streets"), ("1 2 3", "4 5")])
def test_what_every_token_of_a_text_has_sets_no_segment_apart(words: tuple[str, str]) -> None:
    first, second = label_segments(cut(*((word,) * 10 for word in words)))
    for label in (first, second):
        assert not {trait.name for trait in (*label.words, *label.style)} & {"hello", "a content word", "a number"}
