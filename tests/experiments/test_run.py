"""Whole runs, on a model that trains in a moment."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from children import answer_of, deadly, killed
from shoal.errors import CertificationError, StoreError, TooLongError, TrainingError, UnknownNameError, UsageError
from shoal.experiments import run_experiment
from shoal.experiments.controls import all_arms
from shoal.experiments.experiment import Experiment
from shoal.experiments.loading import experiment_from
from shoal.experiments.records import arm_place
from shoal.experiments.storage import read_json, read_json_rows, write_json
from shoal.experiments.store import RunStore
from shoal.experiments.tables import as_table

Finished = tuple[Experiment, Path]


def prepared(folder: Path, experiment: Experiment, certificate: str) -> Path:
    """A run folder that has its certificate already."""
    RunStore(folder, experiment).close()
    (folder / "certificate.json").write_text(certificate)
    return folder


@pytest.fixture(scope="session")
def finished(plan: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of two seeds and every control that came to its end."""
    experiment = experiment_from(plan, "test")
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run_experiment(experiment, folder, workers=0)
    return experiment, folder


@pytest.fixture(scope="session")
def certificate(finished: Finished) -> str:
    """One certificate, so that not every run of this file waits for its own."""
    return (finished[1] / "certificate.json").read_text()


@pytest.fixture(scope="session")
def undisturbed(plan: dict[str, Any], certificate: str, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of one seed, with jobs of every kind, that came to its end without being disturbed in a worker process."""
    controls = {"shuffled_labels": True, "shuffled_weights": False}
    experiment = experiment_from(plan | {"seeds": 1, "controls": controls}, "test")
    folder = prepared(tmp_path_factory.mktemp("runs") / "undisturbed", experiment, certificate)
    run_experiment(experiment, folder, workers=1)
    return experiment, folder


def records(folder: Path) -> dict[str, str]:
    """A digest of every record of a run, but for those that say when, where or how fast."""
    apart = {"environment.json", "timings.jsonl", ".lock"}
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in apart and not path.name.startswith("results_"):
            name = str(path.relative_to(folder))
            key = name.rpartition("_")[0] if path.name.startswith("samples_") else name
            found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def experiment(plan: dict[str, Any]) -> Experiment:
    return experiment_from(plan, "test")


def test_a_run_leaves_every_record_of_every_arm(finished: Finished) -> None:
    experiment, folder = finished
    assert all_arms(experiment) == ("given", "fresh", "given-shuffled")
    for arm in all_arms(experiment):
        for seed in experiment.seeds:
            unit = folder / arm_place(arm, seed)
            names = sorted(path.name for path in unit.iterdir())
            assert names == [
                "after.jsonl",
                "answers.jsonl",
                "before.jsonl",
                "curve.jsonl",
                "done.json",
                "events.jsonl",
            ]
            rows = read_json_rows(unit / "after.jsonl")
            assert [row["split"] for row in rows] == ["seen"] * 5 + ["held_out"] * 3
            assert all("".join(row["tokens_text"]) == row["completion"] + "<end>" for row in rows)
            done = read_json(unit / "done.json")
            assert done["steps"] == len(read_json_rows(unit / "curve.jsonl"))
            assert done["digest_before"] != done["digest_after"]
    for name in ("environment", "certificate", "narrowness", "choices", "verdict"):
        assert read_json(folder / f"{name}.json")
    for arm in all_arms(experiment):
        assert read_json(folder / "inside" / f"{arm}.json")["why_not"] is None
        assert (folder / "inside" / "views" / f"{arm}.json").is_file()


def test_arms_of_one_seed_start_from_what_their_spec_says(finished: Finished) -> None:
    _, folder = finished

    def before(arm: str, seed: int) -> str:
        return str(read_json(folder / arm_place(arm, seed) / "done.json")["digest_before"])

    assert before("given", 0) == before("given", 1)
    assert before("fresh", 0) != before("fresh", 1)
    assert len({before(arm, seed) for arm in ("fresh", "given-shuffled") for seed in (0, 1)}) == 4


def test_every_arm_tries_the_same_learning_rates_on_a_part_of_the_seen_examples(finished: Finished) -> None:
    experiment, folder = finished
    rates = read_json(folder / "choices.json")["learning_rates"]
    for arm in all_arms(experiment):
        for seed in (0, 1):
            trials = [trial for trial in rates[arm]["trials"] if trial["run_seed"] == seed]
            assert [trial["learning_rate"] for trial in trials] == [0.001, 0.01]
            assert {trial["validation_examples"] for trial in trials} == {1}
            best = min(trials, key=lambda trial: trial["score"])
            assert rates[arm]["chosen"][str(seed)] == best["learning_rate"]
            assert read_json(folder / arm_place(arm, seed) / "done.json")["learning_rate"] == best["learning_rate"]


def test_a_finished_run_gives_its_verdict_again_without_work(finished: Finished) -> None:
    experiment, folder = finished
    held = records(folder)
    timings = (folder / "timings.jsonl").read_bytes()
    verdict = run_experiment(experiment, folder)
    assert verdict.to_dict() == read_json(folder / "verdict.json")
    assert records(folder) == held
    assert (folder / "timings.jsonl").read_bytes() == timings


def test_progress_is_told_for_every_step(plan: dict[str, Any], certificate: str, tmp_path: Path) -> None:
    experiment = experiment_from(plan | {"seeds": 1, "tuning": {}, "controls": {"shuffled_weights": False}}, "test")
    told: list[tuple[str, int, int]] = []
    folder = prepared(tmp_path / "run", experiment, certificate)
    run_experiment(experiment, folder, workers=0, progress=lambda *step: told.append(step))
    assert told[0] == ("certify and prepare", 1, 2)
    assert [step for step in told if step[0] == "train and evaluate"] == [
        ("train and evaluate", n, 2) for n in range(3)
    ]


def run_here(experiment: Experiment, folder: Path, progress: Any) -> None:
    run_experiment(experiment, folder, workers=0, progress=progress)


@pytest.mark.slow
def test_killed_at_random_moments_it_resumes_and_ends_with_the_records_of_an_undisturbed_worker(
    undisturbed: Finished, certificate: str, tmp_path: Path
) -> None:
    experiment, whole = undisturbed
    folder = prepared(tmp_path / "killed", experiment, certificate)
    moments = random.Random(4)
    for _ in range(4):
        killed(run_here, experiment, folder, deadly(2, moments.uniform(0.0, 0.5), last=4))
    run_experiment(experiment, folder, workers=0)
    assert records(folder) == records(whole)


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_from_its_checkpoint(
    undisturbed: Finished, certificate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shoal.training

    experiment, whole = undisturbed
    folder = prepared(tmp_path / "killed", experiment, certificate)
    real = shoal.training.train
    resumed: list[int] = []

    def watched(*given: Any, **more: Any) -> Any:
        result = real(*given, **more)
        resumed.append(result.resumed_from)
        return result

    def stopped(*given: Any, **more: Any) -> Any:
        as_usual = more.pop("on_step") or (lambda point: None)

        def at_step(point: Any) -> None:
            as_usual(point)
            # A checkpoint is due after each step, however fast the machine.
            time.sleep(experiment.training.checkpoint_seconds)
            if point.step == 8:
                raise KeyboardInterrupt

        return real(*given, **more, on_step=at_step)

    monkeypatch.setattr(shoal.training, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment, folder, workers=0)
    monkeypatch.setattr(shoal.training, "train", watched)
    run_experiment(experiment, folder, workers=0)
    assert resumed[0] > 0
    assert set(resumed[1:]) == {0}
    assert records(folder) == records(whole)


@pytest.mark.slow
def test_each_seed_starts_a_given_model_within_rounding_of_its_weights_and_elsewhere(
    plan: dict[str, Any], certificate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    import shoal.training
    from shoal.models import load_model

    def flat(model: torch.nn.Module) -> torch.Tensor:
        return torch.cat([weight.detach().flatten() for weight in model.parameters()]).clone()

    starts: list[torch.Tensor] = []
    real = shoal.training.train

    def watched(model: Any, *given: Any, **more: Any) -> Any:
        starts.append(flat(model))
        return real(model, *given, **more)

    monkeypatch.setattr(shoal.training, "train", watched)
    experiment = experiment_from(plan | {"tuning": {}, "controls": {"shuffled_weights": False}}, "test")
    run_experiment(experiment, prepared(tmp_path / "run", experiment, certificate), workers=0)
    weights = flat(load_model(experiment.arms["given"]).model)
    near = [start for start in starts if torch.allclose(start, weights, rtol=2e-7, atol=0.0)]
    # The fresh weights of seed 0 are the given ones, since the small model was drawn with that seed; they do not move.
    moved = [start for start in near if not torch.equal(start, weights)]
    assert len(moved) == len(experiment.seeds) == 2
    assert not torch.equal(*moved)


@pytest.mark.slow
def test_a_rate_that_makes_the_loss_overflow_loses_and_ends_nothing(
    plan: dict[str, Any], certificate: str, tmp_path: Path
) -> None:
    table = plan | {"seeds": 1, "tuning": {"learning_rates": [0.01, 1e30]}, "controls": {"shuffled_weights": False}}
    experiment = experiment_from(table, "test")
    folder = prepared(tmp_path / "run", experiment, certificate)
    run_experiment(experiment, folder, workers=0)
    found = read_json(folder / "choices.json")["learning_rates"]["given"]
    assert found["chosen"] == {"0": 0.01}
    assert "diverged" in found["trials"][1]


def test_where_every_rate_overflows_the_run_says_so(plan: dict[str, Any], certificate: str, tmp_path: Path) -> None:
    experiment = experiment_from(plan | {"tuning": {"learning_rates": [1e30]}}, "test")
    folder = prepared(tmp_path / "run", experiment, certificate)
    with pytest.raises(TrainingError, match="none of the learning rates 1e\\+30"):
        run_experiment(experiment, folder, workers=0)


@pytest.mark.slow
def test_precision_is_measured_once_where_it_is_left_open(
    plan: dict[str, Any], certificate: str, tmp_path: Path
) -> None:
    table = plan | {"seeds": 1, "tuning": {}, "controls": {"shuffled_weights": False}}
    experiment = experiment_from(table | {"training": plan["training"] | {"precision": "auto"}}, "test")
    folder = prepared(tmp_path / "run", experiment, certificate)
    run_experiment(experiment, folder, workers=0)
    chosen = read_json(folder / "choices.json")["precision"]
    assert chosen in ("float32", "bfloat16")
    assert {read_json(path)["precision"] for path in folder.glob("arms/*/*/done.json")} == {chosen}


def test_an_evaluator_that_fails_its_certificate_stops_the_run(
    plan: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shoal.evaluation

    def failing(**given: Any) -> Any:
        from shoal.evaluation.certification import Certificate

        return Certificate(evaluator="wrong", passed=False, checks=(), fast=True, seed=0)

    monkeypatch.setattr(shoal.evaluation, "certify", failing)
    with pytest.raises(CertificationError, match="nothing was run"):
        run_experiment(experiment_from(plan, "test"), tmp_path / "run", workers=0)
    assert not (tmp_path / "run" / "arms").exists()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"task": {"name": "countin"}}, UnknownNameError, "did you mean 'counting'"),
        ({"task": {"name": "counting", "options": {"largst": 3}}}, UnknownNameError, "did you mean 'largest'"),
        ({"split": {"name": "last-digits"}}, UnknownNameError, "did you mean 'last-digit'"),
        (
            {"split": {"name": "block", "parameters": {"first": 90, "last": 99}}},
            UsageError,
            "held out|held-out|holds out",
        ),
        ({"arms": {"given": "bundeld:stories", "fresh": "x"}}, UnknownNameError, "did you mean 'bundled'"),
        ({"arms": {"given": "bundled:storis", "fresh": "a/b"}}, UnknownNameError, "bundled model 'storis'"),
        ({"arms": {"given": "./nowhere", "fresh": "a/b"}}, UsageError, "no folder ./nowhere"),
        ({"arms": {"given": "oracle?p=0.3", "fresh": "a/b"}}, UsageError, "cannot be trained"),
    ],
)
def test_a_name_that_is_not_known_stops_before_a_folder_is_made(
    plan: dict[str, Any], tmp_path: Path, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run_experiment(experiment_from(plan | change, "test"), tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_go_on_with_other_examples(finished: Finished, tmp_path: Path) -> None:
    experiment, whole = finished
    folder = tmp_path / "run"
    RunStore(folder, experiment).close()
    choices = read_json(whole / "choices.json")
    write_json(folder / "choices.json", choices | {"examples": "0" * 64})
    with pytest.raises(StoreError, match="other examples"):
        run_experiment(experiment, folder, workers=0)


def test_an_example_beyond_the_context_is_a_clear_error(plan: dict[str, Any], certificate: str, tmp_path: Path) -> None:
    experiment = experiment_from(plan | {"task": {"name": "counting", "options": {"largest": 30}}}, "test")
    folder = prepared(tmp_path / "run", experiment, certificate)
    with pytest.raises(TooLongError, match="256"):
        run_experiment(experiment, folder, workers=0)


def test_a_negative_number_of_workers_is_refused(plan: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="-1"):
        run_experiment(experiment_from(plan, "test"), tmp_path / "run", workers=-1)


def run_without_room(experiment: Experiment, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
    run_experiment(experiment, folder, workers=0)


def test_a_full_disk_ends_a_run_with_one_line_and_it_goes_on_later(
    undisturbed: Finished, certificate: str, tmp_path: Path
) -> None:
    experiment, whole = undisturbed
    folder = prepared(tmp_path / "full", experiment, certificate)
    fault = answer_of(run_without_room, experiment, folder)
    assert isinstance(fault, StoreError)
    assert "free some space" in str(fault)
    assert "\n" not in str(fault)
    run_experiment(experiment, folder, workers=0)
    assert records(folder) == records(whole)


def test_the_harness_files_hold_every_item_and_the_same_shares(finished: Finished) -> None:
    experiment, folder = finished
    verdict = read_json(folder / "verdict.json")
    models = {f"{arm}-seed-{seed}" for arm in all_arms(experiment) for seed in experiment.seeds}
    assert {path.name for path in (folder / "lm-eval").iterdir()} == models
    found = []
    for seed in experiment.seeds:
        [path] = (folder / "lm-eval" / f"given-seed-{seed}").glob("results_*.json")
        results = read_json(path)
        assert results["model_name"] == f"given-seed-{seed}"
        found.append(results["results"]["counting_held_out"]["token_accuracy,none"])
        assert results["n-samples"]["counting_held_out"]["effective"] == 3
        samples = read_json_rows(
            path.with_name(f"samples_counting_held_out_{path.stem.removeprefix('results_')}.jsonl")
        )
        needed = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash"}
        assert all(needed <= set(sample) and set(sample["metrics"]) <= set(sample) for sample in samples)
        assert [sample["doc_id"] for sample in samples] == [0, 1, 2]
        listed = [one["metric"] for one in results["configs"]["counting_held_out"]["metric_list"]]
        assert listed
        assert all(set(listed) <= set(sample) for sample in samples)
    mean = verdict["measures"]["token_accuracy"]["arms"]["given"]["after"]["held_out"]["mean"]
    assert sum(found) / len(found) == pytest.approx(mean)


def test_readers_of_the_harness_read_its_files_back(finished: Finished) -> None:
    errorbars = pytest.importorskip("errorbars.adapters.lm_eval")
    datasets = pytest.importorskip("datasets")
    experiment, folder = finished
    scores = {}
    for arm in all_arms(experiment):
        for seed in experiment.seeds:
            [file] = (folder / "lm-eval" / f"{arm}-seed-{seed}").glob("samples_counting_held_out_*.jsonl")
            # The harness's tracker reads its own files with `load_dataset`.
            rows = datasets.load_dataset("json", data_files=str(file), split="train")
            assert rows["doc_id"] == [0, 1, 2]
            read = errorbars.load_lm_eval_samples(file, metric="token_accuracy")
            assert set(read.model) == {f"{arm}-seed-{seed}"}
            assert read.question_id == [f"counting_held_out-{place}" for place in range(3)]
            assert read.score == rows["token_accuracy"]
            scores[arm, seed] = read.score
    assert len(scores) == len(all_arms(experiment)) * len(experiment.seeds)


def started(experiment: Experiment, folder: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """A run in a process of its own, with a worker."""
    plan = tmp_path / "plan.toml"
    plan.write_text(tomli_w.dumps(as_table(experiment)))
    code = (
        # Where the tests run in the background, the shell lets them ignore interrupts; the run must not inherit that.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; from shoal.experiments import load_experiment, run_experiment\n"
        "try: run_experiment(load_experiment(sys.argv[1]), sys.argv[2], workers=1)\n"
        "except Exception as fault: sys.exit(f'{type(fault).__name__}: {fault}')\n"
        "except KeyboardInterrupt: sys.exit(130)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(plan), str(folder)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def worker_of(process: subprocess.Popen[str]) -> int:
    """The worker of a run, as soon as there is one."""
    while True:
        assert process.poll() is None, process.communicate()[1]
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for child in (thread / "children").read_text().split():
                    if "shoal.experiments.worker_main" in Path(f"/proc/{child}/cmdline").read_text():
                        return int(child)
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    end = time.monotonic() + 200  # reached where a worker lives on, and never because it is slow
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if "\nState:\tZ" in state:
            return True
        time.sleep(0.02)
    return False


def test_a_worker_that_dies_is_named_with_its_job(experiment: Experiment, certificate: str, tmp_path: Path) -> None:
    process = started(experiment, prepared(tmp_path / "run", experiment, certificate), tmp_path)
    os.kill(worker_of(process), signal.SIGKILL)
    message = process.communicate()[1]
    assert "WorkerError: the worker that did the narrowness report was killed by signal 9 (out of memory?)" in message


def test_no_worker_outlives_a_run_that_is_killed(experiment: Experiment, certificate: str, tmp_path: Path) -> None:
    process = started(experiment, prepared(tmp_path / "run", experiment, certificate), tmp_path)
    worker = worker_of(process)
    process.kill()
    process.communicate()
    assert is_gone(worker)


def test_an_interrupt_stops_the_workers(experiment: Experiment, certificate: str, tmp_path: Path) -> None:
    process = started(experiment, prepared(tmp_path / "run", experiment, certificate), tmp_path)
    worker = worker_of(process)
    os.killpg(process.pid, signal.SIGINT)
    message = process.communicate()[1]
    assert process.returncode == 130
    assert message == ""
    assert is_gone(worker)
