"""A comparison with real trainings: every row has numbers, it goes on where it was, and faults are one line."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from shoal.errors import ExperimentFileError, StoreError, TrainingError, UsageError
from shoal.experiments.overfitting import forecast_overfit, load_overfit, read_overfit, run_overfit
from shoal.experiments.overfitting.planning import Planning
from shoal.models import load_model
from shoal.reports import write_report
from tiny_recipes import tiny_recipe

RECIPE = tiny_recipe(stories=40, tokens=1200, batch_tokens=400, more='precision = "float32"\n')

COMPARISON = """recipe = "r.toml"
seeds = 2
members = 2
documents = 4

[methods]
smoothed = { "training.label_smoothing" = 0.2 }
stopped = { "training.keep_best" = true }
impossible = { "training.optimizer" = "muon", "training.l1" = 1e-3 }

[axes.decay]
key = "training.weight_decay"
values = [0.1, 1.0]

[ensembles.deep]
kind = "seeds"
compute = "members"

[ensembles.bagging]
kind = "bagging"

[ensembles.boosting]
kind = "boosting"

[ensembles.stacking]
kind = "stacking"
rows = ["baseline", "decay, chosen"]

[distilled.small]
teacher = "deep"
sampled = 0.2

[growth]
members = 3
sizes = [{ "model.width" = 4 }, { "model.width" = 8 }, { "model.width" = 12 }]

[[claims]]
claim = "Ensembles are better."
better = "members of baseline"
than = "sizes of baseline"
smallest_effect = 0.01
"""


def written(folder, text=COMPARISON, recipe=RECIPE):
    folder.mkdir(exist_ok=True)
    (folder / "r.toml").write_text(recipe)
    (folder / "o.toml").write_text(text)
    return folder / "o.toml"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a finished comparison, its plan, and its result."""
    folder = tmp_path_factory.mktemp("overfit")
    plan = load_overfit(written(folder))
    return folder / "run", plan, run_overfit(plan, folder / "run", workers=0)


def test_every_row_has_numbers_of_each_seed(done):
    result = done[2]
    names = [row.name for row in result.rows]
    assert names == [
        "baseline", "smoothed", "stopped", "impossible", "decay 0.1", "decay 1", "decay, chosen", "deep", "bagging",
        "boosting", "stacking", "small",
    ]  # fmt: skip
    for row in result.rows:
        if row.name == "impossible":
            continue
        assert not row.failed
        assert len(row.by_seed) == 2
        assert row.test.low < row.test.value < row.test.high or row.test.low == row.test.high
        assert row.gap.value == pytest.approx(row.test.value - row.training.value)
    assert len(result.to_frame()) == len(names)
    assert "decay, chosen" in str(result)


def test_rows_of_equal_compute_cost_as_much_as_the_baseline(done):
    rows = {row.name: row for row in done[2].rows}
    base = rows["baseline"].training_compute
    for name in ("smoothed", "decay 1", "bagging", "stacking"):
        assert rows[name].training_compute == pytest.approx(base, rel=0.1), name
    # And what it scores for the next member.
    assert base < rows["boosting"].training_compute
    assert rows["deep"].training_compute == pytest.approx(2 * base, rel=0.01)
    assert rows["deep"].inference_compute == 2 * rows["baseline"].inference_compute
    assert rows["small"].inference_compute == rows["baseline"].inference_compute
    # Its own training, the teacher's, and two passes of it.
    assert rows["small"].training_compute > 3 * base


def test_a_student_costs_what_all_members_of_its_teacher_cost(done, tmp_path, monkeypatch):
    folder, plan, result = done
    rows = {row.name: row for row in result.rows}
    before = rows["small"].training_compute
    assert before > rows["deep"].training_compute
    # A member that got no weight was trained all the same.
    again = Path(shutil.copytree(folder, tmp_path / "run"))
    students = [Planning(plan, again).of_row("small", seed).trainings[0].key for seed in range(2)]
    monkeypatch.setattr(Planning, "weights", lambda self, members: (1.0, *[0.0] * (len(members.trainings) - 1)))
    for seed, key in enumerate(students):
        other = Planning(plan, again).of_row("small", seed).trainings[0].key
        assert other != key
        shutil.copytree(again / "trainings" / key, again / "trainings" / other)
    found = {row.name: row for row in read_overfit(again).rows}
    assert found["deep"].weights == (1, 0)
    assert found["small"].training_compute == pytest.approx(before)


def test_rows_are_paired_with_the_baseline_by_seed(done):
    rows = {row.name: row for row in done[2].rows}
    gains = np.subtract(rows["baseline"].by_seed, rows["deep"].by_seed)
    assert rows["deep"].gain.value == pytest.approx(gains.mean())
    assert rows["baseline"].gain is None


def test_a_mixture_is_scored_as_the_ensemble_that_was_saved(done):
    from shoal.experiments.overfitting.texts import scored_texts
    from shoal.experiments.pretraining.data import prepare_data

    folder, plan, result = done
    prepared = prepare_data(plan.recipe, folder / "prepared")
    text = scored_texts(prepared, plan.recipe, plan.overfit.documents)["test"]
    loaded = load_model(str(folder / "ensembles" / "boosting" / "seed-1"))
    nats = text.log_likelihoods(loaded.model).astype(float)
    row = next(row for row in result.rows if row.name == "boosting")
    assert -nats.sum() / np.log(2) / text.size == pytest.approx(row.by_seed[1], rel=1e-4)
    assert sum(loaded.model.config.weights) == pytest.approx(1)


def test_validation_and_test_text_share_no_document_with_each_other_or_with_training(done):
    from shoal.experiments.overfitting.texts import scored_texts
    from shoal.experiments.pretraining.data import prepare_data

    folder, plan, _ = done
    texts = scored_texts(prepare_data(plan.recipe, folder / "prepared"), plan.recipe, 100)
    rows = {part: {row.ids for row in text.rows} for part, text in texts.items()}
    assert all(rows.values())
    assert not rows["validation"] & rows["test"]
    assert not rows["training"] & (rows["validation"] | rows["test"])


def test_the_asymptotes_and_the_claim_are_of_the_losses_that_were_measured(done):
    members, sizes = done[2].asymptotes
    rows = {row.name: row for row in done[2].rows}
    assert members.sizes == (1.0, 2.0, 3.0)
    assert sizes.sizes[1] == rows["baseline"].parameters
    assert [losses[1] for losses in sizes.losses] == pytest.approx(list(rows["baseline"].by_seed))
    assert members.losses_mean[0] > members.losses_mean[2]
    assert members.floor.value < members.losses_mean[2]
    (claim,) = done[2].claims
    assert claim.effect.value == pytest.approx(sizes.floor.value - members.floor.value, abs=1e-9)
    assert claim.verdict in ("supported", "refuted", "underpowered")


def test_a_comparison_that_lost_a_training_does_it_again_to_the_same_numbers(done):
    folder, plan, result = done
    lost = sorted((folder / "trainings").iterdir())[0]
    before = json.loads((lost / "done.json").read_text())
    shutil.rmtree(lost)
    seen = []
    again = run_overfit(plan, folder, workers=0, on_training=seen.append)
    assert [record.key for record in seen] == [lost.name]
    assert json.loads((lost / "done.json").read_text()) == before
    assert again.to_dict() == result.to_dict() == read_overfit(folder).to_dict()


def test_the_page_holds_every_row_and_the_claim(done):
    page = write_report(done[0]).read_text()
    for row in done[2].rows:
        assert row.name in page
    assert "Ensembles are better." in page
    assert write_report(done[0]) == done[0] / "report.html"


def test_what_is_left_to_do_is_counted_before_it_is_done(done):
    folder, plan, _ = done
    lost = sorted((folder / "trainings").iterdir())[-1]
    record = (lost / "done.json").rename(lost / "other.json")
    forecast = forecast_overfit(plan, folder)
    record.rename(lost / "done.json")
    assert forecast.trainings == len(list((folder / "trainings").iterdir()))
    assert forecast.done == forecast.trainings - 1
    assert forecast.seconds > 0


def test_a_row_that_fails_says_why_and_leaves_the_others(done):
    failed = [row for row in done[2].rows if row.failed]
    assert [row.name for row in failed] == ["impossible"]
    assert "l1" in failed[0].failed
    assert "impossible failed" in str(done[2])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "bagging"', 'kind = "baging"', "bagging"),
        ('teacher = "deep"', 'teacher = "deeep"', "did you mean 'deep'"),
        ('better = "members of baseline"', 'better = "members of smoothed"', "there is no 'members of smoothed'"),
        ("smoothed = {", "smoothed = { \"corpus.tales.grammar\" = 3,", "could not be compared"),
        ("label_smoothing", "label_smothing", "label_smoothing"),
        ('{ "model.width" = 12 }', "", "2 sizes cannot show an asymptote"),
        ("seeds = 2", "seeds = 1", "greater than or equal to 2"),
        ("[ensembles.deep]", "[ensembles.smoothed]", "'smoothed'"),
        ("smoothed = {", "baseline = {", "two rows are called 'baseline'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_run_is_refused_in_one_line(tmp_path, old, new, message):
    with pytest.raises(ExperimentFileError, match=message) as caught:
        load_overfit(written(tmp_path, COMPARISON.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_recipes_without_a_budget_or_held_out_text_are_refused(tmp_path):
    with pytest.raises(ExperimentFileError, match=r"training\.tokens"):
        load_overfit(written(tmp_path, recipe=RECIPE.replace("tokens = 1200\n", "")))
    with pytest.raises(ExperimentFileError, match="holds nothing out"):
        load_overfit(written(tmp_path, recipe=RECIPE.replace("held_out = 0.5", "held_out = 0.0")))
    plan = load_overfit(written(tmp_path))
    with pytest.raises(UsageError, match="--workers"):
        run_overfit(plan, tmp_path / "run", workers=-1)
    with pytest.raises(StoreError, match="no comparison"):
        read_overfit(tmp_path / "nothing")


def test_a_comparison_whose_baseline_is_not_done_has_no_result(done, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(done[0], copy, ignore=shutil.ignore_patterns("trainings", "prepared"))
    with pytest.raises(TrainingError, match="baseline has no result"):
        read_overfit(copy)


@pytest.mark.slow
def test_a_comparison_that_is_killed_ends_with_the_rows_of_one_that_was_not(tmp_path):
    text = COMPARISON.partition("[axes")[0]
    file = written(tmp_path, text, RECIPE.replace("tokens = 1200", "tokens = 60_000"))
    words = [sys.executable, "-m", "shoal", "overfit", str(file), "--out", str(tmp_path / "killed"), "--workers", "2"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed" / "trainings").glob("*/checkpoint/*.safetensors")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "killed" / "result.json").exists()
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    run_overfit(load_overfit(file), tmp_path / "whole", workers=0)
    killed, whole = ((tmp_path / name / "rows.jsonl").read_bytes() for name in ("killed", "whole"))
    assert killed == whole


def test_a_method_may_be_called_as_the_best_value_of_an_axis_would_be(tmp_path):
    plan = load_overfit(written(tmp_path, COMPARISON.replace("smoothed =", '"width, chosen" =')))
    planning = Planning(plan, tmp_path)
    assert planning.values("width, chosen") == {"training.label_smoothing": 0.2}
    assert planning.values("decay, chosen") is None, "nothing of the axis is done"
