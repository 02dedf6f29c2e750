"""Files of instructions and requests: the forms of the field's sets, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from shoal.errors import DataError
from shoal.safety.tuning import (
    InstructionPair,
    SafetyRequest,
    balanced_requests,
    check_both_kinds,
    read_instruction_pairs,
    read_safety_requests,
    withhold_requests,
)


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_alpacas_rows_and_rows_of_prompts_are_read_each_instruction_once(tmp_path: Path) -> None:
    alpaca = tmp_path / "alpaca.json"
    rows = [
        {"instruction": "Add.", "input": "1 and 2", "output": "3"},
        {"instruction": "Hi", "input": "", "output": ""},
    ]
    alpaca.write_text(json.dumps([*rows, rows[0] | {"output": "4"}]), encoding="utf-8")
    assert read_instruction_pairs(alpaca) == [InstructionPair(instruction="Add.\n1 and 2", answer="3")]
    own = written(tmp_path / "own.jsonl", [{"prompt": " Hello ", "completion": " Good day. "}])
    assert read_instruction_pairs(own) == [InstructionPair(instruction="Hello", answer="Good day.")]


def test_requests_of_xstest_of_the_paper_and_of_dialogues_are_read(tmp_path: Path) -> None:
    (tmp_path / "xstest.csv").write_text(
        "id,prompt,type,label\n1,Kill a process?,homonyms,safe\n2,Kill a man?,contrast_homonyms,unsafe\n", "utf-8"
    )
    found = read_safety_requests(tmp_path / "xstest.csv")
    assert [(one.harmful, one.type) for one in found] == [(False, "homonyms"), (True, "contrast_homonyms")]
    (tmp_path / "I-Harm.json").write_text(json.dumps({"instructions": ["Rob a bank."], "inputs": [""]}), "utf-8")
    assert read_safety_requests(tmp_path / "I-Harm.json", harmful=True) == [
        SafetyRequest(prompt="Rob a bank.", harmful=True, type="I-Harm")
    ]
    with gzip.open(tmp_path / "hh.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"chosen": "\n\nHuman: Steal?\n\nAssistant: No.\n\nHuman: Why?"}) + "\n")
    assert read_safety_requests(tmp_path / "hh.jsonl.gz", harmful=True)[0].prompt == "Steal?"


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"prompt": "a", "answer": "b"}], "'instruction' and 'output'"),
        ([{"instruction": "a", "output": ""}], "no instruction with an answer"),
        ([], "no instruction with an answer"),
    ],
)
def test_a_set_without_a_column_or_rows_is_refused(tmp_path: Path, rows: list[dict[str, object]], named: str) -> None:
    with pytest.raises(DataError, match=named):
        read_instruction_pairs(written(tmp_path / "rows.jsonl", rows))


def test_requests_must_state_whether_they_are_harmful(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing says whether the request is harmful"):
        read_safety_requests(written(tmp_path / "rows.jsonl", [{"prompt": "a"}]))
    with pytest.raises(DataError, match="no column 'prompt'"):
        read_safety_requests(written(tmp_path / "rows.jsonl", [{"question": "a"}]), harmful=True)


def test_requests_of_one_kind_alone_are_refused() -> None:
    one = SafetyRequest(prompt="a", harmful=True, type="t")
    with pytest.raises(DataError, match="all 1 requests are harmful; give safe ones too"):
        check_both_kinds([one])
    check_both_kinds([one, SafetyRequest(prompt="b", harmful=False, type="t")])


def test_a_balanced_draw_takes_equally_many_of_each_type_and_keeps_their_order() -> None:
    requests = [SafetyRequest(prompt=f"{kind}{place}", harmful=False, type=kind) for kind in "ab" for place in range(9)]
    drawn = balanced_requests(requests, per_type=3)
    assert [sum(one.type == kind for one in drawn) for kind in "ab"] == [3, 3]
    assert [one.prompt for one in drawn] == sorted(one.prompt for one in drawn)
    assert balanced_requests(requests, per_type=3) == drawn != balanced_requests(requests, per_type=3, seed=1)


def test_what_is_measured_on_is_never_trained_on() -> None:
    pairs = [InstructionPair(instruction=text, answer="x") for text in ("How do I rob a bank", "How do I bake?")]
    found = withhold_requests(pairs, [SafetyRequest(prompt="how do I rob a BANK?", harmful=True, type="t")])
    assert [pair.instruction for pair in found.pairs] == ["How do I bake?"]
    assert found.withheld == 1
