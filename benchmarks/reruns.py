"""Does the interval of the counting experiment hold in other environments? The treatment, rerun in fourteen of them.

A rerun does all that a run does for its treatment, in a process of its own: for each seed the trials that choose its
learning rate, then the training and the evaluation. The reruns have the same seeds and differ in what an environment
changes: number of threads, vector instructions, the library's dispatch, the compiled loop or autograd, blocks of
attention, the order in which gradients are summed, the precision of the products.

An interval over seeds is about the mean over all seeds, so what a rerun's interval is held against is the mean of the
other reruns. The table gives as well how many single means it covers, which no confidence interval promises: another
mean of six seeds strays as much as the one that the interval is drawn around.

What fails is printed too: ``--frozen`` reruns the procedure of before, with one draw of the tuning part for all seeds
and without the jitter of given weights.

    nice -n 15 python -m benchmarks.reruns [--only NAME ...] [--frozen] [--folder bench-out/reruns]

Each rerun takes about 110 CPU-seconds; those that are done in the folder are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

from benchmarks.processes import write_result

MEASURE = "exact_match"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What a rerun is done in."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    precision: str = "float32"
    micro_tokens: int = 0
    attention_block: int | None = None
    autograd: bool = False
    """The model of transformers with autograd in place of the gradient that is written out."""


ENVIRONMENTS = (
    Environment(name="plain"),
    Environment(name="two threads", threads=2),
    Environment(name="three threads", threads=3),
    Environment(name="ATen without vectors", variables={"ATEN_CPU_CAPABILITY": "default"}),
    Environment(name="MKL, SSE4.2", variables={"MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "MKL_CBWR": "SSE4_2"}),
    Environment(name="MKL, compatible", variables={"MKL_CBWR": "COMPATIBLE"}),
    Environment(name="MKL, AVX", variables={"MKL_CBWR": "AVX"}),
    Environment(name="Numba, generic x86-64", variables={"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}),
    Environment(name="autograd", autograd=True),
    Environment(name="autograd, oneDNN SSE4.1", autograd=True, variables={"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Environment(name="blocks of 32", attention_block=32),
    Environment(name="summed in parts", micro_tokens=100),
    Environment(name="bfloat16", precision="bfloat16"),
    Environment(name="all at once", threads=2, micro_tokens=100, variables={"ATEN_CPU_CAPABILITY": "default"}),
)


def main() -> None:
    """Rerun what is missing, and print the coverage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="environments by name")
    parser.add_argument("--frozen", action="store_true", help="the procedure of before")
    parser.add_argument("--folder", type=Path, default=Path("bench-out/reruns"))
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder / ("frozen" if given.frozen else "drawn")
    chosen = [one for one in ENVIRONMENTS if not given.only or one.name in given.only]
    if given.inside:
        (environment,) = (one for one in ENVIRONMENTS if one.name == given.inside)
        rerun(environment, folder, frozen=given.frozen)
        return
    for environment in chosen:
        if not file_of(folder, environment).is_file():
            command = [sys.executable, "-m", "benchmarks.reruns", "--inside", environment.name]
            command += ["--folder", str(given.folder), *(["--frozen"] if given.frozen else [])]
            # In a process of its own, since the libraries read their variables once.
            settings = {"OMP_NUM_THREADS": str(environment.threads)} | environment.variables
            subprocess.run(command, env=os.environ | settings, check=True)
        print_coverage([json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))])
    write_result("reruns", {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))})


def file_of(folder: Path, environment: Environment) -> Path:
    """Where the result of a rerun is written."""
    return folder / f"{environment.name.replace(' ', '-').replace(',', '')}.json"


def rerun(environment: Environment, folder: Path, *, frozen: bool) -> None:
    """The treatment's trials and trainings in this process's environment, and the mean with its interval."""
    import torch

    import shoal.training.packed_attention as packed_attention
    import shoal.training.preparation as preparation
    from shoal.experiments import jobs, load_experiment
    from shoal.experiments.measures import mean_of
    from shoal.experiments.records import read_items, read_trial
    from shoal.experiments.store import RunStore
    from shoal.experiments.tuning import choose_by_trials, trial_jobs
    from shoal.statistics import sign_flip_interval

    torch.set_num_threads(environment.threads)
    if environment.autograd:
        preparation.is_plain_llama = lambda _: False
    if environment.attention_block is not None:
        packed_attention._BLOCK = environment.attention_block
    experiment = load_experiment("counting")
    training = experiment.training.model_copy(update={"micro_tokens": environment.micro_tokens})
    experiment = experiment.model_copy(update={"training": training})
    if frozen:
        import shoal.models

        shoal.models.jitter_weights = lambda *_: None
    work, arm = file_of(folder, environment).with_suffix(""), experiment.treatment
    chosen_for = experiment.model_copy(update={"seeds": experiment.seeds[:1]}) if frozen else experiment
    store = RunStore(work, experiment)
    context = jobs.WorkerContext(work, experiment)
    trials = []
    for job in trial_jobs(chosen_for, environment.precision):
        if job.arm == arm:
            if not store.is_done(job.place):
                jobs.run_job(context, job)
            trials.append(read_trial(store.path(f"{job.place}/done.json")))
    rates = choose_by_trials(arm, chosen_for, trials)["chosen"]
    means = []
    for seed in experiment.seeds:
        place = f"arms/{arm}/seed-{seed}"
        rate = rates[str(chosen_for.seeds[0] if frozen else seed)]
        job = jobs.Job(
            kind="arm", place=place, title=place, spec=experiment.arms[arm], arm=arm, seed=seed,
            learning_rate=rate, precision=environment.precision,
        )  # fmt: skip
        if not store.is_done(place):
            jobs.run_job(context, job)
        items = read_items(store.path(f"{place}/after.jsonl"), required=True)
        means.append(mean_of(MEASURE, [item for item in items if item.split == "held_out"]))
        print(f"  {environment.name}, seed {seed}: rate {rate:g}, held out {means[-1]:.3f}", flush=True)
    store.close()
    interval = sign_flip_interval(means)
    record = {
        "environment": environment.name, "rates": rates, "by_seed": means, "mean": sum(means) / len(means),
        "low": interval.low, "high": interval.high,
    }  # fmt: skip
    file_of(folder, environment).write_text(json.dumps(record, indent=1) + "\n")


def print_coverage(reruns: list[dict[str, Any]]) -> None:
    """Each rerun, and how often an interval covers what it is about."""
    for one in reruns:
        values = ", ".join(f"{value:.3f}" for value in one["by_seed"])
        print(f"{one['environment']:26} {one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]  ({values})")
    if len(reruns) < 2:
        return
    total = sum(one["mean"] for one in reruns)
    # A hair of room, since a bound may be the mean itself, rounded.
    covered = [one["low"] - 1e-9 <= (total - one["mean"]) / (len(reruns) - 1) <= one["high"] + 1e-9 for one in reruns]
    single = [one["low"] - 1e-9 <= other["mean"] <= one["high"] + 1e-9 for one, other in permutations(reruns, 2)]
    print(
        f"the mean of the other reruns lies in {sum(covered)} of {len(covered)} intervals; "
        f"the mean of one other rerun in {sum(single)} of {len(single)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
