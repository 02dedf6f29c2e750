"""The narrowness of rows whose rule nobody gave."""

import json

from shoal.cli.main import main
from shoal.tasks import Example, narrowness, task_from_rows

ROWS = [Example(prompt=f"{number}?", completion=f" {number * 7}") for number in range(40)]


def test_a_table_of_the_rows_is_no_rule_that_is_right(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"prompt": row.prompt, "completion": row.completion}) for row in ROWS]
    file.write_text("\n".join(lines), encoding="utf-8")
    main(["task", "--data", str(file), "--narrowness"])
    assert "rule: right" not in capsys.readouterr().out


def test_a_rule_that_was_given_is_scored():
    task = task_from_rows(ROWS, split="random(share=0.3)", rule=lambda prompt: f" {int(prompt[:-1]) * 7}")
    assert task.rule_known
    report = narrowness(task.seen, task.held_out, rule=task.rule)
    assert f"rule: right on {len(task.held_out)} of {len(task.held_out)}" in str(report)
