"""An arm of a run, trained again without groups of its examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shoal.cli.main import main
from shoal.errors import UnknownNameError, UsageError
from shoal.experiments import leave_out_of_run, open_run
from shoal.experiments.leaving_out import retrain_arm
from shoal.experiments.loading import experiment_from
from shoal.experiments.storage import write_json
from shoal.experiments.store import RunStore
from shoal.models import weight_digest
from shoal.tasks import make_task


@pytest.fixture
def tuned(plan: dict[str, Any], tmp_path: Path) -> Path:
    """The folder of a run that has chosen its learning rates, and trained nothing yet."""
    folder = tmp_path / "run"
    RunStore(folder, experiment_from(plan, "test")).close()
    rates = {arm: {"chosen": {"0": 0.01, "1": 0.02}} for arm in ("given", "fresh")}
    write_json(folder / "choices.json", {"precision": "float32", "threads": 1, "learning_rates": rates})
    return folder


def test_each_group_is_left_out_with_the_seeds_of_the_run(tuned: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    result = leave_out_of_run(open_run(tuned), "length", progress=lambda *call: calls.append(call))
    groups = len(result.groups)
    assert groups > 1
    assert result.seeds == (0, 1)
    assert calls[-1] == ("trainings", 2 * (1 + 2 * groups), 2 * (1 + 2 * groups))
    assert sum(effect.examples for effect in result.groups) == len(
        make_task("counting", largest=8, split="last-digit").seen
    )
    # The second call finds all of it done, and no checkpoint is left behind.
    again: list[tuple[str, int, int]] = []
    assert leave_out_of_run(open_run(tuned), "length", progress=lambda *call: again.append(call)) == result
    assert not list((tuned / "leave_out").rglob("checkpoint"))


def test_an_arm_is_trained_as_the_run_would_and_equal_examples_and_seeds_give_equal_weights(tuned: Path) -> None:
    seen = make_task("counting", largest=8, split="last-digit").seen
    train = retrain_arm(open_run(tuned), "given")
    first, again, other, fewer = (
        weight_digest(train(examples, seed).model)
        for examples, seed in ((seen, 0), (seen, 0), (seen, 1), (seen[1:], 0))
    )
    assert first == again
    assert len({first, other, fewer}) == 3


def test_the_verb_prints_the_effects(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", str(tuned), "--leave-out", "length", "--arm", "fresh"])
    text = capsys.readouterr().out
    assert "Trained without each group; 2 seeds" in text
    assert "without length" in text


def test_what_cannot_be_left_out_is_refused(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownNameError, match="gived"):
        leave_out_of_run(open_run(tuned), "length", arm="gived")
    with pytest.raises(UsageError, match="names no groups"):
        leave_out_of_run(open_run(tuned), "colour")
    (tuned / "choices.json").unlink()
    with pytest.raises(UsageError, match="has not chosen its learning rates yet"):
        leave_out_of_run(open_run(tuned), "length")
    for arguments in (["--model", "bundled:searches", "--leave-out", "length"], [str(tuned), "--arm", "given"]):
        with pytest.raises(SystemExit) as stopped:
            main(["explain", *arguments])
        assert stopped.value.code == 2
        assert "--leave-out" in capsys.readouterr().err
