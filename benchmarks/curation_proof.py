r"""Does a filter make a corpus better to train on? Small models on what stays, on what goes, and on a random part.

    nice -n 10 python -m benchmarks.curation_proof CORPUS [CORPUS ...] --filters gopher,c4,fineweb \
        --held-out FILE FILE [--unique 500000 --tokens 1000000 --seeds 0 1 2] [--out bench-out/curation-proof]

The corpora together are filtered, and three parts of them are trained on: **better** (what stays), **worse** (what the
filters remove) and **random** (documents of both, in the shares of the whole), in two designs:

- `equal`: as many unique tokens in each part (`--unique`, or as many as the smallest has) and as many training tokens;
- `whole`: as many training tokens, each part with all of its unique tokens, so that a small part is repeated.

A seed draws the documents, the fresh weights and the order. Held-out texts are read as bits per byte; give several that
no filter has made. Documents of the corpora that are in them are left out of the training. The tokenizer is trained on
equal shares of both parts, so that it favours neither.

Each training is appended to trainings.jsonl at once, and those that are there are left out: the same command resumes.
The summary gives the mean difference of bits per byte over seeds with its 95% t interval: below 0 the better part wins.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

from shoal.corpora import read_documents
from shoal.curation import curate, split_specs
from shoal.evaluation.stories import held_out_bits
from shoal.models import ModelShape, build_model
from shoal.text import plain_ids, train_tokenizer
from shoal.training import TrainSettings, pretrain

PARTS = ("better", "worse", "random")
DESIGNS = ("equal", "whole")
VOCABULARY = 1024
CONTEXT = 256
SHAPE = {"width": 96, "layers": 3, "heads": 4, "context": CONTEXT}
"""About 0.4 million parameters."""

TOKENIZER_CHARACTERS = 2_000_000
HELD_OUT_DOCUMENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained and on what it is measured."""

    corpora: tuple[Path, ...]
    filters: str
    held_out: tuple[Path, ...]
    unique: int
    tokens: int
    learning_rate: float

    def key(self) -> str:
        """Changes with everything but the seeds, so that no record is taken for one of another plan."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def parts_of(plan: Plan, folder: Path) -> dict[str, list[str]]:
    """The documents of each part, without those of the held-out texts."""
    forbidden = {text for path in plan.held_out for text in read_documents(path)}
    texts = [text for path in plan.corpora for text in read_documents(path) if text not in forbidden]
    better, worse = folder / "better.jsonl", folder / "worse.jsonl"
    if not better.exists() or not worse.exists():
        card = curate(texts, filters=split_specs(plan.filters), out=better, removed=worse)
        (folder / "card.json").write_text(json.dumps(card.to_dict(), indent=1), encoding="utf-8")
        print(card)
    found = {"better": list(read_documents(better)), "worse": list(read_documents(worse)), "random": texts}
    for name, documents in found.items():
        print(f"{name}: {len(documents):,} documents, {sum(map(len, documents)):,} characters")
    return found


def token_stream(documents: Sequence[str], tokenizer: Any, limit: int, seed: int) -> np.ndarray[Any, Any]:
    """Documents in random order up to a number of tokens, each followed by an end token."""
    order = random.Random(seed).sample(range(len(documents)), len(documents))
    ids: list[int] = []
    for place in order:
        ids += [*plain_ids(tokenizer, [documents[place]])[0], tokenizer.eos_token_id]
        if len(ids) >= limit:
            break
    return np.array(ids[:limit], dtype=np.int32)


def train_one(
    plan: Plan,
    streams: dict[str, np.ndarray[Any, Any]],
    tokenizer: Any,
    row: dict[str, Any],
    held_out: dict[str, list[str]],
) -> dict[str, Any]:
    """Train a model on one part and measure it."""
    begun = time.process_time()
    stream = streams[row["part"]]
    if row["design"] == "equal":
        stream = stream[: min(plan.unique, *(len(one) for one in streams.values()))]
    shape = ModelShape(vocabulary=len(tokenizer), end_token_id=tokenizer.eos_token_id, **SHAPE)
    model = build_model("llama", shape, seed=row["seed"])
    settings = TrainSettings(
        epochs=plan.tokens / len(stream),
        batch_tokens=8 * CONTEXT,
        learning_rate=plan.learning_rate,
        precision="float32",
        seed=row["seed"],
    )
    learned = pretrain(model, stream, settings, context=CONTEXT)
    bits = {name: held_out_bits(model, tokenizer, texts).value for name, texts in held_out.items()}
    return {
        "unique": len(stream),
        "passes": plan.tokens / len(stream),
        "loss": float(np.mean([point.loss for point in learned.curve[-20:]])),
        "bits_per_byte": bits,
        "cpu_seconds": round(time.process_time() - begun, 1),
    }


def summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Differences by design, pair of parts and held-out text, over seeds."""
    found = {(row["design"], row["part"], row["seed"]): row["bits_per_byte"] for row in rows}
    for design, other, text in product(
        DESIGNS, ("worse", "random"), sorted({text for bits in found.values() for text in bits})
    ):
        gaps = [
            found[design, "better", seed][text] - found[design, other, seed][text]
            for seed in sorted({row["seed"] for row in rows})
            if (design, "better", seed) in found and (design, other, seed) in found
        ]
        if len(gaps) < 2:
            yield f"{design}: better - {other} on {text}: {len(gaps)} seeds, no interval"
            continue
        mean = float(np.mean(gaps))
        half = float(t.ppf(0.975, len(gaps) - 1) * np.std(gaps, ddof=1) / len(gaps) ** 0.5)
        verdict = "better wins" if mean + half < 0 else f"{other} wins" if mean - half > 0 else "not significant"
        yield (
            f"{design}: better - {other} on {text}: {mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}] bits per byte "
            f"over {len(gaps)} seeds ({verdict})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--filters", default="gopher,c4,fineweb")
    parser.add_argument("--held-out", nargs="+", type=Path, required=True)
    parser.add_argument("--unique", type=int, default=500_000)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("bench-out/curation-proof"))
    given = parser.parse_args()
    plan = Plan(
        corpora=tuple(given.corpora),
        filters=given.filters,
        held_out=tuple(given.held_out),
        unique=given.unique,
        tokens=given.tokens,
        learning_rate=given.learning_rate,
    )
    folder = given.out / plan.key()
    folder.mkdir(parents=True, exist_ok=True)
    parts = parts_of(plan, folder)
    half = TOKENIZER_CHARACTERS // 2
    tokenizer = train_tokenizer(
        [text for name in ("better", "worse") for text in take(parts[name], half)],
        kind="bpe",
        vocabulary=VOCABULARY,
        context=CONTEXT,
    )
    held_out = {path.name: list(read_documents(path))[:HELD_OUT_DOCUMENTS] for path in plan.held_out}
    record = folder / "trainings.jsonl"
    rows = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = {(row["design"], row["part"], row["seed"]) for row in rows}
    for seed in given.seeds:
        streams = {name: token_stream(texts, tokenizer, plan.tokens, seed) for name, texts in parts.items()}
        for design, part in product(DESIGNS, PARTS):
            if (design, part, seed) in done:
                continue
            row = {"design": design, "part": part, "seed": seed}
            row |= train_one(plan, streams, tokenizer, row, held_out)
            rows.append(row)
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
    print("\n".join(summary(rows)))


def take(texts: Sequence[str], characters: int) -> Iterator[str]:
    """The first texts, up to a number of characters."""
    for text in texts:
        if characters <= 0:
            return
        yield text[:characters]
        characters -= len(text)


if __name__ == "__main__":
    main()
