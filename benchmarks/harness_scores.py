"""Log-likelihoods and generations beside lm-evaluation-harness: the same model, requests and thread.

Four kinds of items: questions with four full texts to choose from (as in ARC), stories with four endings (as in
HellaSwag), the same questions behind a header of worked examples, and minimal pairs of BLiMP; then generation. Both
sides get the same (context, continuation) pairs as text, encode them and score them; CPU-seconds are of that alone,
loading and imports not counted, and the peer has the best of some batch sizes. Every item must get the same choice,
every request the same greedy verdict, and log-likelihoods within 1e-4 of each other in relation to their size
(printed in nats, too).

    python -m benchmarks.harness_scores [--model MODEL] [--items 1000] [--kinds choices endings header pairs generation]

Figures go to bench-out/harness_scores.json, each kind to bench-out/harness_scores.jsonl when it is done.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import DATA, OUT, PEERS_PYTHON, ROOT, SHOAL_PYTHON, append_part, run_side, write_result

if TYPE_CHECKING:
    from collections.abc import Callable

SIDES = ROOT / "benchmarks" / "sides"
STORIES260K = DATA / "stories260K" / "stories260K.bin"
BATCH_SIZES = (1, 16, 64)
CHOICES = 4


def main() -> None:
    """Compare each kind and print a line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(STORIES260K))
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS, "generation"], default=[*KINDS, "generation"])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=BATCH_SIZES)
    options = parser.parse_args()
    model = both_read(options.model)
    result: dict[str, Any] = {}
    for kind in options.kinds:
        found = generation(model, options.items) if kind == "generation" else likelihoods(model, kind, options)
        result[kind] = found
        append_part("harness_scores", {"kind": kind, "model": options.model} | found)
        print(f"{kind:10} " + ", ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    print(f"written to {write_result('harness_scores', result)}")


def both_read(spec: str) -> Path:
    """The model as a folder that both sides read."""
    if Path(spec).is_dir():
        return Path(spec)
    from shoal.models import load_model, save_model

    folder = OUT / f"harness-{Path(spec).stem}"
    if not folder.exists():
        loaded = load_model(spec)
        save_model(loaded.model, loaded.tokenizer, folder)
    return folder


def likelihoods(model: Path, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """One kind of items whose texts are scored."""
    items = KINDS[kind](options.items)
    pairs = [pair for item in items for pair in item]
    file = OUT / f"harness-{kind}.jsonl"
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    ours = side([SHOAL_PYTHON, SIDES / "harness_scores_shoal.py", model, file])
    peers = {
        size: side([PEERS_PYTHON, SIDES / "harness_scores_peer.py", model, file, "--batch-size", str(size)])
        for size in options.batch_sizes
    }
    best = min(peers, key=lambda size: float(peers[size]["cpu_seconds"]))
    peer = peers[best]
    greedy = sum(one == other for one, other in zip(ours["greedy"], peer["greedy"], strict=True))
    apart = [abs(one - other) for one, other in zip(ours["nats"], peer["nats"], strict=True)]
    relative = [each / max(1.0, abs(other)) for each, other in zip(apart, peer["nats"], strict=True)]
    return {
        "items": len(items),
        "requests": len(pairs),
        "same choice": f"{same_choices(items, ours['nats'], peer['nats'])} of {len(items)}",
        "same greedy verdict": f"{greedy} of {len(pairs)}",
        "largest difference": float(f"{max(apart):.2g}"),
        "in relation to its size": float(f"{max(relative):.2g}"),
        "shoal CPU-s": round(ours["cpu_seconds"], 2),
        "peer CPU-s": round(peer["cpu_seconds"], 2),
        "peer batch": best,
        "ratio": round(peer["cpu_seconds"] / ours["cpu_seconds"], 2),
        "ratio at batch 1": round(peers[1]["cpu_seconds"] / ours["cpu_seconds"], 2) if 1 in peers else None,
        "shoal MB": round(ours["peak_bytes"] / 1e6),
        "peer MB": round(peer["peak_bytes"] / 1e6),
    }


def same_choices(items: list[list[tuple[str, str]]], ours: list[float], theirs: list[float]) -> int:
    """How many items have the same likeliest continuation on both sides."""
    same, first = 0, 0
    for item in items:
        part = slice(first, first + len(item))
        same += ours[part].index(max(ours[part])) == theirs[part].index(max(theirs[part]))
        first += len(item)
    return same


def generation(model: Path, items: int) -> dict[str, Any]:
    """Greedy generation behind worked examples, as GSM8K is answered."""
    rows = [json.loads(line) for line in (DATA / "gsm8k" / "test.jsonl").open(encoding="utf-8")][: max(1, items // 10)]
    worked = [json.loads(line) for line in (DATA / "gsm8k" / "train.jsonl").open(encoding="utf-8")]
    short = sorted(worked, key=lambda row: len(row["question"] + row["answer"]))[:2]
    header = "".join(f"Question: {row['question']}\nAnswer: {row['answer']}\n\n" for row in short)
    prompts = [f"{header}Question: {row['question']}\nAnswer:" for row in rows]
    file = OUT / "harness-generation.jsonl"
    settings = {"until": ["Question:", "</s>"], "max_gen_toks": 64, "do_sample": False, "temperature": 0.0}
    file.write_text("".join(json.dumps([prompt, settings]) + "\n" for prompt in prompts), encoding="utf-8")
    ours = side([SHOAL_PYTHON, SIDES / "harness_scores_shoal.py", model, file, "--generate"])
    peer = side([PEERS_PYTHON, SIDES / "harness_scores_peer.py", model, file, "--generate", "--batch-size", "16"])
    return {
        "items": len(prompts),
        "same text": f"{sum(a == b for a, b in zip(ours['texts'], peer['texts'], strict=True))} of {len(prompts)}",
        "shoal CPU-s": round(ours["cpu_seconds"], 2),
        "peer CPU-s": round(peer["cpu_seconds"], 2),
        "ratio": round(peer["cpu_seconds"] / ours["cpu_seconds"], 2),
        "shoal MB": round(ours["peak_bytes"] / 1e6),
        "peer MB": round(peer["peak_bytes"] / 1e6),
    }


def side(command: list[str | Path]) -> dict[str, Any]:
    """What one side found."""
    line = next(line for line in run_side(command).output.splitlines() if line.startswith("RESULT "))
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return found


def questions() -> list[dict[str, Any]]:
    """StrategyQA's training questions, each with what it is about."""
    return [json.loads(line) for line in (DATA / "strategyqa" / "train.jsonl").open(encoding="utf-8")]


def choices(count: int) -> list[list[tuple[str, str]]]:
    """A question and four short texts that say what it is about, of which one is right."""
    rows = [row for row in questions() if row["description"]]
    drawn = random.Random(0)
    found = []
    for row in rows[:count]:
        texts = [row["description"], *(drawn.choice(rows)["description"] for _ in range(CHOICES - 1))]
        found.append([(f"Question: {row['question']}\nAnswer:", f" {text}") for text in texts])
    return found


def header(count: int) -> list[list[tuple[str, str]]]:
    """The same behind four worked examples."""
    rows = [row for row in questions() if row["description"]]
    worked = sorted(rows, key=lambda row: len(row["question"] + row["description"]))[:4]
    before = "".join(f"Question: {row['question']}\nAnswer: {row['description']}\n\n" for row in worked)
    return [[(before + context, text) for context, text in item] for item in choices(count)]


def endings(count: int) -> list[list[tuple[str, str]]]:
    """The beginning of a story and four sentences that may follow, of which one does."""
    text = (DATA / "tinystories" / "tinystories_v2_gpt4_train_head.txt").read_text(encoding="utf-8")
    stories = [re.split(r"(?<=[.!?]) ", " ".join(story.split())) for story in text.split("<|endoftext|>")]
    stories = [story for story in stories if len(story) > 5]
    drawn = random.Random(0)
    found = []
    for story in stories[:count]:
        texts = [story[3], *(drawn.choice(stories)[3] for _ in range(CHOICES - 1))]
        found.append([(" ".join(story[:3]), f" {text}") for text in texts])
    return found


def pairs(count: int) -> list[list[tuple[str, str]]]:
    """Sentences of BLiMP that differ in one point."""
    from shoal.evaluation.stories import read_minimal_pairs

    found = read_minimal_pairs(DATA / "blimp" / "BLiMP.zip", max_per_paradigm=-(-count // 34))
    return [[("", pair.good), ("", pair.bad)] for pair in found[:count]]


KINDS: dict[str, Callable[[int], list[list[tuple[str, str]]]]] = {
    "choices": choices,
    "endings": endings,
    "header": header,
    "pairs": pairs,
}


if __name__ == "__main__":
    main()
