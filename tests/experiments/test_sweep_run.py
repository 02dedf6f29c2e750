"""A sweep with real trainings: it goes on where it was, keeps failures with their reasons, and does nothing twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from browsing import chromium, pixels, visit
from shoal.errors import StoreError, TrainingError, UsageError
from shoal.experiments.sweeps import load_sweep, read_sweep, run_sweep
from shoal.reports import write_report

__all__ = ["chromium"]

RECIPE = """
[[corpus]]
name = "tales"
grammar = 120
held_out = 0.1

[tokenizer]
vocabulary = 320

[model]
width = 8
layers = 1
heads = 2
context = 32

[training]
tokens = 3000
batch_tokens = 512

[evaluation]
documents = 5
memorised = 0
prompts = []
"""

GRID = """recipe = "r.toml"
[keys]
"model.width" = [8, 16]
"training.learning_rate" = [1e-3, 1e-2]
"""


def planned(folder, text=GRID, recipe=RECIPE):
    folder.mkdir(exist_ok=True)
    (folder / "r.toml").write_text(recipe)
    (folder / "s.toml").write_text(text)
    return load_sweep(folder / "s.toml")


def starts(folder):
    return {
        file.parent.parent.name: len(file.read_text().splitlines()) for file in folder.glob("trials/*/*/starts.jsonl")
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    told = []
    result = run_sweep(planned(folder / "files"), folder / "out", workers=0, on_trial=told.append)
    assert len(told) == 4
    return folder, result


def test_every_trial_has_its_score_and_the_best_is_the_least(finished):
    _, result = finished
    assert [trial.state for trial in result.trials] == ["complete"] * 4
    assert result.best.score == min(trial.score for trial in result.trials)
    assert result.best.settings["training.learning_rate"] == 1e-2
    assert [trial.parameters for trial in result.trials] == sorted(trial.parameters for trial in result.trials)
    assert "power law" in str(result)


def test_what_is_written_reads_back(finished):
    folder, result = finished
    assert read_sweep(folder / "out").trials == result.trials
    rows = [json.loads(line) for line in (folder / "out" / "trials.jsonl").read_text().splitlines()]
    assert [row["score"] for row in rows] == [trial.score for trial in result.trials]


def test_the_trials_are_a_table(finished):
    pytest.importorskip("pandas")
    _, result = finished
    frame = result.to_frame()
    assert list(frame["trial"]) == [0, 1, 2, 3]
    assert list(frame["score"]) == [trial.score for trial in result.trials]
    assert list(frame["model.width"]) == [8, 8, 16, 16]


def test_only_what_is_missing_is_done_again_and_to_the_same_bits(finished, tmp_path):
    folder, _ = finished
    shutil.copytree(folder / "out", tmp_path / "out")
    before = (tmp_path / "out" / "trials.jsonl").read_bytes()
    shutil.rmtree(tmp_path / "out" / "trials" / "0002")
    (tmp_path / "out" / "trials" / "0001" / "seed-0" / "done.json").unlink()
    run_sweep(planned(folder / "files"), tmp_path / "out", workers=0)
    assert (tmp_path / "out" / "trials.jsonl").read_bytes() == before
    assert starts(tmp_path / "out") == {"0000": 1, "0001": 2, "0002": 1, "0003": 1}


def test_a_sweep_in_this_process_has_the_threads_of_its_trainings(tmp_path):
    threads = []
    grid = 'recipe = "r.toml"\nthreads = 3\n[keys]\n"training.learning_rate" = [1e-3]\n'
    before = torch.get_num_threads()
    run_sweep(
        planned(tmp_path / "files", grid), tmp_path / "out", workers=0,
        on_trial=lambda record: threads.append(torch.get_num_threads()),
    )  # fmt: skip
    assert threads == [3]
    assert torch.get_num_threads() == before


def test_a_sweep_goes_on_with_the_corpus_that_it_was_begun_with(tmp_path):
    stories = [f"The cat number {place} sat on the mat of house {place % 7}. It saw a dog.\n" for place in range(120)]
    corpus = tmp_path / "files" / "stories.jsonl"
    corpus.parent.mkdir()
    corpus.write_text("".join(json.dumps({"text": story}) + "\n" for story in stories))
    recipe = RECIPE.replace("grammar = 120", 'source = "stories.jsonl"').replace("context = 32", "context = 8")
    grid = 'recipe = "r.toml"\n[keys]\n"training.learning_rate" = [1e-3, 1e-2]\n'
    plan = planned(tmp_path / "files", grid, recipe)
    run_sweep(plan, tmp_path / "out", workers=0)
    shutil.rmtree(tmp_path / "out" / "trials" / "0001", ignore_errors=True)
    corpus.write_text("".join(json.dumps({"text": f"{story} It ran."}) + "\n" for story in stories))
    with pytest.raises(StoreError, match=r"other contents of .*stories\.jsonl"):
        run_sweep(plan, tmp_path / "out", workers=0)


def test_a_folder_of_another_sweep_is_refused_and_left_as_it_is(finished):
    folder, _ = finished
    before = (folder / "out" / "sweep.toml").read_bytes()
    other = planned(folder / "other", GRID.replace("[8, 16]", "[8, 24]"))
    with pytest.raises(StoreError, match=r"model\.width.*give another folder"):
        run_sweep(other, folder / "out", workers=0)
    assert (folder / "out" / "sweep.toml").read_bytes() == before
    (folder / "strange").mkdir()
    (folder / "strange" / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other files"):
        run_sweep(planned(folder / "files"), folder / "strange", workers=0)


def test_the_report_shows_trials_and_says_why_no_law_is_fitted(finished):
    folder, result = finished
    page = write_report(folder / "out").read_text()
    assert f"{result.best.score:.4f}" in page
    assert "2 different sizes are too few" in page
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=.http", page)
    with pytest.raises(StoreError, match="is not a run"):
        write_report(folder)


@pytest.mark.browser
def test_the_report_opens_without_an_error(chromium, finished, tmp_path):
    folder, _ = finished
    picture = tmp_path / "sweep.png"
    address = write_report(folder / "out").as_uri()
    dom, console = visit(chromium, address, tmp_path / "profile", f"--screenshot={picture}", "--window-size=1000,1600")
    assert console == []
    assert dom.count("<svg") >= 2
    assert all(f'over {key}"' in dom for key in ("model.width", "training.learning_rate"))
    assert len(set(pixels(picture))) > 50


def test_trials_that_fail_are_kept_with_their_reasons_and_the_others_go_on(tmp_path):
    text = GRID.replace("[1e-3, 1e-2]", "[1e-2, 1e30]").replace("[8, 16]", "[8, 9]")
    result = run_sweep(planned(tmp_path / "files", text), tmp_path / "out", workers=0)
    assert [trial.state for trial in result.trials] == ["complete", "failed", "failed", "failed"]
    reasons = [trial.reason for trial in result.trials]
    assert "nan on batch" in reasons[1]
    assert str(tmp_path) not in reasons[1]
    assert "heads" in reasons[2]
    assert result.best.number == 0
    page = write_report(tmp_path / "out").read_text()
    assert "nan on batch" in page
    again = run_sweep(planned(tmp_path / "files", text), tmp_path / "out", workers=0)
    assert starts(tmp_path / "out")["0001"] == 1
    assert again.trials == result.trials
    run_sweep(planned(tmp_path / "files", text), tmp_path / "out", workers=0, retry_failed=True)
    assert starts(tmp_path / "out") == {"0000": 1, "0001": 1, "0002": 1, "0003": 1}


def test_a_score_of_the_users_own_is_taken_and_its_faults_are_told(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "own.py").write_text(
        "def score(result):\n    return -result.parameters\ndef bad(result):\n    return 1 / 0\n"
    )
    head = "objective = 'own.py:score'\ndirection = 'maximize'\n"
    result = run_sweep(planned(tmp_path / "files", head + GRID), tmp_path / "out", workers=0)
    assert result.best.score == -min(trial.parameters for trial in result.trials)
    with pytest.raises(TrainingError, match="all 4 trials failed; the first one: ZeroDivisionError"):
        run_sweep(planned(tmp_path / "files", "objective = 'own.py:bad'\n" + GRID), tmp_path / "bad", workers=0)
    assert "ZeroDivisionError" in write_report(tmp_path / "bad").read_text()


def test_a_trial_that_is_behind_is_given_up(tmp_path):
    pytest.importorskip("optuna")
    text = """recipe = "r.toml"
    at_once = 2
    pruning = { after = 2, at = [0.4] }
    [keys]
    "training.learning_rate" = [1e-2, 2e-2, 1e-6, 3e-2]
    """
    result = run_sweep(planned(tmp_path / "files", text), tmp_path / "out", workers=0)
    assert [trial.state for trial in result.trials][:3] == ["complete", "complete", "pruned"]
    assert "above the median" in result.trials[2].reason
    assert set(result.trials[0].units[0].milestones) == {"0.4"}


def test_wrong_workers_and_addresses_are_refused(tmp_path):
    plan = planned(tmp_path / "files")
    for wrong in ({"workers": -1}, {"workers": 0, "engine": "ray"}, {"address": "10.0.0.1:6379"}):
        with pytest.raises(UsageError):
            run_sweep(plan, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def killed_on_the_way(folder, *words):
    """Run a sweep, and kill the first worker that has begun to train."""
    program = [sys.executable, "-m", "shoal", "sweep", str(folder / "files" / "s.toml"), "--out", str(folder / "out")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    sweep = subprocess.Popen([*program, *words], env=environment, stdout=subprocess.DEVNULL)
    killed = None
    while sweep.poll() is None:
        for file in sorted((folder / "out").glob("trials/*/*/starts.jsonl")) if killed is None else ():
            metrics = file.parent / "run" / "metrics.jsonl"
            if not (metrics.is_file() and metrics.read_text().count("\n") > 1 and file.read_text().endswith("\n")):
                continue
            # It is halted first, so that it cannot end its training between the look and the kill.
            worker = json.loads(file.read_text().splitlines()[-1])["process"]
            os.kill(worker, signal.SIGSTOP)
            if (file.parent / "done.json").exists():
                os.kill(worker, signal.SIGCONT)
                continue
            killed = file.parent
            os.kill(worker, signal.SIGKILL)
            break
        time.sleep(0.005)
    assert sweep.returncode == 0
    assert killed is not None
    return killed.parent.name


LONGER = RECIPE.replace("tokens = 3000", "tokens = 40000").replace("[training]", "[training]\ncheckpoint_seconds = 0.2")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run_sweep(planned(folder / "files", recipe=LONGER), folder / "out", workers=0)
    return (folder / "out" / "trials.jsonl").read_bytes()


@pytest.mark.slow
def test_a_training_that_kills_its_worker_each_time_fails_and_the_others_are_done(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "own.py").write_text(
        "import os, signal\n"
        "def score(result):\n"
        "    if result.parameters < 4000:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return 1.0\n"
    )
    text = "objective = 'own.py:score'\n" + GRID.replace("[1e-3, 1e-2]", "[1e-2]")
    result = run_sweep(planned(tmp_path / "files", text), tmp_path / "out", workers=1)
    assert [trial.state for trial in result.trials] == ["failed", "complete"]
    assert "its worker died 3 times (signal 9)" in result.trials[0].reason
    assert starts(tmp_path / "out") == {"0000": 3, "0001": 1}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_sweep_with_a_killed_worker_loses_no_trial_and_ends_with_the_same_bits(undisturbed, tmp_path, engine):
    if engine == "ray":
        pytest.importorskip("ray", reason="Ray is not installed; pip install 'shoal[scale]'")
    planned(tmp_path / "files", recipe=LONGER)
    killed = killed_on_the_way(tmp_path, "--engine", engine, "--workers", "2")
    assert (tmp_path / "out" / "trials.jsonl").read_bytes() == undisturbed
    assert starts(tmp_path / "out") == {f"{number:04}": 2 if f"{number:04}" == killed else 1 for number in range(4)}
    timings = [json.loads(line) for line in (tmp_path / "out" / "timings.jsonl").read_text().splitlines()]
    assert sorted(row["trial"] for row in timings) == [0, 1, 2, 3]
