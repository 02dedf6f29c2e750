"""``shoal watch``: the events of a log in the terminal, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.cli.main import main


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with one training that breaks."""
    folder = tmp_path / "run"
    folder.mkdir()
    rows = [{"step": step, "loss": 2.0 - step / 100, "seconds": 3.0 * step} for step in range(50)]
    rows.append({"step": 50, "loss": None, "seconds": 150.0})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_events_are_printed_with_their_step_and_time(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["watch", str(run)])
    assert capsys.readouterr().out.splitlines() == [
        f"{run}/metrics.jsonl: 51 steps (0 to 50), 1 event",
        "  step 50: divergence of loss: nan [after 2 min]",
    ]


def test_json_is_strict_and_the_page_has_curve_and_events(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run / "page.html"
    main(["watch", str(run), "--json", "--plot", str(page)])
    (log,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["logs"]
    assert (log["steps"], log["last_step"]) == (51, 50)
    (event,) = log["events"]
    assert (event["kind"], event["step"], event["value"], event["seconds"]) == ("divergence", 50, None, 150.0)
    text = page.read_text()
    assert "One event in 51 steps: a divergence at step 50." in text
    assert "divergence of loss: nan, after 2 min" in text
    assert "<svg" in text


def test_a_log_without_steps_is_noticed_and_one_that_cannot_be_read_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log.csv").write_text("loss\n1.0\n1.5\n")
    main(["watch", str(tmp_path / "log.csv")])
    assert "has no column of steps (step, global_step); its rows are counted from 0" in capsys.readouterr().err
    for text, reason in (
        ("", "is empty"),
        ("loss\n", "is empty"),
        ("step,loss\n3,1\n2,1\n", "step 2 comes after step 3"),
    ):
        (tmp_path / "log.csv").write_text(text)
        with pytest.raises(SystemExit) as ending:
            main(["watch", str(tmp_path / "log.csv")])
        assert ending.value.code == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert reason in printed.err
        assert printed.err.count("\n") == 1
