"""An experiment on safety tuning from its file to its folder, with a model of a few thousand parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat_models import save_chat_model
from refusal_rows import pair_rows
from reward_models import save_reward_model
from shoal.cli.main import main
from shoal.errors import DataError, UsageError
from shoal.experiments.safety_tuning import (
    SafetyTuning,
    explain_safety_tuning,
    load_safety_tuning,
    read_safety_tuning,
    tune_safety,
)
from shoal.reports import safety_tuning_content
from shoal.safety.shortcut import PairSet, make_minimal_pairs


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of an experiment with two numbers of safety examples and two seeds."""
    folder = tmp_path_factory.mktemp("tuning")
    save_chat_model(folder / "model")
    save_chat_model(folder / "plain-model", template=False)
    rows = [{"instruction": f"Say {place}", "output": f"It is {place}."} for place in range(8)]
    (folder / "i.json").write_text(json.dumps(rows), encoding="utf-8")
    safe = [{"prompt": f"Harm {place}", "completion": "I can't."} for place in range(4)]
    (folder / "s.jsonl").write_text("\n".join(map(json.dumps, safe)), encoding="utf-8")
    requests = [
        {"prompt": f"{kind} {place}", "label": kind, "type": f"{kind} things"}
        for kind in ("safe", "unsafe")
        for place in range(3)
    ]
    (folder / "r.jsonl").write_text("\n".join(map(json.dumps, requests)), encoding="utf-8")
    (folder / "plan.toml").write_text(
        f"""
model = "{folder / "model"}"
safety_examples = [0, 2]
seeds = 2
max_tokens = 3
[instructions]
source = "i.json"
examples = 3
held_out = 2
[safe_answers]
source = "s.jsonl"
[[requests]]
source = "r.jsonl"
[training]
batch_tokens = 64
lora_rank = 2
first_layer = 1
[[hypothesis]]
name = "fewer"
claim = "They lower it"
measure = "harmful_complied"
treatment = [2]
baseline = [0]
direction = "lower"
smallest_effect = 0.5
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def result(home: Path) -> SafetyTuning:
    return tune_safety(load_safety_tuning(home / "plan.toml"), home / "run", workers=0)


def test_every_number_and_seed_is_tuned_and_measured_next_to_the_untuned_model(result: SafetyTuning) -> None:
    assert result.numbers == (None, 0, 2)
    assert (result.trainings, result.planned) == (5, 5)
    assert [len(one.by_training) for one in result.estimates if one.measure == "held_out_loss"] == [1, 2, 2]
    assert result.verdicts[0].verdict == "underpowered"  # two seeds can exclude nothing
    assert {one.type for one in result.types} == {"safe things", "unsafe things"}
    assert "safety examples" in str(result)
    page = safety_tuning_content(result).to_html()
    assert "Claims and verdicts" in page
    assert "before tuning" in page


def test_what_a_kill_lost_is_done_again_with_the_same_result_and_nothing_else(home: Path, result: SafetyTuning) -> None:
    place = home / "run" / "trainings" / "2-seed-1"
    answers = (place / "answers.jsonl").read_text(encoding="utf-8")
    (place / "done.json").unlink()
    (place / "answers.jsonl").unlink()
    assert read_safety_tuning(home / "run").trainings == 4
    done: list[int | None] = []
    plan = load_safety_tuning(home / "plan.toml")
    again = tune_safety(plan, home / "run", workers=0, on_training=lambda one: done.append(one.safety_examples))
    assert done == [2]
    assert (place / "answers.jsonl").read_text(encoding="utf-8") == answers
    assert again.estimates == result.estimates
    assert (place / "adapters" / "adapter_model.safetensors").is_file()
    assert not (place / "checkpoint").exists()


def test_faults_of_the_file_are_found_before_anything_is_trained_and_leave_no_folder(home: Path) -> None:
    plain = load_safety_tuning(home / "plan.toml", values={"model": str(home / "plain-model")})
    with pytest.raises(UsageError, match="no chat template"):
        tune_safety(plain, home / "other", workers=0)
    few = load_safety_tuning(home / "plan.toml", values={"instructions.examples": 30})
    with pytest.raises(DataError, match="8 rows that fit the limits of tokens, and 32 are needed"):
        tune_safety(few, home / "other", workers=0)
    deep = load_safety_tuning(home / "plan.toml", values={"training.first_layer": 99})
    with pytest.raises(DataError, match="no block of this number"):
        tune_safety(deep, home / "deep", workers=0)


def test_refusals_are_explained_by_number_and_seed_and_a_second_call_answers_nothing_again(
    home: Path, result: SafetyTuning, tmp_path: Path
) -> None:
    pairs = make_minimal_pairs(pair_rows())
    few = PairSet(pairs=pairs.pairs[:2], focus_words=pairs.focus_words, left_out={})
    curve = explain_safety_tuning(home / "run", few, max_tokens=3, out=tmp_path)
    assert [(point.safety_examples, point.trainings) for point in curve.points] == [
        (None, ("untuned",)),
        (0, ("0-seed-0", "0-seed-1")),
        (2, ("2-seed-0", "2-seed-1")),
    ]
    files = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert len(files) == 5
    assert files["scores-0-seed-0.jsonl"] != files["scores-2-seed-0.jsonl"]  # adapters are merged, and named by it
    asked: list[tuple[int, int]] = []
    again = explain_safety_tuning(
        home / "run",
        few,
        max_tokens=3,
        out=tmp_path,
        seeds=1,
        progress=lambda _, done, total: asked.append((done, total)),
    )
    assert [point.trainings for point in again.points] == [("untuned",), ("0-seed-0",), ("2-seed-0",)]
    assert asked == [(3, 3)] * 3
    assert files == {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}


def test_answers_are_scored_for_harm_after_the_trainings(
    home: Path, result: SafetyTuning, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["safety", "tune", str(home / "plan.toml"), "--out", str(home / "run"), "--workers", "0"]
    given += ["--harm-model", str(save_reward_model(tmp_path / "reward")), "--plot", str(tmp_path / "page.html")]
    main(given)
    assert "harmful answers to harmful requests" in capsys.readouterr().out
    assert "Harmful answers" in (tmp_path / "page.html").read_text(encoding="utf-8")
    main([*given, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["estimates"] == result.to_dict()["estimates"]
    assert {(one["measure"], one["safety_examples"]) for one in found["harm"]} == {
        (measure, number) for measure in ("harm_in_harmful", "harm_in_safe") for number in (None, 0, 2)
    }
    assert "not corrected" in found["harm_scorer"]


def test_the_command_explains_an_experiment_and_refuses_what_cannot_stand_beside_it(
    home: Path, result: SafetyTuning, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts, page = tmp_path / "prompts.jsonl", tmp_path / "page.html"
    prompts.write_text("\n".join(map(json.dumps, pair_rows())), encoding="utf-8")
    given = ["safety", "explain", "--prompts", str(prompts), "--adapters", str(home / "run"), "--max-pairs", "1"]
    given += ["--max-tokens", "2", "--seeds", "1"]
    main([*given, "--plot", str(page)])
    assert "how often prompts are refused" in capsys.readouterr().out
    assert "By number of safety examples" in page.read_text(encoding="utf-8")
    adapters = str(home / "run" / "trainings" / "2-seed-1" / "adapters")
    for wrong, message in (
        ([*given, "--label", "mine"], "which is explained by itself"),
        ([*given[:4], "--adapters", adapters], "1 adapters are given with 0 models"),
        ([*given[:4], "--model", str(home / "model"), "--seeds", "1"], "--seeds chooses among the trainings"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
    main([*given[:4], "--model", str(home / "model"), "--adapters", adapters, *given[6:10], "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in found["models"]] == [str(home / "model"), adapters]
