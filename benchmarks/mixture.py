"""Which part of the pretraining of bundled:searches brings the counting rule? Small models on parts of the mixture.

Each model is trained from scratch by recipes/searches.toml at fewer tokens and with Muon: with the whole mixture,
without one part of it (the others take its place, so that all have as many tokens), or with one part alone. Then it is
fine-tuned as the quick counting experiment fine-tunes its treatment. A seed draws the fresh weights, the order and the
stories of its pretraining, the same for all variants, so that variants are compared seed by seed.

    nice -n 15 python -m benchmarks.mixture --data DATA [--variants NAME ...] [--seeds 0 1 2 ...] [--tokens 2000000]

Each result is printed and appended to bench-out/mixture.jsonl at once; those that are there are left out. With fewer
than six seeds a difference has no interval.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.processes import ROOT
from shoal.corpora import pack_windows
from shoal.evaluation import evaluate
from shoal.experiments import load_experiment
from shoal.models import ModelShape, build_model, load_tokenizer
from shoal.statistics import sign_flip_interval
from shoal.tasks import make_task
from shoal.training import TrainSettings, pretrain, train

sys.path.insert(0, str(ROOT / "recipes"))

from searches import read_sources, stage_windows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Keep = Callable[[str], bool]


def _without(*parts: str) -> Keep:
    return lambda name: not any(part in name.split("-") for part in parts)


def _only(*parts: str) -> Keep:
    return lambda name: any(part in name.split("-") for part in parts)


VARIANTS: Mapping[str, tuple[Keep, bool]] = {
    "whole": (lambda _: True, True),
    "without searches": (_without("search"), True),
    "without guesses": (_without("guess"), True),
    "without copies, lists and sameness": (_without("copy", "lists", "same"), True),
    "without unary numbers": (_without("unary"), True),
    "without objects": (_without("object"), True),
    "without digits": (_without("digits"), True),
    "without text": (lambda _: True, False),
    "searches alone": (_only("search"), False),
    "guesses alone": (_only("guess"), False),
    "copies, lists and sameness alone": (_only("copy", "lists", "same"), False),
    "unary numbers alone": (_only("unary"), False),
    "text and tales alone": (_only("tale"), True),
}
"""Which stories stay, and whether text does."""


def main() -> None:
    """Train what is missing, and print the differences from the whole mixture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of text")
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4, 5])
    parser.add_argument("--tokens", type=int, default=2_000_000)
    parser.add_argument("--optimizer", default="muon")
    parser.add_argument("--out", type=Path, default=Path("bench-out/mixture.jsonl"))
    given = parser.parse_args()
    recipe = tomllib.loads((ROOT / "recipes" / "searches.toml").read_text())
    tokenizer = load_tokenizer("bundled:searches")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = _text_windows(recipe, given.data, tokenizer, given.out.with_name("mixture-text.npy"))
    for seed in given.seeds:
        for variant in given.variants:
            if (variant, seed, given.tokens, given.optimizer) in {_key(row) for row in _rows(given.out)}:
                continue
            row = {"variant": variant, "seed": seed, "tokens": given.tokens, "optimizer": given.optimizer}
            row |= run(recipe, text, tokenizer, row)
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
    print_effects([row for row in _rows(given.out) if row["tokens"] == given.tokens])


def run(
    recipe: dict[str, Any], text: np.ndarray[Any, Any], tokenizer: PreTrainedTokenizerFast, row: Mapping[str, Any]
) -> dict[str, Any]:
    """Pretrain one model, fine-tune it to count, and evaluate it before and after."""
    started = time.process_time()
    keep, with_text = VARIANTS[row["variant"]]
    settings = dict(recipe["training"])
    context = settings.pop("context")
    full = sum(stage["tokens"] for stage in recipe["stages"])
    parts = []
    for place, stage in enumerate(recipe["stages"]):
        mixture = {name: weight for name, weight in stage["mixture"].items() if keep(name)}
        scaled = stage | {
            "mixture": mixture,
            "tokens": round(row["tokens"] * stage["tokens"] / full),
            "text_share": stage["text_share"] if with_text else 0.0,
        }
        parts.append(stage_windows(scaled, text, tokenizer, context, 1000 * (1 + row["seed"]) + place)[0])
    shape = ModelShape(vocabulary=len(tokenizer), end_token_id=tokenizer.eos_token_id, **recipe["model"])
    model = build_model("llama", shape, seed=row["seed"])
    learned = pretrain(
        model,
        np.concatenate(parts).reshape(-1),
        TrainSettings(epochs=1, seed=row["seed"], **(settings | {"optimizer": row["optimizer"]})),
        context=context,
        order="sequential",
    )
    task = make_task("counting", largest=30)
    examples = [*task.held_out, *task.seen]
    before = evaluate(model, tokenizer, examples, greedy_text=False).items
    table = load_experiment("counting").training
    train(
        model,
        tokenizer,
        task.seen,
        TrainSettings(
            learning_rate=1e-3, epochs=table.epochs, batch_tokens=table.batch_tokens,
            weight_decay=table.weight_decay, precision="float32", seed=row["seed"],
        ),
    )  # fmt: skip
    after = evaluate(model, tokenizer, examples, greedy_text=False).items
    cut = len(task.held_out)
    return {
        "loss": round(float(np.mean([point.loss for point in learned.curve[-50:]])), 4),
        "held_out": sum(item.exact_match for item in after[:cut]),
        "of": cut,
        "seen": sum(item.exact_match for item in after[cut:]),
        "right": [
            example.tags["index"] for example, item in zip(examples, after[:cut], strict=False) if item.exact_match
        ],
        "bits_before": round(float(np.mean([item.bits_per_byte for item in before[:cut]])), 3),
        "bits_after": round(float(np.mean([item.bits_per_byte for item in after[:cut]])), 3),
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def print_effects(rows: list[dict[str, Any]]) -> None:
    """Each variant's share of held-out counts, and its difference from the whole mixture, seed by seed."""
    whole = {row["seed"]: row["held_out"] / row["of"] for row in rows if row["variant"] == "whole"}
    for variant in VARIANTS:
        found = {row["seed"]: row["held_out"] / row["of"] for row in rows if row["variant"] == variant}
        if not found:
            continue
        line = f"{variant:34} {np.mean(list(found.values())):.3f} ({', '.join(f'{v:.2f}' for v in found.values())})"
        paired = [found[seed] - whole[seed] for seed in found if seed in whole]
        if variant != "whole" and paired:
            interval = sign_flip_interval(paired)
            line += (
                f"  difference {np.mean(paired):+.3f} [{interval.low:.3f}, {interval.high:.3f}], {len(paired)} seeds"
            )
        print(line)


def _text_windows(
    recipe: dict[str, Any], data: Path, tokenizer: PreTrainedTokenizerFast, cached: Path
) -> np.ndarray[Any, Any]:
    """The windows of text, read once."""
    if not cached.is_file():
        seen = [document for source in read_sources(data, recipe["text"]) for document in source.seen]
        ids = tokenizer(seen, add_special_tokens=False, verbose=False)["input_ids"]
        np.save(cached, pack_windows(ids, context=recipe["training"]["context"], end_token_id=tokenizer.eos_token_id))
    windows: np.ndarray[Any, Any] = np.load(cached)
    return windows


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def _key(row: Mapping[str, Any]) -> tuple[str, int, int, str]:
    return row["variant"], row["seed"], row["tokens"], row["optimizer"]


if __name__ == "__main__":
    main()
