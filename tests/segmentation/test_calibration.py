"""A head names a class as surely as it is right, and none where a text is of none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shoal.errors import DataError, UsageError
from shoal.segmentation import (
    LabelledText,
    OpenSet,
    calibrate_false_alarms,
    fit_open_set,
    load_head,
    scale_evidence,
    shipped_head,
    train_head,
)
from shoal.segmentation.calibration import FACTORS, one_class_documents
from shoal.segmentation.heads import NONE
from styles import sentences, texts

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.segmentation import ClassifierHead

OTHER = ["zig zag 42 % ( ) [ ] 7 8 9", "12 13 14 ; ; ; : : /", "% % 5 of 6 $ 7"] * 20


@pytest.fixture(scope="module")
def head() -> ClassifierHead:
    return train_head(texts(), reader="style", source="made up", passage=5, min_count=5).head


def test_the_probabilities_are_a_softmax_of_scaled_means_and_of_none() -> None:
    found = OpenSet(scale=2.0, none=1.0).probabilities(np.array([1.0, 0.0, -1.0]))
    expected = np.exp([2.0, 0.0, -2.0, 1.0])
    assert found == pytest.approx(expected / expected.sum())


def test_texts_of_no_class_are_of_none_and_others_of_theirs(head: ClassifierHead) -> None:
    known = [
        LabelledText(label=how, sentences=sentences(how, 40, seed)) for how in ("talk", "report") for seed in (91, 92)
    ]
    fitted = replace(head, open_set=fit_open_set(head, known, [OTHER]))
    assert fitted.judge(sentences("talk", 20, 95))[0] == "talk"
    assert fitted.judge(sentences("report", 20, 96))[0] == "report"
    assert fitted.judge(OTHER[:20])[0] == NONE
    assert head.judge(OTHER[:20])[0] != NONE


def test_more_of_the_same_text_makes_no_surer(head: ClassifierHead) -> None:
    fitted = replace(head, open_set=OpenSet(scale=1.0, none=0.0))
    lines = sentences("talk", 20, 95)
    assert fitted.judge(lines * 50) == (fitted.judge(lines)[0], pytest.approx(fitted.judge(lines)[1]))


def test_a_head_is_saved_with_it(head: ClassifierHead, tmp_path: Path) -> None:
    replace(head, open_set=OpenSet(scale=3.5, none=1.25)).save(tmp_path / "open")
    assert load_head(tmp_path / "open").open_set == OpenSet(scale=3.5, none=1.25)
    head.save(tmp_path / "closed")
    assert load_head(tmp_path / "closed").open_set is None


def test_the_shipped_register_head_is_not_sure_of_a_tale() -> None:
    tale = [
        "Alice was beginning to get very tired of sitting by her sister on the bank.",
        "So she was considering in her own mind whether the pleasure of making a daisy-chain would be worth it.",
        "Suddenly a White Rabbit with pink eyes ran close by her.",
        "There was nothing so very remarkable in that.",
        "The rabbit-hole went straight on like a tunnel for some way.",
    ] * 100
    register = shipped_head("register")
    assert replace(register, open_set=None).judge(tale)[1] > 0.9
    assert register.judge(tale)[1] < 0.9


def test_the_weight_that_leaves_one_class_whole_is_found(head: ClassifierHead) -> None:
    held_out = [
        LabelledText(label=how, sentences=sentences(how, 40, seed)) for how in ("talk", "report") for seed in (7, 8, 9)
    ]
    assert calibrate_false_alarms(head, held_out, documents=1) == FACTORS[-1]
    swapped = [
        LabelledText(label="mixed", sentences=(*sentences("talk", 20, seed), *sentences("report", 20, seed)))
        for seed in (7, 8, 9)
    ]
    with pytest.raises(DataError, match=r"with 0\.5 of its evidence the head still cuts documents of one class"):
        calibrate_false_alarms(scale_evidence(head, 3.0), swapped, documents=1)
    with pytest.raises(DataError, match="no class has 3 texts"):
        calibrate_false_alarms(head, held_out[:2], documents=1)


def test_documents_of_one_class_are_passages_of_that_class() -> None:
    made = [
        LabelledText(label=how, sentences=tuple(f"{how} {seed} {place}" for place in range(60)))
        for how in ("talk", "report")
        for seed in range(3)
    ]
    documents = one_class_documents(made, 12, seed=0)
    assert len(documents) == 12
    for document in documents:
        assert 5 * 25 <= len(document) <= 5 * 45
        assert len({line.split()[0] for line in document}) == 1
        assert len({line.split()[1] for line in document}) == 3
    assert documents == one_class_documents(made, 12, seed=0) != one_class_documents(made, 12, seed=1)


def test_scaled_evidence_is_the_likelihoods_times_the_factor(head: ClassifierHead) -> None:
    lines = sentences("talk", 5, 3)
    assert scale_evidence(head, 2.5).likelihoods(lines) == pytest.approx(2.5 * head.likelihoods(lines))


def test_factors_grow_by_a_fifth() -> None:
    assert np.diff(np.log(FACTORS)) == pytest.approx(np.log(2) / 4, abs=1e-2)


def test_what_no_head_can_be_fitted_to_is_refused(head: ClassifierHead) -> None:
    lines = sentences("talk", 40, 91)
    with pytest.raises(DataError, match="of the class 'song'; the head knows report, talk"):
        fit_open_set(head, [LabelledText(label="song", sentences=lines)], [OTHER])
    with pytest.raises(DataError, match="no text of a class has 5 sentences"):
        fit_open_set(head, [LabelledText(label="talk", sentences=lines[:4])], [OTHER])
    for passages in ({"passage": 0}, {"held_out_passage": 0}):
        with pytest.raises(UsageError, match="give one sentence or more"):
            train_head(texts(), reader="style", source="made up", **passages)
