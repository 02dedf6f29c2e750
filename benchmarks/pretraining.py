"""Pretraining beside the recipe of nanoGPT: the same Llama, the same stories, as many tokens, one thread each.

The peer draws random windows of the stream, ours takes whole documents; both predict each story and its end token, and
each keeps its own schedule. The peer takes the better of float32 and bfloat16, found beforehand; ours chooses within
the time that is counted. Called by ``python -m benchmarks.training``.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import PEERS_PYTHON, ROOT, SHOAL_PYTHON, run_side, spread

SIDES = ROOT / "benchmarks" / "sides"
PEER_PRECISIONS = ("float32", "bfloat16")
HELD_OUT = 300
LEARNING_RATE = 3e-3
BATCH_TOKENS = 4096
CONTEXT = 512
OURS: dict[str, tuple[str | float, ...]] = {
    "adamw": ("--optimizer", "adamw", "--beta2", 0.95),
    "adamw, beta2 .999": ("--optimizer", "adamw", "--beta2", 0.999),
    "muon": ("--optimizer", "muon", "--beta2", 0.999),
    "muon, beta2 .95": ("--optimizer", "muon", "--beta2", 0.95),
}
"""What is compared with the recipe; of each optimizer first what `shoal pretrain` takes for so few steps."""


def write_tokens(folder: Path, stories: list[str], tokenizer: Any) -> None:
    """The stories as a stream for the peer, as documents for ours, and some held out of both."""
    from shoal.training import write_token_file

    end, bytes_of = tokenizer.eos_token_id, [len(story.encode()) for story in stories]
    documents = [[end, *ids, end] for ids in tokenizer(stories)["input_ids"]]
    held_out = [
        {"ids": ids, "bytes": size}
        for ids, size in zip(documents[:HELD_OUT], bytes_of, strict=False)
        if len(ids) <= CONTEXT
    ]
    (folder / "held_out.json").write_text(json.dumps(held_out))
    seen = documents[HELD_OUT:]
    np.concatenate([ids[1:] for ids in seen]).astype("<u2").tofile(folder / "stream.bin")
    if not (folder / "documents").exists():
        write_token_file(folder / "documents", seen, vocabulary=len(tokenizer))


def speed(model: Path, data: Path, tokens: int, rounds: int) -> dict[str, Any]:
    """Tokens a CPU-second of both sides in turn, packing over a whole pass, and the share of the peak by precision."""
    tried = {name: peer(model, data, 2 * BATCH_TOKENS, name) for name in PEER_PRECISIONS}
    better = max(tried, key=lambda name: rate(tried[name]))
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(shoal(model, data, tokens))
        theirs.append(peer(model, data, tokens, better))
    return {
        "parameters": ours[0]["parameters"],
        "tokens": ours[0]["tokens"],
        "precision": {"shoal": ours[0]["precision"], "nanogpt": better},
        "tokens_per_cpu_second": {"shoal": spread([*map(rate, ours)]), "nanogpt": spread([*map(rate, theirs)])},
        "ratio": statistics.median(rate(a) / rate(b) for a, b in zip(ours, theirs, strict=True)),
        "packing_efficiency": ours[0]["efficiency"],
        "share_of_matmul_peak": {name: share(shoal(model, data, 4 * BATCH_TOKENS, name)) for name in PEER_PRECISIONS},
        "gradient": side(SHOAL_PYTHON, "shoal_pretraining_side.py", "gradient", model, data / "documents"),
    }


def quality(model: Path, data: Path, tokens: int, seeds: int) -> dict[str, Any]:
    """Bits a byte of held-out stories after as many tokens on both sides; a seed is an order of the data."""
    bits: dict[str, list[float]] = {name: [] for name in ("nanogpt", *OURS)}
    for seed in range(seeds):
        for name, found in bits.items():
            common = ("float32", "--save", data / "quality.safetensors", "--seed", seed)
            train = shoal if name in OURS else peer
            train(model, data, tokens, *common, *OURS.get(name, ()))
            found.append(bits_per_byte(model, data, data / "quality.safetensors"))
            print(f"  order {seed}, {name}: {found[-1]:.4f} bits per byte", flush=True)
    ratios = {name: [one / other for one, other in zip(bits[name], bits["nanogpt"], strict=True)] for name in OURS}
    over = {name: spread(found) for name, found in ratios.items()}
    return {"tokens": tokens, "bits_per_byte": bits, "over_nanogpt": over}


def bits_per_byte(model: Path, data: Path, weights: Path) -> float:
    found = side(
        SHOAL_PYTHON, "shoal_pretraining_side.py", "score", model, data / "held_out.json", "--weights", weights
    )
    return float(found["bits_per_byte"])


def shoal(model: Path, data: Path, tokens: int, precision: str = "auto", *more: str | float | Path) -> dict[str, Any]:
    return side(
        SHOAL_PYTHON, "shoal_pretraining_side.py", "train", model, data / "documents",
        "--tokens", tokens, *_common(), "--precision", precision, *more,
    )  # fmt: skip


def peer(model: Path, data: Path, tokens: int, precision: str, *more: str | float | Path) -> dict[str, Any]:
    return side(
        PEERS_PYTHON, "nanogpt_side.py", model, data / "stream.bin",
        "--steps", round(tokens / BATCH_TOKENS), *_common(), "--precision", precision, *more,
    )  # fmt: skip


def _common() -> tuple[str | int | float, ...]:
    return "--batch-tokens", BATCH_TOKENS, "--context", CONTEXT, "--learning-rate", LEARNING_RATE


def rate(run: dict[str, Any]) -> float:
    """Predicted tokens a CPU-second."""
    return run["tokens"] / run["cpu_seconds"]


def share(run: dict[str, Any]) -> float:
    """Share of the speed of a matrix product, by six operations a weight and token."""
    return 6 * run["parameters"] * rate(run) / run["matmul_flops"]


def side(python: Path, script: str, *arguments: str | float | Path) -> dict[str, Any]:
    """What one side printed of itself."""
    output = run_side([python, SIDES / script, *(str(argument) for argument in arguments)]).output
    found: dict[str, Any] = json.loads(output.rsplit("RESULT ", 1)[1])
    return found


def print_speed(name: str, found: dict[str, Any]) -> None:
    speeds, shares = found["tokens_per_cpu_second"], found["share_of_matmul_peak"]
    print(f"{name}: {found['parameters'] / 1e6:.1f}M parameters, {found['tokens']} tokens of stories, one thread")
    for side_name, speeds_of in speeds.items():
        kind = found["precision"][side_name]
        print(f"  {side_name + ', ' + kind:24} {speeds_of['median']:8.0f} tokens a CPU-second")
    print(f"  ratio {found['ratio']:.2f}; packing efficiency {found['packing_efficiency']:.4f}")
    print("  share of the matrix product's speed: " + ", ".join(f"{kind} {one:.0%}" for kind, one in shares.items()))
    apart = found["gradient"]["largest_relative_difference_of_a_tensor"]
    print(f"  float32 gradient against autograd of the plain loss, worst tensor: {apart:.1e}", flush=True)


def print_quality(found: dict[str, Any]) -> None:
    print(f"bits per byte on held-out stories after {found['tokens']} tokens, one figure an order of the data")
    for name, bits in found["bits_per_byte"].items():
        over = found["over_nanogpt"].get(name)
        against = f"; {100 * (over['median'] - 1):+.2f}% (median)" if over else ""
        print(f"  {name:20} " + ", ".join(f"{one:.4f}" for one in bits) + against, flush=True)
