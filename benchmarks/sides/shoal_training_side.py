"""Shoal's training of one pass over the rows, or of some float32 steps whose batches are written down."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

CONTEXT = 512

if TYPE_CHECKING:
    from shoal.models import LoadedModel
    from shoal.tasks import Example


def main() -> None:
    """Print speed, losses and the speed of a matrix product, or losses and batches where steps are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("batch_tokens", type=int)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()

    from shoal.models import load_model
    from shoal.tasks import read_rows

    loaded = load_model(options.model)
    examples = read_rows(Path(options.rows))
    if options.steps:
        result = train_steps(loaded, examples, options.batch_tokens, options.steps, Path(options.rows).parent)
    else:
        result = train_once(loaded, examples, options.batch_tokens)
    print("RESULT " + json.dumps(result))


def train_once(loaded: LoadedModel, examples: list[Example], batch_tokens: int) -> dict[str, Any]:
    """One pass, the precision chosen by measuring."""
    from shoal.text.encoding import encode_pairs
    from shoal.training import TrainSettings, train

    settings = TrainSettings(learning_rate=5e-4, epochs=1, batch_tokens=batch_tokens)
    before = time.process_time()
    done = train(loaded.model, loaded.tokenizer, examples, settings)
    seconds = time.process_time() - before
    pairs = encode_pairs(loaded.tokenizer, [(row.prompt, row.completion, row.ends) for row in examples])
    return {
        "cpu_seconds": seconds,
        "tokens": sum(len(pair.ids) for pair in pairs),
        "steps": done.steps,
        "precision": done.precision,
        "losses": [point.loss for point in done.curve],
        "parameters": loaded.parameters,
        "matmul_flops": product_speed(loaded.model.config, done.precision),
    }


def train_steps(
    loaded: LoadedModel, examples: list[Example], batch_tokens: int, steps: int, folder: Path
) -> dict[str, Any]:
    """The losses of some float32 steps, and the file of the documents of each."""
    from shoal.text.encoding import encode_pairs
    from shoal.training import TrainSettings, train
    from shoal.training.batches import PackedExamples

    pairs = encode_pairs(loaded.tokenizer, [(row.prompt, row.completion, row.ends) for row in examples])
    settings = TrainSettings(
        learning_rate=1e-4,
        epochs=steps * batch_tokens / sum(len(pair.ids) for pair in pairs),
        batch_tokens=batch_tokens,
        precision="float32",
        schedule="constant",
        warmup=0.0,
    )
    done = train(loaded.model, loaded.tokenizer, examples, settings)
    losses = [point.loss for point in done.curve[:steps]]
    source = PackedExamples(pairs, settings, context=CONTEXT)
    batches = [
        [{"ids": document.ids.tolist(), "boundary": document.boundary} for document in source.batch(step).documents]
        for step in range(len(losses))
    ]
    path = folder / "batches.json"
    path.write_text(json.dumps(batches))
    return {"losses": losses, "batches": str(path)}


def product_speed(config: Any, precision: str) -> float:
    """Operations a second of a linear layer of the model's size."""
    import torch

    kind = getattr(torch, precision)
    rows, inner, outer = 2048, config.hidden_size, config.intermediate_size
    left, right = torch.randn(rows, inner).to(kind), torch.randn(outer, inner).to(kind)
    best = float("inf")
    for _ in range(20):
        before = time.process_time()
        torch.nn.functional.linear(left, right)
        best = min(best, time.process_time() - before)
    return 2 * rows * inner * outer / best


if __name__ == "__main__":
    main()
