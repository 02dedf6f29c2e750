"""Labels are read from tables, checked, and cut where F1 is highest, against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from shoal.curation.classifier import draw_documents, measure_agreement, read_labels
from shoal.curation.classifier.agreement import check_labels, choose_cut
from shoal.errors import DataError


def write(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("label", "wanted"),
    [("3", 3), (" 4 ", 4), ("-1", -1), ("0", 0), ('"5"', 5), ("+2", 2)],
)
def test_a_label_of_a_table_is_a_whole_number(tmp_path, label, wanted):
    (found,) = read_labels(write(tmp_path, f"text,label\nGröße é,{label}\n"))
    assert (found.text, found.label, found.group) == ("Größe é", wanted, "1")


@pytest.mark.parametrize("label", ["2.5", "good", "1e3", "nan", "inf", "0x1", "true"])
def test_another_label_is_named_with_its_row(tmp_path, label):
    path = write(tmp_path, f"text,label\na,1\nb,{label}\n")
    with pytest.raises(DataError) as fault:
        read_labels(path)
    assert str(fault.value) == f"{path}, row 2 has the label {label!r}; expected a whole number, such as 0 to 5"


@pytest.mark.parametrize(
    ("value", "wanted"), [(3, 3), (3.0, 3), ("3", 3), (2.5, None), (True, None), ([], None), ("x", None)]
)
def test_a_label_of_json_is_a_whole_number_or_refused(tmp_path, value, wanted):
    path = write(tmp_path, json.dumps({"text": "a", "label": value}) + "\n", "labels.jsonl")
    if wanted is None:
        with pytest.raises(DataError, match=r"row 1 has the label .*; expected a whole number"):
            read_labels(path)
        return
    assert read_labels(path)[0].label == wanted


def test_a_label_without_a_text_is_refused(tmp_path):
    path = write(tmp_path, "label,text\n1,a\n5\n,\n")
    with pytest.raises(DataError, match="row 2 has a label and no text in 'text'"):
        read_labels(path)


def test_a_labelled_document_is_not_drawn_again_whatever_its_white_space(tmp_path):
    labelled = read_labels(write(tmp_path, 'text,label\n"one two\n",1\n" three  four",2\n'))
    rows = [{"text": text} for text in ("one two", "\nthree four", "five", "five ", "six")]
    corpus = write(tmp_path, "\n".join(map(json.dumps, rows)), "corpus.jsonl")
    assert sorted(draw_documents(corpus, 2, labelled=labelled)) == ["five", "six"]
    with pytest.raises(DataError, match="has 2 different documents without a label; 3 are wanted"):
        draw_documents(corpus, 3, labelled=labelled)


def test_rows_without_a_label_are_left_out_and_groups_are_read(tmp_path):
    path = write(tmp_path, "text,label,group\na,1,x\nb,,x\nc, ,\nd,2,\n")
    assert [(one.text, one.label, one.group) for one in read_labels(path)] == [("a", 1, "x"), ("d", 2, "4")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,label\n", "holds no row with a label; give each row a whole number as its label"),
        ("text,label\na,\n", "holds no row with a label"),
        ("body,label\na,1\n", "row 1 has no column 'text'; it has body, label"),
        ("text,mark\na,1\n", "row 1 has no column 'label'; it has text, mark"),
    ],
)
def test_tables_without_labels_are_refused(tmp_path, text, message):
    with pytest.raises(DataError) as fault:
        read_labels(write(tmp_path, text))
    assert message in str(fault.value)
    with pytest.raises(DataError, match=r"there is no file .*none\.csv; check the path"):
        read_labels(tmp_path / "none.csv")


def test_another_column_may_hold_the_text(tmp_path):
    assert read_labels(write(tmp_path, "body,label\na,1\n"), column="body")[0].text == "a"


def test_a_document_of_any_length_is_read_from_a_table(tmp_path):
    text = "a long document " * 20_000
    assert read_labels(write(tmp_path, f'text,label\n"{text}",2\n'))[0].text == text


@pytest.mark.parametrize(
    ("labels", "threshold", "message"),
    [
        ([], 3, "there are no labels; give labels of at least two kinds"),
        ([2, 2, 2], 3, "all 3 labels are 2; give labels of at least two kinds"),
        ([0, 1, 2], 3, "none of the 3 labels (0 to 2) reach the threshold 3"),
        ([3, 4, 5], 3, "all of the 3 labels (3 to 5) reach the threshold 3"),
    ],
)
def test_labels_that_no_threshold_parts_are_refused(labels, threshold, message):
    with pytest.raises(DataError) as fault:
        check_labels(labels, threshold)
    assert message in str(fault.value)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=20).filter(
        lambda pairs: any(one for one, _ in pairs)
    )
)
def test_the_cut_is_as_good_as_any_score_that_was_seen(pairs):
    positive = np.array([one for one, _ in pairs])
    scores = np.array([score for _, score in pairs], dtype=np.float64)
    best = max(f1_score(positive, scores >= cut) for cut in scores)
    cut = choose_cut(positive, scores)
    assert f1_score(positive, scores >= cut) == pytest.approx(best)
    assert scores.min() <= cut <= scores.max()


@pytest.fixture(scope="module")
def scored():
    random = np.random.default_rng(5)
    labels = random.integers(0, 6, 150)
    return labels.tolist(), (labels + random.normal(0, 1.2, 150)).tolist()


def test_every_figure_is_that_of_scikit_learn(scored):
    labels, scores = scored
    found = measure_agreement(labels, scores, threshold=3)
    rounded = np.clip(np.floor(np.array(scores) + 0.5), 0, 5).astype(int)
    truth, guess = np.array(labels) >= 3, rounded >= 3
    assert (found.documents, found.positive) == (150, int(truth.sum()))
    for value, wanted in (
        (found.f1, f1_score(truth, guess)),
        (found.f1_macro, f1_score(truth, guess, average="macro")),
        (found.f1_rounded, f1_score(truth, guess)),
        (found.kappa, cohen_kappa_score(labels, rounded, weights="quadratic")),
        (found.accuracy, accuracy_score(labels, rounded)),
    ):
        assert value.value == pytest.approx(wanted)
        assert value.low <= value.value <= value.high
    assert found.f1_of_all == pytest.approx(f1_score(truth, np.ones(150, dtype=bool)))


def test_other_choices_of_good_documents_change_f1_alone(scored):
    labels, scores = scored
    rounded = measure_agreement(labels, scores, threshold=3)
    every = measure_agreement(labels, scores, threshold=3, good=[True] * 150)
    assert every.f1.value == pytest.approx(every.f1_of_all)
    assert every.f1_rounded.value == rounded.f1_rounded.value
    assert every.kappa.value == rounded.kappa.value
    assert len(str(every).splitlines()) == 6
    assert "150, of which" in str(every)
    assert json.loads(json.dumps(every.to_dict()))["documents"] == 150
