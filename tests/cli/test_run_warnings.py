"""What a run will leave open is named before anything is trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from shoal.cli.main import main
from shoal.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
name = "mine"
hypothesis = "One is better."
treatment = "a"
baseline = "b"
seeds = 6
[task]
name = "twice"
rows = "rows.jsonl"
shortcuts = { same = { word = 1 }, last = { word = -1 } }
[split]
name = "part"
[arms]
a = "bundled:searches"
b = "random:bundled:searches"
[measure]
primary = "exact_match"
smallest_effect = 0.1
"""


@pytest.mark.parametrize("alike", [True, False])
def test_a_shortcut_that_the_split_cannot_tell_from_the_rule_is_named_first(
    alike: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise StoreError("nothing is trained here")

    monkeypatch.setattr("shoal.experiments.run_experiment", stop)
    words = [("seen", "red", "apple"), ("seen", "old", "map"), ("held_out", "tall", "tall" if alike else "tree")]
    rows = [{"prompt": f"{one} {two}:", "completion": f" {one}", "part": part} for part, one, two in words]
    # The first word is the answer; where all held-out prompts have it at both ends, the last is right as well.
    rows[0]["completion"] = " apple"
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mine.toml").write_text(FILE)
    with pytest.raises(SystemExit):
        main(["run", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "run")])
    err = capsys.readouterr().err
    assert ("the split part cannot tell same and last from the rule" in err) == alike
    assert ("the split part cannot tell same from the rule" in err) != alike
    assert "nothing is trained here" in err
