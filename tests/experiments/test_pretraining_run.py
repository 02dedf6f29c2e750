"""A recipe run to its model: records, checkpoints, resume after SIGKILL, and what stops it."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from children import answer_of, deadly, killed
from shoal.errors import ModelError, StoreError, TrainingError, UsageError
from shoal.experiments.pretraining import (
    Evaluation,
    PretrainCallbacks,
    PretrainResult,
    Recipe,
    plan_run,
    pretrain_run,
    recipe_from,
)
from shoal.experiments.pretraining.callbacks import checkpoint_steps, score_steps
from shoal.reports import LiveCurve, write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.training import CurvePoint


def recipe(**changes: Any) -> Recipe:
    table = {
        "name": "small",
        "corpus": [{"name": "told", "grammar": 80, "held_out": 0.1}],
        "tokenizer": {"vocabulary": 300},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 64},
        "training": {"tokens": 12_000, "batch_tokens": 512, "precision": "float32"},
        "evaluation": {"documents": 7, "every": 10, "sample_tokens": 3, "memorised": 10},
    }
    return recipe_from(table, "small.toml").with_values(changes)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pretraining")


@pytest.fixture(scope="module")
def run(home: Path) -> PretrainResult:
    return pretrain_run(recipe(**{"checkpoints.every": 8}), home / "whole")


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def bits(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def test_the_model_is_loaded_by_transformers_and_by_shoal(run: PretrainResult) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from shoal.models import load_model

    model = AutoModelForCausalLM.from_pretrained(run.model)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert sum(weight.numel() for weight in model.parameters()) == run.parameters
    tokenizer = AutoTokenizer.from_pretrained(run.model)
    assert tokenizer.decode(tokenizer("Once upon a time").input_ids) == "Once upon a time"
    assert tokenizer.model_max_length == 64
    assert load_model(str(run.model), device="cpu").parameters == run.parameters


def test_a_result_prints_itself_and_gives_its_curve_as_a_frame(run: PretrainResult) -> None:
    pytest.importorskip("pandas")
    text = str(run)
    assert f"told: {run.bits_per_byte['told']:.4f} bits per byte [" in text
    assert f"{run.parameters:,} parameters, {run.tokens:,} tokens in {run.steps:,} steps, float32, " in text
    frame = run.to_frame()
    assert list(frame["step"]) == list(range(1, run.steps + 1))
    assert frame["loss"].iloc[-1] == run.curve[-1].loss


def test_the_card_says_what_was_read_and_measured(run: PretrainResult) -> None:
    card = (run.model / "README.md").read_text()
    score = run.held_out["told"]
    (read,) = json.loads((run.folder / "plan.json").read_text())["corpora"]
    assert f"| told | the story grammar of shoal, seed 0 | 80 | {read['size']:,} | {read['held_out']} |" in card
    assert f"| {score.bits_per_byte:.3f} [{score.low:.3f}, {score.high:.3f}] | not stated |" in card
    assert f"{run.parameters:,} parameters: 1 block of width 16 with 2 heads" in card
    assert run.memorised is not None
    assert f"Of {run.memorised.training_prefixes} training prefixes of 32 tokens" in card
    last = [row for row in rows(run.folder / "samples.jsonl") if row["step"] == run.steps]
    assert last
    assert f"> **{last[0]['prompt']}**" in card


def test_a_run_that_could_not_begin_leaves_the_folder_free(tmp_path: Path) -> None:
    wrong = recipe(**{"tokenizer.vocabulary": 90_000})
    with pytest.raises(UsageError, match="not the requested 90000"):
        pretrain_run(wrong, tmp_path / "run")
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == [".lock"]
    short = {"training.tokens": 1000, "evaluation.prompts": [], "evaluation.memorised": 0}
    mended = pretrain_run(recipe(**short), tmp_path / "run")
    with pytest.raises(UsageError):
        pretrain_run(wrong.with_values(short), tmp_path / "other")
    with pytest.raises(StoreError, match=r"tokenizer\.vocabulary = 300, not 90000"):
        pretrain_run(wrong.with_values(short), tmp_path / "run")
    assert mended.model.is_dir()


def test_the_curve_is_drawn_while_the_model_learns(home: Path) -> None:
    pages: dict[int, str] = {}
    curve = LiveCurve(home / "live", seconds=0.0)
    page = home / "live" / "curve.html"

    def look(evaluation: Evaluation) -> None:
        curve.draw(evaluation, steps=6)
        if page.is_file():
            pages[evaluation.step] = page.read_text()

    short = recipe(**{"training.tokens": 3000, "evaluation.every": 2})
    pretrain_run(short, home / "live", callbacks=PretrainCallbacks(on_evaluation=look))
    assert list(pages) == [2, 4, 6]
    assert "Under way: step 4 of 6." in pages[4]
    assert "location.reload" in pages[4]
    assert write_report(home / "live") == page
    assert "Under way" not in page.read_text()
    assert "location.reload" not in page.read_text()


def test_a_pretraining_that_has_not_ended_has_no_report(home: Path) -> None:
    folder = home / "unfinished"
    folder.mkdir()
    (folder / "recipe.toml").write_text("")
    with pytest.raises(StoreError, match="no finished pretraining"):
        write_report(folder)


def test_the_loss_falls_and_held_out_bits_are_those_of_the_saved_model(run: PretrainResult, home: Path) -> None:
    from shoal.evaluation.likelihoods import encode_texts, log_likelihoods
    from shoal.experiments.pretraining.documents import document_id, prepare_documents, read_texts
    from shoal.models import load_model

    losses = [point.loss for point in run.curve]
    assert len(losses) == run.steps
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.3
    score = run.held_out["told"]
    assert score.low < score.bits_per_byte < score.high
    ids = set((run.folder / "held_out.txt").read_text().split())
    texts = list(read_texts(prepare_documents(recipe().corpus[0], home / "prepared")))
    chosen = sorted((document_id(text), text) for text in texts if document_id(text) in ids)[:7]
    loaded = load_model(str(run.model), device="cpu")
    short = [text[:60] for _, text in chosen]
    nats = log_likelihoods(loaded.model, encode_texts(loaded.model, loaded.tokenizer, short))
    alone = -sum(nats) / math.log(2) / sum(len(text) for text in short)
    assert sum(len(text.encode()) for _, text in chosen) == score.size
    assert abs(alone - score.bits_per_byte) < 0.25 * score.bits_per_byte


def test_bits_per_byte_count_every_token_once() -> None:
    from shoal.experiments.pretraining.scoring import scoring_windows

    for length in (5, 64, 65, 66, 97, 98, 500):
        scored = [place for _, first, stop in scoring_windows(length, 1, 64) for place in range(first, stop)]
        assert scored == list(range(1, length))
        assert all(stop - start <= 65 for start, _, stop in scoring_windows(length, 1, 64))
        assert all(first - start >= 32 for start, first, _ in scoring_windows(length, 1, 64)[1:])


def test_steps_scores_and_samples_stand_in_json_lines_and_in_sqlite(run: PretrainResult) -> None:
    base = sqlite3.connect(run.folder / "records.sqlite")
    for name, columns in (("metrics", "step, loss"), ("scores", "step, bits_per_byte"), ("samples", "step, text")):
        held = base.execute(f"SELECT {columns} FROM {name} ORDER BY rowid").fetchall()
        keys = columns.split(", ")
        assert held == [tuple(row[key] for key in keys) for row in rows(run.folder / f"{name}.jsonl")]
    base.close()
    assert [row["step"] for row in rows(run.folder / "metrics.jsonl")] == list(range(1, run.steps + 1))
    assert [row["step"] for row in rows(run.folder / "scores.jsonl")] == sorted(score_steps(run.steps, 10))
    assert run.seconds > 0
    assert run.cpu_seconds > 0
    page = write_report(run.folder).read_text()
    assert "held out: told" in page
    assert "https://" not in page.replace("https://www.w3.org", "").replace("http://www.w3.org", "")
    assert (run.folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_gap_to_documents_that_were_trained_on_is_recorded_and_drawn(run: PretrainResult) -> None:
    curve = run.held_out_curve
    assert curve is not None
    assert [point.step for point in curve.points] == sorted(score_steps(run.steps, 10))
    assert [row["gap"] for row in rows(run.folder / "evaluations.jsonl")] == [point.gap for point in curve.points]
    last = curve.points[-1]
    assert last.gap is not None
    assert last.gap_low is not None
    assert last.gap_high is not None
    assert last.gap_low < last.gap < last.gap_high
    # The loss of the held-out documents is that whose bits per byte are recorded.
    nats = run.held_out["told"].bits_per_byte * run.held_out["told"].size * math.log(2)
    assert nats / last.loss == pytest.approx(round(nats / last.loss))
    assert "gap to the training loss" in str(run)
    assert "no evidence of overfitting" in str(run)
    assert "Held-out loss and gap" in write_report(run.folder).read_text()


def test_a_pretraining_stops_early_and_saves_its_best_model(home: Path) -> None:
    changes = {
        "training.tokens": 20_000,
        "training.learning_rate": 0.1,
        "training.early_stopping_patience": 1,
        "training.early_stopping_alpha": 1.0,
        "training.ema_decay": 0.5,
        "evaluation.every": 2,
        "evaluation.prompts": [],
        "evaluation.memorised": 0,
    }
    done = pretrain_run(recipe(**changes), home / "early")
    curve = done.held_out_curve
    assert curve is not None
    assert curve.stopped_early
    assert done.steps == curve.points[-1].step < json.loads((done.folder / "plan.json").read_text())["steps"]
    assert curve.returned_step == curve.best_step == done.steps - 2
    best = [row for row in rows(done.folder / "scores.jsonl") if row["step"] == curve.best_step]
    # What is saved and scored at the end are the averaged weights of the best step.
    assert done.bits_per_byte["told"] == pytest.approx(best[0]["bits_per_byte"])
    again = pretrain_run(recipe(**changes), home / "early")
    assert again == done


def test_early_stopping_without_held_out_documents_is_refused(home: Path) -> None:
    nothing = {"corpus.0.held_out": 0.0, "training.early_stopping_patience": 2, "training.tokens": 1000}
    with pytest.raises(UsageError, match="early_stopping_patience = 2 needs held-out documents, and none are given"):
        pretrain_run(recipe(**nothing), home / "nothing")


def test_the_kept_checkpoints_are_log_spaced_and_read_by_insight(run: PretrainResult) -> None:
    from shoal.insight import AnalysisOptions, checkpoint_folders, head_types_over_training

    steps = [step for step, _ in checkpoint_folders(run.folder)]
    assert steps == sorted(checkpoint_steps(run.steps, 8)) == [0, 1, 2, 4, 8, 16, 24]
    history = head_types_over_training(run.folder, device="cpu", options=AnalysisOptions(alpha=0.5))
    assert history.steps == tuple(steps)
    first = (run.folder / "checkpoints" / "step-0" / "model.safetensors").read_bytes()
    last = (run.folder / "checkpoints" / "step-24" / "model.safetensors").read_bytes()
    assert first != last == bits(run.folder)


def test_checkpoints_are_spaced_as_in_pythia() -> None:
    assert sorted(checkpoint_steps(3000, 1000)) == [0, *(2**k for k in range(10)), 1000, 2000, 3000]
    assert checkpoint_steps(3000, None) == frozenset()


def test_a_model_is_scored_ten_times_or_every_so_many_steps() -> None:
    assert sorted(score_steps(733, None)) == [0, 73, 147, 220, 293, 366, 440, 513, 586, 660, 733]
    assert sorted(score_steps(3, None)) == [0, 1, 2, 3]
    assert sorted(score_steps(25, 10)) == [0, 10, 20, 25]


def test_watching_changes_nothing(run: PretrainResult, home: Path) -> None:
    quiet = {
        "evaluation.every": 1000,
        "evaluation.memorised": 0,
        "evaluation.prompts": [],
        "training.checkpoint_seconds": 1e6,
    }
    assert pretrain_run(recipe(**quiet), home / "quiet").curve == run.curve
    assert bits(home / "quiet") == bits(run.folder)


def _train(changes: dict[str, Any], folder: Path, on_step: Callable[[CurvePoint], None]) -> None:
    pretrain_run(recipe(**changes), folder, callbacks=PretrainCallbacks(on_step=on_step))


@pytest.mark.parametrize("kind", ["llama", "gpt-neo"])
def test_a_training_that_was_killed_twice_ends_with_the_same_bits(tmp_path: Path, home: Path, kind: str) -> None:
    changes = {"checkpoints.every": 8, "training.checkpoint_seconds": 1e-9, "model.kind": kind, "training.dropout": 0.0}
    whole = pretrain_run(recipe(**changes), home / f"whole-{kind}")
    folder = home / f"killed-{kind}"
    metrics = folder / "metrics.jsonl"
    for steps in (5, 8):
        killed(_train, changes, folder, deadly(steps, 0.01, last=steps + 2))
    with metrics.open("a") as torn:
        torn.write('{"step": 99, "lo')
    resumed = pretrain_run(recipe(**changes), folder)
    assert resumed.curve == whole.curve
    assert resumed.held_out == whole.held_out
    assert bits(folder) == bits(whole.folder)
    assert resumed.held_out_curve == whole.held_out_curve
    for name in ("scores", "samples", "evaluations"):
        assert rows(folder / f"{name}.jsonl") == rows(whole.folder / f"{name}.jsonl")
    assert [row["step"] for row in rows(metrics)] == list(range(1, whole.steps + 1))
    seconds = [row["seconds"] for row in rows(metrics)]
    assert seconds == sorted(seconds)
    for step in checkpoint_steps(whole.steps, 8):
        kept = [f / "checkpoints" / f"step-{step}" / "model.safetensors" for f in (folder, whole.folder)]
        assert kept[0].read_bytes() == kept[1].read_bytes()


def test_a_finished_run_gives_its_result_again(run: PretrainResult) -> None:
    stamp = (run.folder / "model" / "model.safetensors").stat().st_mtime_ns
    assert pretrain_run(recipe(**{"checkpoints.every": 8}), run.folder) == run
    assert (run.folder / "model" / "model.safetensors").stat().st_mtime_ns == stamp


def test_a_folder_of_another_recipe_is_refused(run: PretrainResult) -> None:
    with pytest.raises(StoreError, match=r"holds a run with training.learning_rate = 0.003, not 0.01"):
        pretrain_run(recipe(**{"checkpoints.every": 8, "training.learning_rate": 0.01}), run.folder)
    with pytest.raises(StoreError, match="holds a run; give another folder"):
        pretrain_run(recipe(**{"checkpoints.every": 8}), run.folder, resume=False)


def test_an_interrupt_is_passed_on_and_the_run_goes_on(home: Path, run: PretrainResult) -> None:
    def interrupt(point: Any) -> None:
        if point.step == 7:
            raise KeyboardInterrupt

    changes = {"checkpoints.every": 8}
    with pytest.raises(KeyboardInterrupt):
        pretrain_run(recipe(**changes), home / "interrupted", callbacks=PretrainCallbacks(on_step=interrupt))
    assert pretrain_run(recipe(**changes), home / "interrupted").curve == run.curve


def test_memorised_text_is_looked_for_among_what_was_read(home: Path) -> None:
    changes = {
        "training.tokens": 512,
        "evaluation.memorised": 50,
        "evaluation.prefix_tokens": 4,
        "evaluation.memorised_tokens": 4,
        "evaluation.prompts": [],
    }
    result = pretrain_run(recipe(**changes), home / "little")
    assert result.memorised is not None
    assert result.tokens <= 512
    # 72 stories might have been read, and a step of 512 tokens has room for a tenth of them.
    assert 1 <= result.memorised.training_prefixes <= 512 // 9
    read = sum(len(one) for one in _starts(recipe(**changes), home).values())
    assert result.memorised.training_prefixes <= read < 40
    assert result.memorised.held_out_prefixes > 0


def _starts(given: Recipe, home: Path) -> dict[str, Any]:
    from shoal.experiments.pretraining.data import prepare_data

    stream = prepare_data(given, home / "prepared").stream
    assert {name: len(one) for name, one in stream.starts_read(0).items()} == {"told": 0}
    return stream.starts_read(stream.steps)


def test_a_run_goes_on_with_the_corpus_that_it_was_begun_with(tmp_path: Path) -> None:
    source = tmp_path / "stories.jsonl"
    stories = [f"The cat number {place} sat on the mat of house {place % 7}. It saw a dog." for place in range(120)]
    source.write_text("".join(json.dumps({"text": story}) + "\n" for story in stories))
    told = {"name": "told", "source": str(source), "held_out": 0.1}
    small = {"corpus": [told], "model.context": 16, "training.tokens": 2_000, "evaluation.prompts": []}

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain_run(recipe(**small), tmp_path / "run", progress=interrupt)
    # Nothing is trained yet: corrected data are read.
    source.write_text("".join(json.dumps({"text": f"{story} It slept."}) + "\n" for story in stories))
    with pytest.raises(KeyboardInterrupt):
        pretrain_run(recipe(**small), tmp_path / "run", callbacks=PretrainCallbacks(on_step=interrupt))
    held_out = (tmp_path / "run" / "held_out.txt").read_bytes()
    source.write_text("".join(json.dumps({"text": f"{story} It ran."}) + "\n" for story in stories))
    with pytest.raises(StoreError, match=r"other contents of .*stories\.jsonl"):
        pretrain_run(recipe(**small), tmp_path / "run")
    assert (tmp_path / "run" / "held_out.txt").read_bytes() == held_out


def test_a_loss_that_is_no_number_stops_and_keeps_the_model_before(home: Path) -> None:
    from shoal.models import load_model

    broken = recipe(**{"training.learning_rate": 1e30, "training.gradient_clip": 0.0, "training.warmup": 0.0})
    with pytest.raises(TrainingError, match=r"of step \d+ is (nan|inf) on batch \d+: told \d+.*last-good") as fault:
        pretrain_run(broken, home / "broken")
    assert "\n" not in str(fault.value)
    kept = load_model(str(home / "broken" / "last-good"), device="cpu")
    assert all(bool(weight.isfinite().all()) for weight in kept.model.parameters())
    assert not (home / "broken" / "model").exists()


@pytest.mark.slow
def test_memorised_text_is_counted(home: Path) -> None:
    changes = {
        "corpus.told.grammar": 3,
        "corpus.told.held_out": 0.2,
        "training.weight_decay": 0.0,
        "training.tokens": 200_000,
        "model.heads": 4,
        "training.learning_rate": 1e-2,
        "training.batch_tokens": 256,
        "model.width": 64,
        "model.layers": 2,
        "evaluation.every": 10_000,
        "evaluation.prefix_tokens": 8,
        "evaluation.memorised_tokens": 8,
        "evaluation.memorised": 30,
        "tokenizer.vocabulary": 290,
    }
    counted = pretrain_run(recipe(**changes), home / "memorised").memorised
    assert counted is not None
    assert counted.training_prefixes > 10
    assert counted.training >= 0.7 * counted.training_prefixes
    assert counted.held_out_prefixes > 4
    assert counted.held_out <= 0.3 * counted.held_out_prefixes


def test_the_plan_is_said_before_the_first_step(home: Path) -> None:
    order: list[str] = []
    callbacks = PretrainCallbacks(
        on_plan=lambda plan: order.append(str(plan)), on_step=lambda point: order.append(str(point.step))
    )
    result = pretrain_run(recipe(seed=3), home / "planned", callbacks=callbacks)
    plan = plan_run(recipe(seed=3), home / "prepared")
    assert "about" in order[0]
    assert f"{result.steps} steps" in order[0]
    assert order[1:] == [str(point.step) for point in result.curve]
    assert plan.steps == result.steps
    assert plan.seconds == plan.step_seconds * plan.steps > 0


def test_heads_that_do_not_divide_the_width_are_refused(home: Path) -> None:
    with pytest.raises(UsageError, match="3 heads do not divide a width of 16"):
        pretrain_run(recipe(**{"model.heads": 3}), home / "heads")


def _train_on_a_full_disk(folder: Path) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    pretrain_run(recipe(), folder)


def test_a_full_disk_is_said_in_one_line_and_the_run_goes_on_with_room(home: Path, run: PretrainResult) -> None:
    plan_run(recipe(), home / "prepared")
    fault = answer_of(_train_on_a_full_disk, home / "full")
    assert isinstance(fault, StoreError | ModelError)
    assert "room" in str(fault) or "space" in str(fault)
    assert "\n" not in str(fault)
    assert pretrain_run(recipe(), home / "full").curve == run.curve
