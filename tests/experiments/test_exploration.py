"""A hypothesis of one's own: one change, a prediction before the run, and whether it held."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from run_folder import write_run
from shoal.cli.main import main
from shoal.errors import ExperimentFileError, StoreError, UnknownNameError, UsageError
from shoal.experiments import load_experiment
from shoal.experiments.exploration import (
    ChangePrediction,
    change_one,
    changeable_keys,
    judge_prediction,
    open_exploration,
    state_prediction,
    write_exploration,
)
from shoal.experiments.exploration.outcome import decide_prediction


def test_one_key_is_changed_and_nothing_else() -> None:
    base = load_experiment("counting", "quick")
    changed = change_one(base, "training.epochs", 20.0)
    assert changed.training.epochs == 20
    assert changed.model_copy(update={"training": base.training}) == base
    assert change_one(base, "arms.pretrained", "bundled:stories").arms["pretrained"] == "bundled:stories"
    assert change_one(base, "training.dropout", 0.1).training.dropout == 0.1
    assert changeable_keys(base)[0].question


def test_a_change_that_says_nothing_is_refused() -> None:
    base = load_experiment("counting", "quick")
    with pytest.raises(UsageError, match=r"is 80\.0 already"):
        change_one(base, "training.epochs", 80.0)
    with pytest.raises(UsageError, match="must be the same in both runs"):
        change_one(base, "measure.smallest_effect", 0.5)
    with pytest.raises(UnknownNameError, match=r"did you mean 'split\.name'"):
        change_one(base, "split.nam", "random")
    with pytest.raises(ExperimentFileError, match="epochs"):
        change_one(base, "training.epochs", -1.0)
    with pytest.raises(UsageError, match="give one of higher, lower, same"):
        ChangePrediction(direction="up")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "interval", "decision"),
    [
        ("higher", (0.3, 0.1, 0.5), "held"),
        ("higher", (0.05, 0.01, 0.09), "failed"),
        ("higher", (0.2, -0.1, 0.5), "undecided"),
        ("higher", (-0.3, -0.5, -0.1), "failed"),
        ("lower", (-0.3, -0.5, -0.1), "held"),
        ("lower", (0.3, 0.1, 0.5), "failed"),
        ("same", (0.0, -0.05, 0.05), "held"),
        ("same", (0.3, 0.1, 0.5), "failed"),
        ("same", (0.05, -0.2, 0.3), "undecided"),
        ("higher", (0.3, float("-inf"), float("inf")), "undecided"),
    ],
)
def test_the_rule(direction: str, interval: tuple[float, float, float], decision: str) -> None:
    assert decide_prediction(direction, *interval, smallest=0.1) == decision  # type: ignore[arg-type]


@pytest.fixture
def exploration(tmp_path: Path) -> Path:
    """Two runs of six seeds with equal items, the second with another number of epochs in its file."""
    for name in ("base", "changed"):
        write_run(tmp_path / name, seeds=6, largest=10)
    plan = tmp_path / "changed" / "experiment.toml"
    plan.write_text(plan.read_text() + "\n[training]\nepochs = 5.0\n")
    return tmp_path


def test_equal_runs_differ_by_nothing_in_what_was_changed(exploration: Path) -> None:
    found = judge_prediction(
        ChangePrediction(direction="same", quantity="effect"), exploration / "base", exploration / "changed"
    )
    assert (found.decision, found.estimate, found.changed) == ("held", 0.0, ("training.epochs",))
    assert "The prediction held: the effect stays the same" in str(found)
    wrong = judge_prediction(ChangePrediction(direction="higher"), exploration / "base", exploration / "changed")
    assert wrong.decision == "failed"


def test_a_measure_of_which_less_is_better_is_shown_as_it_is(exploration: Path) -> None:
    for name in ("base", "changed"):
        plan = exploration / name / "experiment.toml"
        plan.write_text(plan.read_text().replace('primary = "exact_match"', 'primary = "bits_per_byte"'))
    found = judge_prediction(ChangePrediction(direction="same"), exploration / "base", exploration / "changed")
    assert found.base == found.now > 0
    assert "went from -" not in str(found)
    assert "(positive is better)" in str(found)


def test_a_prediction_is_made_before_the_run(exploration: Path) -> None:
    first = ChangePrediction(direction="lower")
    with pytest.raises(StoreError, match="none was made"):
        state_prediction(first, exploration)
    (exploration / "changed" / "verdict.json").rename(exploration / "verdict.json")
    state_prediction(ChangePrediction(direction="higher"), exploration)
    state_prediction(first, exploration)
    (exploration / "verdict.json").rename(exploration / "changed" / "verdict.json")
    state_prediction(first, exploration)
    with pytest.raises(StoreError, match=r"it was: the treatment's held-out score becomes lower"):
        state_prediction(ChangePrediction(direction="higher"), exploration)
    found = open_exploration(exploration)
    assert found.outcome is not None
    assert found.outcome.decision == "failed"


def test_the_command_writes_the_file_once_and_draws_the_page_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["explore", str(tmp_path / "mine"), "--json"])
    record = json.loads(capsys.readouterr().out)
    notebook = Path(record["notebook"])
    assert record["outcome"] is None
    assert "Predict, before you look" in Path(record["page"]).read_text(encoding="utf-8")
    notebook.write_text("print('mine')\n")
    main(["explore", str(tmp_path / "mine")])
    assert notebook.read_text() == "print('mine')\n"
    assert "to do  a prediction" in capsys.readouterr().out


def test_the_page_shows_what_came_out(exploration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (exploration / "prediction.json").write_text(json.dumps(ChangePrediction(direction="same").to_dict()))
    main(["explore", str(exploration)])
    assert "The prediction held" in capsys.readouterr().out
    page = (exploration / "explore.html").read_text(encoding="utf-8")
    assert "The prediction held: the treatment&#39;s held-out score stays the same." in page
    assert "<svg" in page


def test_every_cell_of_the_file_is_python_and_no_name_is_defined_in_two(tmp_path: Path) -> None:
    text = write_exploration(tmp_path).read_text(encoding="utf-8")
    cells = text.split("# %%\n")[1:]
    defined: list[str] = []
    for cell in cells:
        # A marimo notebook allows each name in one cell alone.
        names = {
            node.id
            for node in ast.walk(ast.parse(cell))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        defined += names
    assert len(cells) == 7
    assert len(defined) == len(set(defined))


@pytest.mark.slow
def test_the_file_runs_by_itself_to_a_decision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_exploration(tmp_path / "exploration")
    text = path.read_text(encoding="utf-8")
    smaller = text.replace(
        'load_experiment("counting", "quick")',
        'load_experiment("counting", "quick").model_copy(update={"seeds": (0, 1)})\n'
        'base = change_one(change_one(base, "task.options.largest", 8), "training.epochs", 2.0)\n'
        'base = change_one(base, "tuning.learning_rates", [])',
    )
    assert smaller != text
    path.write_text(smaller.replace('"training.epochs", 20.0', '"training.epochs", 3.0'), encoding="utf-8")
    namespace = {"__file__": str(path), "__name__": "__main__"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    assert "prediction" in capsys.readouterr().out
    assert open_exploration(path.parent).outcome is not None
