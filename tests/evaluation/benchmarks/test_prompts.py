"""Prompts, choices and gold answers by the rules of lm-evaluation-harness, which a benchmark runs beside."""

from __future__ import annotations

import json

import pytest

from shoal.errors import DataError
from shoal.evaluation.benchmarks import DataFolders, build_items, parse_task

ROWS = [
    {"q": "Who?", "a": "Tom", "b": "Ann", "i": 1, "s": "Tom _ ran."},
    {"q": "Where? ", "a": "here", "b": "there", "i": 0, "s": "It _ is."},
    {"q": "Why", "a": "so", "b": "not", "i": 1, "s": "No _."},
]


def built(tmp_path, *, shots=None, rows=ROWS, **keys):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain = {
        "task": "t",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl", "train": "rows.jsonl"}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "Q: {{q}}\nA:",
        "doc_to_target": "i",
        "doc_to_choice": "{{[a, b]}}",
    }
    return build_items(parse_task(plain | keys, "t.yaml"), DataFolders(tmp_path), shots=shots).items


def test_a_choice_is_scored_behind_the_question_and_the_delimiter(tmp_path):
    item = built(tmp_path)[0]
    assert item.requests == (("Q: Who?\nA:", " Tom"), ("Q: Who?\nA:", " Ann"))
    assert item.gold == 1


def test_examples_end_with_their_answers_and_leave_the_question_itself_out(tmp_path):
    item = built(
        tmp_path, shots=2, fewshot_split="test", fewshot_config={"sampler": "first_n"}, description="Answer.\n"
    )[0]
    assert item.requests[0][0] == "Answer.\nQ: Where? \nA: here\n\nQ: Why\nA: not\n\nQ: Who?\nA:"


def test_examples_are_drawn_by_one_generator_so_that_a_limit_changes_no_prompt(tmp_path):
    rows = [{"q": f"q{place}", "a": "x", "b": "y", "i": 0} for place in range(20)]
    (tmp_path / "rows.jsonl").write_text("")
    whole = built(tmp_path, shots=3, rows=rows, fewshot_split="train")
    task = parse_task(
        {
            "task": "t",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": "rows.jsonl", "train": "rows.jsonl"}},
            "test_split": "test",
            "fewshot_split": "train",
            "output_type": "multiple_choice",
            "doc_to_text": "Q: {{q}}\nA:",
            "doc_to_target": "i",
            "doc_to_choice": "{{[a, b]}}",
        },
        "t.yaml",
    )
    part = build_items(task, DataFolders(tmp_path), shots=3, limit=5).items
    assert [item.id for item in part] == [item.id for item in whole[:5]]
    assert len({item.requests[0][0].split("Q: q")[1] for item in whole}) > 1


def test_where_the_choice_stands_in_the_question_the_target_is_scored(tmp_path):
    items = built(
        tmp_path,
        doc_to_text="{{i}}",
        doc_to_target="{{s.split('_')[1].strip()}}",
        doc_to_choice="{{[s.split('_')[0] + a, s.split('_')[0] + b]}}",
    )
    assert items[0].requests == (("Tom Tom", " ran."), ("Tom Ann", " ran."))
    assert items[0].gold == 1


def test_a_generation_has_a_prefix_and_a_gold_text(tmp_path):
    item = built(tmp_path, output_type="generate_until", doc_to_choice=None, doc_to_target="a", gen_prefix="It is")[1]
    assert item.requests == (("Q: Where? \nA: It is", ""),)
    assert item.gold == "here"


def test_a_target_in_brackets_is_a_list_of_right_answers(tmp_path):
    item = built(tmp_path, doc_to_target="{{[0, 1]}}")[0]
    assert item.gold == [0, 1]


def test_a_task_that_says_no_examples_keeps_to_it(tmp_path):
    assert built(tmp_path, shots=2, num_fewshot=0)[0].requests[0][0] == "Q: Who?\nA:"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"doc_to_text": "{{question}}"}, r"names a column.*it has: a, b, i, q, s"),
        ({"doc_to_text": "{{q"}, "cannot be read by Jinja"),
        ({"doc_to_text": "{{q.__class__.__mro__}}"}, "names a column|fails on a document"),
        ({"doc_to_choice": "{{a}}"}, "which is no list"),
        ({"doc_to_choice": "{{[1, 2]}}"}, "list of texts"),
        (
            {"doc_to_target": "{{none}}", "doc_to_choice": None, "output_type": "loglikelihood", "doc_to_text": 3},
            "text",
        ),
        ({"metadata": {"cluster": "kind"}}, "names the column 'kind'"),
        ({"shots": 9, "fewshot_split": "train"}, "9 examples"),
        ({"dataset_kwargs": {}}, "names no file of the split"),
        ({"dataset_kwargs": {"data_files": {"test": "gone.jsonl"}}}, "reads gone.jsonl, which is not there"),
    ],
)
def test_what_does_not_fit_the_documents_is_said_in_a_line(tmp_path, keys, message):
    with pytest.raises(DataError, match=message):
        built(tmp_path, **keys)


def test_an_id_is_a_function_of_contents_alone(tmp_path):
    one, other = built(tmp_path), built(tmp_path, rows=ROWS[::-1])
    assert {item.id for item in one} == {item.id for item in other}
    assert one[0].id == other[2].id
    assert {item.id for item in built(tmp_path, metadata={"version": 2})}.isdisjoint(item.id for item in one)


def rows_with(**columns):
    return [{**row, **columns} for row in ROWS]


@pytest.mark.parametrize(
    ("rows", "keys", "message"),
    [
        (rows_with(q="\ud800"), {}, "a document of the task t: character .* half of a surrogate pair"),
        (
            rows_with(i=7),
            {"doc_to_text": "{{i}}", "doc_to_target": "a", "shots": 1, "fewshot_split": "train"},
            "an example names choice 7, and there are 2 choices",
        ),
        (ROWS, {"doc_to_text": ["q"]}, r"doc_to_text must be text, not \['q'\]"),
        (ROWS, {"doc_to_target": {"a": 1}}, "doc_to_target must be text, a number or a list"),
        (ROWS, {"doc_to_choice": [1, 2]}, "the choices must be a list of texts"),
        (ROWS, {"doc_to_choice": "{{q}}"}, "doc_to_choice gives 'Who\\?', which is no list"),
        (ROWS, {"shots": 9, "fewshot_split": "train"}, "9 examples before each question need as many documents, not 3"),
        (ROWS, {"description": "{{nothing}}"}, "names a column that the document does not have"),
        (
            rows_with(s=3),
            {"output_type": "loglikelihood", "doc_to_target": "s", "doc_to_choice": None},
            "expected a text",
        ),
    ],
)
def test_documents_that_make_no_request_are_refused_in_one_line(tmp_path, rows, keys, message):
    with pytest.raises(DataError, match=message) as fault:
        built(tmp_path, rows=rows, **keys)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("answer", ["9" * 5000, "[" * 5000 + "]", "[1", "[x]"])
def test_a_target_that_only_looks_like_a_number_or_a_list_is_a_text(tmp_path, answer):
    (first, *_) = built(
        tmp_path, rows=rows_with(s=answer), output_type="generate_until", doc_to_target="{{s}}", doc_to_choice=None,
        metric_list=[{"metric": "exact_match"}],
    )  # fmt: skip
    assert first.gold == answer
    (choice, *_) = built(tmp_path, rows=rows_with(s=answer), doc_to_target="{{s}}")
    assert choice.gold == -1
