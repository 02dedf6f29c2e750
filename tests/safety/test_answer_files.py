"""Files of answers, prompts, labels and preferences in the forms of the field; what cannot be read is named."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from shoal.errors import DataError
from shoal.safety import PromptAnswer, read_answers, read_prompt_rows
from shoal.safety.answers import read_prompt_rows_with_labels
from shoal.safety.harm import PreferencePair, read_harm_rows, read_preference_pairs
from shoal.safety.labelled_sets import read_labelled_answers, read_xstest

ROW = {"prompt": "How do I kill a process?", "completion": "Use kill."}


def write(path, rows):
    """Rows as JSON lines, CSV or Parquet, by the file's ending."""
    inner = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if inner == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if inner == ".csv":
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz", "a.csv.gz"])
def test_every_form_gives_the_same_answers(tmp_path, name):
    rows = [
        {"prompt": "Größe?\n„é“, 日", "completion": 'a "quoted",\r\nanswer', "type": "homonyms", "label": "partial"},
        {**ROW, "type": "", "label": ""},
    ]
    first, second = read_answers(write(tmp_path / name, rows))
    assert first.prompt == "Größe?\n„é“, 日"
    assert first.completion.replace("\r\n", "\n") == 'a "quoted",\nanswer'
    assert (first.type, first.label) == ("homonyms", "partial")
    assert second == PromptAnswer(prompt=ROW["prompt"], completion=ROW["completion"])


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({}, None),
        ({"label": "compliance"}, "compliance"),
        ({"label": "refusal"}, "refusal"),
        ({"label": ""}, None),
        ({"label": None}, None),
        ({"label": 3}, None),
        ({"final_label": "1_full_compliance"}, "compliance"),
        ({"final_label": "2_full_refusal"}, "refusal"),
        ({"final_label": "3_partial_refusal"}, "partial"),
        ({"label": "safe"}, None),
        ({"label": "safe", "final_label": "2_full_refusal"}, "refusal"),
        ({"label": "unsafe", "final_label": "3_partial_refusal"}, "partial"),
        ({"label": "partial", "final_label": "2_full_refusal"}, "partial"),
    ],
)
def test_the_label_is_that_of_the_answer_and_not_of_the_prompt(tmp_path, columns, label):
    (found,) = read_answers(write(tmp_path / "a.jsonl", [ROW | columns]))
    assert found.label == label


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a"}], "line 1: the column 'completion' holds no text; the row has the columns 'prompt'"),
        ([ROW, {"prompt": 3, "completion": "a"}], "line 2: the column 'prompt' holds no text"),
        ([ROW | {"label": "rude"}], "line 1: the label is 'rude'; expected compliance, refusal, partial, or none"),
        ([[1]], "line 1: the row is no object; expected one with the columns prompt and completion"),
        ([], "there are no answers; give one row at least, with the columns prompt and completion"),
    ],
)
def test_a_row_that_is_no_answer_is_named(tmp_path, rows, message):
    with pytest.raises(DataError) as fault:
        read_answers(write(tmp_path / "a.jsonl", rows))
    assert message in str(fault.value)


READERS = {
    "answers": (read_answers, "answers are read from .jsonl, .parquet and .csv files"),
    "prompts": (read_prompt_rows, "prompts are read from .jsonl, .parquet, .csv and .txt"),
    "labelled prompts": (read_prompt_rows_with_labels, "labelled prompts are read from .jsonl, .parquet, .csv"),
    "harm": (read_harm_rows, "answers are read from .jsonl, .parquet and .csv files"),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_file_of_another_form_is_refused_with_the_forms_that_are_read(tmp_path, reader):
    read, message = READERS[reader]
    path = tmp_path / "a.tsv"
    with pytest.raises(DataError, match=r"there is no file .*a\.tsv; check the path"):
        read(path)
    path.write_text("prompt\tcompletion\n")
    with pytest.raises(DataError) as fault:
        read(path)
    assert str(fault.value) == f"{path} ends in '.tsv'; {message}"


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("a.jsonl", b'{"prompt": "a", \n', "line 1: broken JSON"),
        ("a.jsonl", b"\xff\n", "line 1: byte 0xff"),
        ("a.parquet", b"abc", "is no whole Parquet file"),
        ("a.csv.gz", b"abc", "is not a whole .gz file"),
        ("a.csv", b"prompt,completion\n\xff,b\n", "line 2: byte 0xff"),
        ("a.csv", b"", "there are no answers"),
        ("a.csv", b"prompt,completion\n", "there are no answers"),
        ("a.csv", b"prompt\na\n", "row 1: the column 'completion' holds no text"),
        ("a.csv", b"prompt,completion\na\n", "row 1: the column 'completion' holds no text"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, name, raw, message):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(DataError) as fault:
        read_answers(path)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_an_answer_of_any_length_is_read_from_a_table(tmp_path):
    # Python's csv refuses cells of more than 131,072 characters unless it is told otherwise.
    text = "a long answer " * 20_000
    (found,) = read_answers(write(tmp_path / "a.csv", [ROW | {"completion": text}]))
    assert found.completion == text


@pytest.mark.parametrize(
    ("name", "raw", "wanted"),
    [
        ("a.txt", "one\n\n zwei é \n", [{"prompt": "one"}, {"prompt": " zwei é "}]),
        ("a.jsonl", '{"prompt": "a", "id": 3, "label": "safe"}\n', [{"prompt": "a", "id": 3}]),
        ("a.csv", "id,prompt,final_label\n1,a,2_full_refusal\n", [{"id": "1", "prompt": "a"}]),
    ],
)
def test_rows_of_prompts_lose_the_label_alone(tmp_path, name, raw, wanted):
    (tmp_path / name).write_text(raw, encoding="utf-8")
    assert read_prompt_rows(tmp_path / name) == wanted


def test_labelled_prompts_keep_every_column(tmp_path):
    rows = [{"prompt": "a", "label": "safe", "focus": "kill"}, {"prompt": "b", "label": "unsafe", "focus": ""}]
    assert read_prompt_rows_with_labels(write(tmp_path / "a.csv", rows)) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"prompt": ""}\n', "line 1: the column 'prompt' holds no text; the row has the columns 'prompt'"),
        ('{"prompt": " \\n"}\n', "line 1: the column 'prompt' holds no text"),
        ('{"question": "a"}\n', "line 1: the column 'prompt' holds no text; the row has the columns 'question'"),
        ('"a"\n', "line 1: the column 'prompt' holds no text; the row has the columns none"),
        ("", "has no prompts; give one row"),
    ],
)
def test_rows_without_a_prompt_are_refused(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    for read in (read_prompt_rows, read_prompt_rows_with_labels):
        with pytest.raises(DataError) as fault:
            read(path)
        assert message in str(fault.value)


@pytest.mark.parametrize(("harm", "wanted"), [("harmful", True), ("harmless", False), ("", None), (None, None)])
def test_labels_of_harm_are_read(harm, wanted):
    (found,) = read_harm_rows([ROW | {"harm": harm}])
    assert found.harmful is wanted
    assert found.answer.prompt == ROW["prompt"]
    assert read_harm_rows([ROW])[0].harmful is None


@pytest.mark.parametrize("harm", ["bad", True, 1, "Harmful"])
def test_another_label_of_harm_is_refused(harm):
    with pytest.raises(DataError, match=r"row 2: harm is .*; expected harmful or harmless, or none"):
        read_harm_rows([ROW, ROW | {"harm": harm}])


def dialogue(*turns):
    return "".join(f"\n\n{who}: {text}" for who, text in turns)


def test_preferences_are_the_last_answers_with_the_last_request(tmp_path):
    start = [("Human", "Hi"), ("Assistant", "Hello."), ("Human", "Was ist é?")]
    rows = [
        {
            "chosen": dialogue(*start, ("Assistant", "Ein Buchstabe.")),
            "rejected": dialogue(*start, ("Assistant", "No.")),
        },
        {"chosen": dialogue(*start, ("Assistant", "Same.")), "rejected": dialogue(*start, ("Assistant", "Same. "))},
        {"chosen": dialogue(*start, ("Assistant", "")), "rejected": dialogue(*start, ("Assistant", "No."))},
        {"chosen": dialogue(*start, ("Assistant", "A")), "rejected": dialogue(*start, ("Assistant", "B"))},
    ]
    path = write(tmp_path / "a.jsonl.gz", rows)
    first, second = read_preference_pairs(path)
    assert first == PreferencePair(prompt="Was ist é?", chosen="Ein Buchstabe.", rejected="No.")
    assert (second.chosen, second.rejected) == ("A", "B")
    assert read_preference_pairs(path, max_pairs=1) == [first]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"chosen": "a", "rejected": "b"}], "line 1: the row has no two dialogues; expected the columns chosen"),
        ([{"chosen": dialogue(("Human", "a"), ("Assistant", "b"))}], "line 1: the row has no two dialogues"),
        ([], "has no pairs of two different answers; give one at least"),
    ],
)
def test_rows_that_are_no_preferences_are_refused(tmp_path, rows, message):
    with pytest.raises(DataError) as fault:
        read_preference_pairs(write(tmp_path / "a.jsonl", rows))
    assert message in str(fault.value)


def test_answers_to_train_from_need_a_label_each(tmp_path):
    path = write(tmp_path / "a.jsonl", [ROW | {"label": "compliance"}, ROW])
    with pytest.raises(DataError, match="row 2 has no label; give each row compliance, refusal or partial"):
        read_labelled_answers(path, model="m")
    (found,) = read_labelled_answers(write(tmp_path / "b.jsonl", [ROW | {"label": "partial"}]), model="m")
    assert (found.label, found.model, found.prompt_id) == ("partial", "m", ROW["prompt"])


def test_the_folder_of_xstest_names_the_model_of_each_file(tmp_path):
    with pytest.raises(DataError, match=r"has no completions/xstest_v2_completions_MODEL\.csv; give the folder"):
        read_xstest(tmp_path)
    (tmp_path / "completions").mkdir()
    row = ROW | {"label": "safe", "final_label": "1_full_compliance"}
    write(tmp_path / "completions" / "xstest_v2_completions_gpt4_complete.csv", [row])
    write(tmp_path / "completions" / "xstest_v2_completions_llama2orig.csv.gz", [row, row])
    found = read_xstest(tmp_path)
    assert [one.model for one in found] == ["gpt4", "llama2orig", "llama2orig"]
    assert {one.label for one in found} == {"compliance"}
