"""``shoal eval``: figures, a page that fetches nothing, JSON, and faults in a line."""

from __future__ import annotations

import json

import pytest

from shoal.cli.main import main

TASK = """
task: tiny_choices
dataset_path: json
dataset_kwargs: {data_files: {test: tiny.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{[a, b]}}"
doc_to_target: 0
"""


@pytest.fixture
def task_file(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TASK)
    rows = [{"q": f"Tim saw {count} dogs.", "a": "He ran.", "b": "<b>No</b>"} for count in range(4)]
    (tmp_path / "tiny.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "tiny.yaml"


def test_figures_a_page_and_samples(task_file, tmp_path, capsys):
    page, samples = tmp_path / "page.html", tmp_path / "samples.jsonl"
    main(
        [
            "eval",
            "--model",
            "bundled:stories",
            "--tasks",
            str(task_file),
            "--plot",
            str(page),
            "--samples",
            str(samples),
        ]
    )
    shown = capsys.readouterr().out
    assert "tiny_choices: 4 items, 0 shots" in shown
    assert "distinguishable from chance (0.500)" in shown
    text = page.read_text()
    assert "bundled:stories reaches acc" in text
    assert 'id="benchmark-items"' in text
    assert "<b>No</b>" not in text  # a choice is no markup
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert len(samples.read_text().splitlines()) == 4


def test_json_and_the_list_of_tasks(task_file, capsys):
    main(["eval", "--model", "bundled:stories", "--tasks", str(task_file), "--limit", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["tasks"][0]["items"] == 2
    assert found["reuses_prefixes"] is True
    main(["eval", "--tasks", "list"])
    assert {"gsm8k", "blimp", "babylm"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tasks", "gsm8k"], "no model is given"),
        (["--tasks", "gsm9k", "--model", "bundled:stories"], "did you mean 'gsm8k'"),
        (["--tasks", ",", "--model", "bundled:stories"], "no task is given"),
        (["--tasks", "gsm8k", "--model", "bundled:stories", "--plot", "gone/page.html"], "no folder gone"),
        (["--plan", "PLAN", "--shots", "3", "--limit", "9"], "leave out --shots and --limit"),
        (["--tasks", "gsm8k", "--model", "m", "--write-plan", "PLAN", "--samples", "s.jsonl"], "leave out --samples"),
    ],
)
def test_faults_are_a_line_and_exit_code_2(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["eval", *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
