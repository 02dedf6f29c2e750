"""Heads: trained from labelled texts, kept in two files, and what a text is cut by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shoal.errors import CorruptModelError, DataError, UnavailableError, UnknownNameError, UsageError
from shoal.segmentation import (
    Channel,
    ClassifierChannel,
    ClassifierHead,
    Features,
    LabelledText,
    find_channel,
    known_channels,
    load_head,
    segment,
    shipped_head,
    train_head,
)
from shoal.segmentation.heads import class_probabilities
from styles import sentences, texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture(scope="module")
def head() -> ClassifierHead:
    return train_head(texts(), reader="style", source="made up", passage=5, min_count=5).head


def test_a_head_tells_classes_of_texts_it_has_not_seen(head: ClassifierHead) -> None:
    for how in head.classes:
        probabilities = class_probabilities(head.likelihoods(sentences(how, 10, seed=99)))
        assert head.classes[int(probabilities.argmax())] == how


def test_a_change_of_style_is_cut_and_a_change_of_subject_is_not(head: ClassifierHead) -> None:
    channel = ClassifierChannel(head, name="register")
    mixed = [*sentences("talk", 20, 50), *sentences("report", 25, 51), *sentences("talk", 15, 52)]
    assert [cut.place for cut in segment(mixed, channel=channel).cuts] == [20, 45]
    same = [*sentences("talk", 20, 50), *(line.replace("the", "the quartz") for line in sentences("talk", 20, 53))]
    assert segment(same, channel=channel).cuts == ()


def test_equal_texts_give_equal_heads(head: ClassifierHead) -> None:
    again = train_head(texts(), reader="style", source="made up", passage=5, min_count=5).head
    assert np.array_equal(head.weights_FC, again.weights_FC)
    assert head.evidence_scale == again.evidence_scale


def test_a_saved_head_judges_as_before(head: ClassifierHead, tmp_path: Path) -> None:
    head.save(tmp_path / "mine")
    lines = sentences("talk", 5, 7)
    assert np.array_equal(load_head(tmp_path / "mine").likelihoods(lines), head.likelihoods(lines))


def test_a_folder_without_a_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no head\.json"):
        load_head(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "classes", "reader", "json"])
def test_a_broken_head_is_refused(head: ClassifierHead, tmp_path: Path, damage: str) -> None:
    head.save(tmp_path)
    names, weights = tmp_path / "head.json", tmp_path / "head.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "json":
        names.write_text("{", encoding="utf-8")
    else:
        rest = json.loads(names.read_text(encoding="utf-8"))
        rest |= {"classes": ["one"]} if damage == "classes" else {"reader": "palm"}
        names.write_text(json.dumps(rest), encoding="utf-8")
    with pytest.raises(CorruptModelError, match="not a whole head"):
        load_head(tmp_path)


def test_too_few_classes_or_texts_are_refused() -> None:
    with pytest.raises(DataError, match="at least two classes"):
        train_head(texts(count=1), reader="style", source="made up")
    with pytest.raises(DataError, match="there are 1 classes"):
        train_head([LabelledText(label="a", sentences=("x",))] * 3, reader="style", source="made up")


def test_an_unknown_reader_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'style'"):
        train_head(texts(), reader="styles", source="made up")


class _Placed(Channel):
    """Classes that change somewhere from 20 to 22, and words that change at 20."""

    name = "placed"

    def __init__(self, *, words: bool) -> None:
        self._words = words

    def features(self, sentences: Sequence[str]) -> Features:
        likelihoods = np.zeros((len(sentences), 2))
        likelihoods[:19, 0] = likelihoods[22:, 1] = 3.0
        likelihoods[19:22, 0] = 0.5
        counts = np.zeros((len(sentences), 40))
        for place in range(len(sentences)):
            counts[place, (20 if place >= 20 else 0) + np.arange(5) * (1 + place % 4)] = 1
        beside = Features(counts=counts, background=np.full(40, 1e-4))
        return Features(likelihoods=likelihoods, placing=beside if self._words else None)


def test_words_place_a_boundary_that_they_do_not_make() -> None:
    lines = ["x"] * 40
    rough, placed = (segment(lines, channel=_Placed(words=words), min_length=8).cuts for words in (False, True))
    assert [cut.place for cut in rough] == [21]
    assert [cut.place for cut in placed] == [20]
    assert placed[0].low <= 20 <= placed[0].high


@pytest.mark.parametrize("name", ["register", "emotion"])
def test_shipped_heads_are_whole(name: str) -> None:
    head = shipped_head(name)
    assert np.isfinite(head.likelihoods(["I am so happy today!", ""])).all()
    assert "Brown" not in head.source


def test_the_shipped_heads_know_plain_cases() -> None:
    emotion = shipped_head("emotion")
    for comment, feeling in (
        ("I'm so scared of this, terrifying", "fear"),
        ("This is hilarious, thank you, I love it!", "joy"),
        ("I am sorry for your loss, so sad", "sadness"),
    ):
        assert emotion.classes[int(emotion.likelihoods([comment])[0].argmax())] == feeling


@pytest.mark.parametrize("name", ["words", "topic", "register", "emotion"])
def test_every_channel_reads_strange_text(name: str) -> None:
    assert name in known_channels()
    found = segment(["?!", "漢字", "a", "\u200b.", "OK"], channel=name)
    assert found.channel == name


def test_a_head_for_a_channel_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no head"):
        find_channel("words", head=tmp_path)
    with pytest.raises(UsageError, match="has no model"):
        find_channel("topic", model="m")
    with pytest.raises(UsageError, match="name it with --model"):
        find_channel("vectors")
    with pytest.raises(UnknownNameError, match="did you mean 'register'"):
        find_channel("registre")
