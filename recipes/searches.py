"""Makes bundled:searches: text and generated stories to a tokenizer and a pretrained model, by recipes/searches.toml.

    python recipes/searches.py --data ../shared/data --out src/shoal/models/bundled/searches

The whole training text is checked to hold no ascending run. Equal recipes give equal models on the same machine with
as many threads; a run that was killed goes on from its checkpoint beside the folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from card import write_card

from shoal.corpora import (
    check_never_counts_up,
    clean_text,
    drop_counting,
    generate_stories,
    pack_windows,
    read_easiest_books,
    read_stories,
    read_zipped_stories,
)
from shoal.models import ModelShape, build_model, save_model
from shoal.text.bpe import train_bpe
from shoal.training import TrainSettings, pretrain

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

HELD_OUT_EVERY = 50
STORIES_FOR_TOKENIZER = 6000


@dataclass(frozen=True)
class Source:
    """One source of text, cleaned and split."""

    name: str
    seen: list[str]
    held_out: list[str]
    dropped: int


def read_sources(folder: Path, text: dict[str, Any]) -> list[Source]:
    """The three sources of text, without the paragraphs that count up."""
    raw = {
        "TinyStories V2": read_stories(folder / text["stories"]),
        "storybooks": read_zipped_stories(folder / text["zipped_stories"]),
        "children's books": read_easiest_books(folder / text["books"], text["easiest_books"]),
    }
    sources = []
    for name, documents in raw.items():
        kept, dropped = drop_counting(clean_text(document) for document in documents)
        seen = [document for place, document in enumerate(kept) if place % HELD_OUT_EVERY]
        sources.append(Source(name, seen, kept[::HELD_OUT_EVERY], dropped))
    return sources


def stage_windows(
    stage: dict[str, Any],
    text: np.ndarray[Any, Any],
    tokenizer: PreTrainedTokenizerFast,
    context: int,
    seed: int,
    generate: Callable[..., list[str]] = generate_stories,
) -> tuple[np.ndarray[Any, Any], int]:
    """The windows of a stage in random order, and how many stories were generated for it.

    Every generated story is checked before it is used.
    """
    wanted = int(stage["tokens"] * (1 - stage["text_share"])) // context
    pieces: list[np.ndarray[Any, Any]] = []
    count = 0
    while sum(map(len, pieces)) < wanted:
        stories = generate(
            10_000, stage["mixture"], seed=seed * 1000 + len(pieces), max_distractors=stage["longest_search"]
        )
        count += check_never_counts_up(stories)
        ids = tokenizer(stories, add_special_tokens=False, verbose=False)["input_ids"]
        pieces.append(
            pack_windows((story[: context - 1] for story in ids), context=context, end_token_id=tokenizer.eos_token_id)
        )
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(text))[: stage["tokens"] // context - wanted]
    windows = np.concatenate([np.concatenate(pieces)[:wanted], text[chosen]])
    return windows[generator.permutation(len(windows))], count


def bits_per_byte(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], context: int) -> float:
    """Cross-entropy of held-out texts in bits per byte, end tokens included, in windows of the trained length."""
    import torch

    ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    windows = pack_windows(ids, context=context, end_token_id=tokenizer.eos_token_id)
    nats = 0.0
    with torch.inference_mode():
        for start in range(0, len(windows), 16):
            x_BL = torch.from_numpy(windows[start : start + 16].astype(np.int64))
            logits_BLV = model(input_ids=x_BL).logits[:, :-1]
            nats += float(
                torch.nn.functional.cross_entropy(logits_BLV.flatten(0, 1), x_BL[:, 1:].flatten(), reduction="sum")
            )
    return nats / float(np.log(2)) / sum(len(text.encode()) for text in texts)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of text")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model")
    parser.add_argument("--recipe", type=Path, default=Path(__file__).with_suffix(".toml"))
    arguments = parser.parse_args()
    recipe = tomllib.loads(arguments.recipe.read_text())
    run(recipe, arguments.recipe, arguments.data, arguments.out)


def run(recipe: dict[str, Any], recipe_file: Path, data: Path, out: Path) -> None:
    """From the recipe to the folder of the model."""
    started = time.monotonic()
    context, seed = recipe["training"].pop("context"), recipe["seed"]
    sources = read_sources(data, recipe["text"])
    seen = [document for source in sources for document in source.seen]
    check_never_counts_up(seen)
    samples = generate_stories(STORIES_FOR_TOKENIZER, recipe["stages"][0]["mixture"], seed=seed)
    tokenizer = train_bpe([*seen, *samples], vocabulary=recipe["tokenizer"]["vocabulary"])
    text = pack_windows(
        tokenizer(seen, add_special_tokens=False, verbose=False)["input_ids"],
        context=context,
        end_token_id=tokenizer.eos_token_id,
    )
    staged = [
        stage_windows(stage, text, tokenizer, context, seed + place) for place, stage in enumerate(recipe["stages"])
    ]
    stream = np.concatenate([windows for windows, _ in staged]).reshape(-1)
    shape = ModelShape(vocabulary=len(tokenizer), end_token_id=tokenizer.eos_token_id, **recipe["model"])
    model = build_model("llama", shape, seed=seed)
    result = pretrain(
        model,
        stream,
        TrainSettings(epochs=1, seed=seed, **recipe["training"]),
        context=context,
        order="sequential",
        folder=out.with_name(out.name + ".checkpoint"),
        progress=_say,
    )
    save_model(model, tokenizer, out)
    _write_curve(out / "curve.jsonl", result.curve)
    shutil.copyfile(recipe_file, out / "recipe.toml")
    held_out = {source.name: source.held_out for source in sources}
    held_out["generated stories"] = generate_stories(300, recipe["stages"][-1]["mixture"], seed=10**9)
    write_card(
        out,
        model,
        tokenizer,
        sources=sources,
        facts={
            "seed": seed,
            "tokens": len(stream),
            "text windows": len(text),
            "generated stories": sum(count for _, count in staged),
            "steps": result.steps,
            "training seconds": round(result.seconds),
            "wall seconds": round(time.monotonic() - started),
            "precision": result.precision,
        },
        bits={name: bits_per_byte(model, tokenizer, texts, context) for name, texts in held_out.items()},
    )


def _write_curve(file: Path, curve: tuple[Any, ...]) -> None:
    """The loss as means of up to 400 equal stretches of steps."""
    every = max(1, len(curve) // 400)
    with file.open("w") as out:
        for start in range(0, len(curve), every):
            part = curve[start : start + every]
            row = asdict(part[-1]) | {"loss": round(float(np.mean([point.loss for point in part])), 4)}
            row |= {
                "learning_rate": float(f"{row['learning_rate']:.4g}"),
                "gradient_norm": round(row["gradient_norm"], 4),
            }
            out.write(json.dumps(row) + "\n")


def _say(what: str, done: int, total: int) -> None:
    if done % 100 == 0 or done == total:
        sys.stderr.write(f"{what} {done}/{total}\n")


if __name__ == "__main__":
    main()
