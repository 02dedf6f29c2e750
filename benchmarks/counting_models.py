"""Other small models on the counting task of the quick preset: as they are, and fine-tuned like the experiment's arms.

    nice -n 15 python -m benchmarks.counting_models bundled:stories DATA/stories260K/stories260K.bin gguf:SmolLM2.gguf
        [--rate 1e-3] [--epochs 80] [--batch-tokens 300] [--seeds 0 1 2] [--largest 30]

Each result is printed as a line of JSON as soon as it is there: exact match on held-out and on seen counts, how each
held-out answer leaves its target, bits per byte, and CPU-seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.evaluation import evaluate
from shoal.experiments import load_experiment
from shoal.models import load_model
from shoal.tasks import make_task
from shoal.training import TrainSettings, train

if TYPE_CHECKING:
    from shoal.models import LoadedModel
    from shoal.tasks import Task


def main() -> None:
    """Every model, as it is and then for each seed fine-tuned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="model specs")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--epochs", type=float, default=80.0, help="0: zero-shot alone")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--largest", type=int, default=30)
    table = load_experiment("counting").training
    parser.add_argument("--batch-tokens", type=int, default=table.batch_tokens)
    given = parser.parse_args()
    task = make_task("counting", largest=given.largest)
    for spec in given.models:
        try:
            report(spec, "as it is", task, load_model(spec, device="cpu"), 0.0)
            for seed in given.seeds if given.epochs else ():
                loaded = load_model(spec, device="cpu", seed=seed)
                settings = TrainSettings(
                    learning_rate=given.rate, epochs=given.epochs, batch_tokens=given.batch_tokens,
                    weight_decay=table.weight_decay, precision="float32", seed=seed,
                )  # fmt: skip
                begun = time.process_time()
                train(loaded.model, loaded.tokenizer, task.seen, settings)
                about = f"{given.epochs:g} epochs at {given.rate:g}, seed {seed}"
                report(spec, about, task, loaded, time.process_time() - begun)
        except ShoalError as fault:
            print(json.dumps({"model": spec, "fault": str(fault)}), flush=True)


def report(spec: str, about: str, task: Task, loaded: LoadedModel, training: float) -> None:
    """Print how a model does."""
    begun = time.process_time()
    row: dict[str, Any] = {"model": spec, "parameters": loaded.parameters, "about": about}
    for split, examples in (("held_out", task.held_out), ("seen", task.seen)):
        # What wrong answers go on with is decoded token by token, .08 CPU-seconds each for SmolLM2-135M.
        items = evaluate(loaded.model, loaded.tokenizer, examples, greedy_text=False).items
        row[split] = f"{sum(item.exact_match for item in items)}/{len(items)}"
        row[f"{split}_bits_per_byte"] = round(sum(item.bits_per_byte or 0.0 for item in items) / len(items), 3)
        if split == "held_out":
            row["divergences"] = [item.divergence for item in items]
            middle = examples[len(examples) // 2]
            row["answer"] = evaluate(loaded.model, loaded.tokenizer, [middle]).items[0].greedy_text
    print(
        json.dumps(row | {"training_cpu": round(training, 1), "cpu": round(time.process_time() - begun, 1)}), flush=True
    )


if __name__ == "__main__":
    main()
