"""Which part of the pretraining of bundled:searches brings the counting rule? Small models on parts of the mixture.

Each model is trained from scratch by recipes/searches.toml at fewer tokens and with Muon: with the whole mixture,
without one part of it (the others take its place, so that all have as many tokens), with one part alone, or with
searches whose end does not depend on what they ask for. How well it compares is measured on the way and at the end
(`benchmarks.ending`). Then it is fine-tuned as the quick counting experiment fine-tunes its treatment. A seed draws the
fresh weights, the order and the stories of its pretraining, so that variants are compared seed by seed.

    nice -n 15 python -m benchmarks.mixture --data DATA [--variants NAME ...] [--seeds 0 1 2 ...] [--tokens 2000000]

Each result is printed and appended to bench-out/mixture.jsonl at once; those that are there are left out. 2 million
tokens take about 180 CPU-seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t

from benchmarks.ending import LARGEST, measure
from benchmarks.processes import ROOT
from shoal.corpora import find_ascending_run, generate_stories, pack_windows
from shoal.evaluation import evaluate
from shoal.experiments import load_experiment
from shoal.models import ModelShape, build_model, load_tokenizer
from shoal.tasks import make_task
from shoal.training import TrainSettings, pretrain, train

sys.path.insert(0, str(ROOT / "recipes"))

from searches import read_sources, stage_windows

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.training import CurvePoint

Keep = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a pretraining reads: which stories, with the children's text or without it, and who writes the stories."""

    keep: Keep
    with_text: bool
    generate: Callable[..., list[str]] = generate_stories


def _without(*parts: str) -> Keep:
    return lambda name: not any(part in name.split("-") for part in parts)


def _unary(*kinds: str) -> Keep:
    return lambda name: name in {f"{kind}-unary" for kind in kinds}


def end_anywhere(count: int, mixture: Mapping[str, float], *, seed: int, max_distractors: int) -> list[str]:
    """As `generate_stories`, but what searches ask for is exchanged between them, so that they end at any item.

    All else that a search teaches stays: its wordings, how often each item is asked for, what is met on the way, and
    that the story ends behind one of them.
    """
    rng = random.Random(seed)
    stories: list[str] = []
    for name, weight in mixture.items():
        share = round(count * weight / sum(mixture.values()))
        drawn = generate_stories(share, {name: 1}, seed=rng.getrandbits(32), max_distractors=max_distractors)
        if name.startswith("search"):
            item = r"[a-z]+ [a-z]+" if name.endswith("object") else r"\d+"
            asked = [_place_asked_for(story, item) for story in drawn]
            others = [story[place] for story, place in zip(drawn, asked, strict=True)]
            rng.shuffle(others)
            drawn = [
                story[: place.start] + other + story[place.stop :]
                for story, place, other in zip(drawn, asked, others, strict=True)
            ]
        stories += drawn
    rng.shuffle(stories)
    return [story for story in stories if find_ascending_run(story) is None]


def _place_asked_for(story: str, item: str) -> slice:
    """Where a search names what it asks for: the last time before it is found, at the end."""
    found = re.search(rf"({item})(?:\.|\. (?:He|She) stopped\.|\. Stop!)?$", story)
    assert found is not None, story
    *_, asked, _ = re.finditer(rf"\b{found[1]}\b", story)
    return slice(*asked.span())


VARIANTS: Mapping[str, Variant] = {
    "whole": Variant(keep=lambda _: True, with_text=True),
    "whole, searches end anywhere": Variant(keep=lambda _: True, with_text=True, generate=end_anywhere),
    "without searches": Variant(keep=_without("search"), with_text=True),
    "without guesses": Variant(keep=_without("guess"), with_text=True),
    "without copies, lists and sameness": Variant(keep=_without("copy", "lists", "same"), with_text=True),
    "without unary numbers": Variant(keep=_without("unary"), with_text=True),
    "text and tales alone": Variant(keep=lambda name: name == "tale", with_text=True),
    "searches in unary alone": Variant(keep=_unary("search"), with_text=False),
    "searches in unary alone, end anywhere": Variant(keep=_unary("search"), with_text=False, generate=end_anywhere),
    "guesses in unary alone": Variant(keep=_unary("guess"), with_text=False),
    "copies, lists and sameness in unary alone": Variant(keep=_unary("copy", "lists", "same"), with_text=False),
}

# The rate is the only one that was tried with Muon at 2 million tokens (docs/log.md, 30 November 2026).
PRETRAINING: Mapping[str, Any] = {"optimizer": "muon", "learning_rate": 8e-3}
POINTS = 6
"""How often the comparison is measured on the way."""

MEASURES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "rank of the right end, task's wording": lambda row: row["comparing"]["task"]["rank"][0],
    "contrast, task's wording": lambda row: row["comparing"]["task"]["contrast"][0],
    "right ends, task's wording": lambda row: row["comparing"]["task"]["right"][0],
    "right ends, own story": lambda row: row["comparing"]["own story"]["right"][0],
    "held out, of 9, fine-tuned": lambda row: row["held_out"],
}
"""What is read off a result."""


def main() -> None:
    """Train what is missing, and print how the variants differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of text")
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4, 5])
    parser.add_argument("--tokens", type=int, default=2_000_000)
    parser.add_argument("--out", type=Path, default=Path("bench-out/mixture.jsonl"))
    given = parser.parse_args()
    recipe = tomllib.loads((ROOT / "recipes" / "searches.toml").read_text())
    tokenizer = load_tokenizer("bundled:searches")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = _text_windows(recipe, given.data, tokenizer, given.out.with_name("mixture-text.npy"))
    for seed in given.seeds:
        for variant in given.variants:
            row = {"variant": variant, "seed": seed, "tokens": given.tokens}
            if any(row.items() <= found.items() for found in _rows(given.out)):
                continue
            row |= run(recipe, text, tokenizer, row)
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
    print_effects([row for row in _rows(given.out) if row["tokens"] == given.tokens])


def run(
    recipe: dict[str, Any], text: np.ndarray[Any, Any], tokenizer: PreTrainedTokenizerFast, row: Mapping[str, Any]
) -> dict[str, Any]:
    """Pretrain one model, measure how it compares, fine-tune it to count, and evaluate it."""
    started = time.process_time()
    context = recipe["training"]["context"]
    stream = _stream(recipe, text, tokenizer, row)
    shape = ModelShape(vocabulary=len(tokenizer), end_token_id=tokenizer.eos_token_id, **recipe["model"])
    model = build_model("llama", shape, seed=row["seed"])
    settings = {name: value for name, value in recipe["training"].items() if name != "context"} | PRETRAINING
    every = len(stream) // settings["batch_tokens"] // POINTS
    curve: list[dict[str, Any]] = []

    def follow(point: CurvePoint) -> None:
        if point.step % every == 0:
            curve.append({"tokens": point.tokens} | measure(model, tokenizer))

    learned = pretrain(
        model,
        stream,
        TrainSettings(epochs=1, seed=row["seed"], **settings),
        context=context,
        order="sequential",
        on_step=follow,
    )
    found = {
        "loss": round(float(np.mean([point.loss for point in learned.curve[-50:]])), 4),
        "comparing": measure(model, tokenizer),
        "curve": curve,
        "pretraining_cpu_seconds": round(time.process_time() - started, 1),
    }
    found |= fine_tune(model, tokenizer, row["seed"])
    return found | {"cpu_seconds": round(time.process_time() - started, 1)}


def _stream(
    recipe: dict[str, Any], text: np.ndarray[Any, Any], tokenizer: PreTrainedTokenizerFast, row: Mapping[str, Any]
) -> np.ndarray[Any, Any]:
    """The tokens of a pretraining: the recipe's stages, scaled, with the stories of the variant."""
    variant = VARIANTS[row["variant"]]
    full = sum(stage["tokens"] for stage in recipe["stages"])
    parts = []
    for place, stage in enumerate(recipe["stages"]):
        scaled = stage | {
            "mixture": {name: weight for name, weight in stage["mixture"].items() if variant.keep(name)},
            "tokens": round(row["tokens"] * stage["tokens"] / full),
            "text_share": stage["text_share"] if variant.with_text else 0.0,
        }
        seed = 1000 * (1 + row["seed"]) + place
        windows, _ = stage_windows(
            scaled, text, tokenizer, recipe["training"]["context"], seed, generate=variant.generate
        )
        parts.append(windows)
    return np.concatenate(parts).reshape(-1)


def fine_tune(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, seed: int) -> dict[str, Any]:
    """Teach the seen counts of the quick preset, and count the right answers."""
    task = make_task("counting", largest=LARGEST)
    table = load_experiment("counting").training
    train(
        model,
        tokenizer,
        task.seen,
        TrainSettings(
            learning_rate=1e-3, epochs=table.epochs, batch_tokens=table.batch_tokens,
            weight_decay=table.weight_decay, precision="float32", seed=seed,
        ),
    )  # fmt: skip
    held_out = evaluate(model, tokenizer, task.held_out, greedy_text=False).items
    return {
        "held_out": sum(item.exact_match for item in held_out),
        "right": [
            example.tags["index"] for example, item in zip(task.held_out, held_out, strict=True) if item.exact_match
        ],
        "seen": evaluate(model, tokenizer, task.seen, greedy_text=False).exact_matches,
    }


def print_effects(rows: list[dict[str, Any]]) -> None:
    """Each variant's measures seed by seed, and their mean differences from the first variant that was run."""
    reference = next(variant for variant in VARIANTS if any(row["variant"] == variant for row in rows))
    base = {row["seed"]: row for row in rows if row["variant"] == reference}
    for name, read in MEASURES.items():
        print(name)
        for variant in VARIANTS:
            found = {row["seed"]: read(row) for row in rows if row["variant"] == variant}
            if not found:
                continue
            each = ", ".join(f"{value:.3g}" for value in found.values())
            line = f"  {variant:40} {np.mean(list(found.values())):7.3f} ({each})"
            paired = [value - read(base[seed]) for seed, value in found.items() if seed in base]
            if variant != reference and len(paired) > 1:
                line += f"  difference {np.mean(paired):+.3f} {_interval(paired)}, {len(paired)} seeds"
            print(line)


def _interval(differences: Sequence[float]) -> str:
    """The 95% interval of a mean by Student's t: with two or three seeds, exact sign flips have none."""
    mean, error = np.mean(differences), np.std(differences, ddof=1) / len(differences) ** 0.5
    reach = float(t.ppf(0.975, len(differences) - 1)) * error
    return f"[{mean - reach:.3f}, {mean + reach:.3f}]"


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


if __name__ == "__main__":
    main()
