"""Shoal's evaluator beside lm-evaluation-harness: the same model, items and thread, in turn, in processes of their own.

Four comparisons, all in CPU-seconds of one thread: the 100 counting items and 1,000 short ones (the evaluation alone,
loading and imports not counted, against the peer's best batch size), a model that fails everywhere with early exit,
and the whole process from its start to the first result.

    python -m benchmarks.evaluation [--rounds 3] [--only start short]

Each comparison is printed and appended to bench-out/evaluation.jsonl when it is done.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import neo
from benchmarks.processes import OUT, PEERS_PYTHON, ROOT, SHOAL_PYTHON, append_part, run_side, spread, write_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.tasks import Example

COMPARISONS = ("start", "short", "failing-short", "counting", "failing-counting")
SIDES = ROOT / "benchmarks" / "sides"
LONG_SIZES = (1, 8)
SHORT_SIZES = (1, 8, 32)


def main() -> None:
    """Run all comparisons and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, default=COMPARISONS)
    options = parser.parse_args()
    rounds = options.rounds
    counting, short = neo.counting_rows(), neo.short_rows()
    counting_file, short_file = rows_file("counting", counting), rows_file("short", short)

    def mixed() -> Path:
        return neo.subject("neo-counting", counting[:30], learning_rate=2e-3, epochs=80)

    def mixed_short() -> Path:
        return neo.subject("neo-short", short[:500], learning_rate=3e-3, epochs=50)

    def failing() -> Path:
        return neo.subject("neo-fresh", counting, learning_rate=0.0, epochs=0)

    result: dict[str, Any] = {}

    def best_of(same_items: str, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """What did best on the same items and shape, where it has just been measured, else all."""
        return (result[same_items]["peer_batch_size"],) if same_items in result else sizes

    todo: dict[str, Callable[[], dict[str, Any]]] = {
        "start": lambda: compare_start(mixed(), counting_file, rounds),
        "short": lambda: compare(mixed_short(), short_file, SHORT_SIZES, rounds),
        "failing-short": lambda: compare(failing(), short_file, best_of("short", SHORT_SIZES), rounds, early_exit=True),
        "counting": lambda: compare(mixed(), counting_file, LONG_SIZES, rounds),
        "failing-counting": lambda: compare(
            failing(), counting_file, best_of("counting", LONG_SIZES), rounds, early_exit=True
        ),
    }
    for name in options.only:
        figures = result[name] = todo[name]()
        append_part("evaluation", {"comparison": name} | figures)
        print(
            f"{name:32} shoal {figures['shoal_cpu']['median']:8.2f} s   peer {figures['peer_cpu']['median']:8.2f} s "
            f"  ratio {figures['ratio']:6.1f}   {figures['note']}",
            flush=True,
        )
    print(f"written to {write_result('evaluation', result)}")


def rows_file(name: str, rows: list[Example]) -> Path:
    """The rows as both sides read them, the end token as text."""
    path = OUT / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({"prompt": row.prompt, "completion": row.completion + neo.END}) + "\n")
    return path


def compare(
    model: Path, rows: Path, sizes: tuple[int, ...], rounds: int, *, early_exit: bool = False
) -> dict[str, Any]:
    """CPU-seconds of both sides on the same rows, and whether they agree item for item."""
    tried = {size: peer_side(model, rows, size) for size in sizes}
    best = min(sizes, key=lambda size: float(tried[size]["cpu_seconds"]))
    peers, ours = [tried[best]], [shoal_side(model, rows, early_exit=early_exit)]
    for _ in range(rounds - 1):
        peers.append(peer_side(model, rows, best))
        ours.append(shoal_side(model, rows, early_exit=early_exit))
    heavy = tried[8]["peak_bytes"] if 8 in tried else None
    agree = ours[0]["exact_match"] == peers[0]["exact_match"]
    right = sum(ours[0]["exact_match"])
    likelihoods = zip(ours[0]["log_likelihood"], peers[0]["log_likelihood"], strict=True)
    apart = [abs(one - other) / max(1.0, abs(other)) for one, other in likelihoods if one is not None]
    ours_cpu, peer_cpu = [run["cpu_seconds"] for run in ours], [run["cpu_seconds"] for run in peers]
    peak = max(run["peak_bytes"] for run in ours)
    return {
        "shoal_cpu": spread(ours_cpu),
        "peer_cpu": spread(peer_cpu),
        "peer_batch_size": best,
        "ratio": statistics.median(p / o for p, o in zip(peer_cpu, ours_cpu, strict=True)),
        "shoal_peak_bytes": peak,
        "peer_peak_bytes_batch_8": heavy,
        "agree_item_for_item": agree,
        "right": right,
        "items": len(ours[0]["exact_match"]),
        "log_likelihood_difference": max(apart, default=None),
        "note": f"batch {best}, {right} of {len(ours[0]['exact_match'])} right, agree: {agree}, "
        f"memory {peak / 1e9:.2f} GB" + (f" against {heavy / 1e9:.2f} GB at batch 8" if heavy else ""),
    }


def compare_start(model: Path, rows: Path, rounds: int) -> dict[str, Any]:
    """CPU-seconds of whole processes that score one item."""
    first = OUT / "first.jsonl"
    first.write_text(rows.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    task = OUT / "lm_eval_task" / "first.yaml"
    task.parent.mkdir(exist_ok=True)
    task.write_text(
        "task: shoal_first\ndataset_path: json\n"
        f"dataset_kwargs:\n  data_files:\n    test: {first}\n"
        "test_split: test\noutput_type: multiple_choice\ndoc_to_text: '{{prompt}}'\n"
        "doc_to_choice: ['{{completion}}']\ndoc_to_target: 0\nmetric_list:\n  - metric: acc\n"
    )
    peer = [
        PEERS_PYTHON,
        "-m",
        "lm_eval",
        "--model",
        "hf",
        "--model_args",
        f"pretrained={model},dtype=float32",
        "--device",
        "cpu",
        "--tasks",
        "shoal_first",
        "--include_path",
        task.parent,
        "--limit",
        "1",
    ]
    ours = [SHOAL_PYTHON, "-m", "shoal", "score", "--model", model, "--data", first, "--json"]
    peer_cpu, ours_cpu = [], []
    for _ in range(rounds):
        peer_cpu.append(run_side(peer).cpu_seconds)
        ours_cpu.append(run_side(ours).cpu_seconds)
    return {
        "shoal_cpu": spread(ours_cpu),
        "peer_cpu": spread(peer_cpu),
        "ratio": statistics.median(p / o for p, o in zip(peer_cpu, ours_cpu, strict=True)),
        "note": "whole processes, one item",
    }


def peer_side(model: Path, rows: Path, batch_size: int) -> dict[str, Any]:
    """One run of lm-evaluation-harness."""
    return answer(run_side([PEERS_PYTHON, SIDES / "lm_eval_side.py", model, rows, "--batch-size", batch_size]))


def shoal_side(model: Path, rows: Path, *, early_exit: bool) -> dict[str, Any]:
    """One run of shoal."""
    flags = ["--early-exit"] if early_exit else []
    return answer(run_side([SHOAL_PYTHON, SIDES / "shoal_side.py", model, rows, *flags]))


def answer(finished: Any) -> dict[str, Any]:
    """What a side printed, with the peak memory that the system saw."""
    line = next(line for line in finished.output.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT ")) | {"process": asdict(finished) | {"output": ""}}


if __name__ == "__main__":
    main()
