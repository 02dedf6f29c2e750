"""The Trainer of transformers on the same rows, with its defaults, packed in bfloat16, or on batches that are given."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

ROW = 512
IGNORED = -100


def main() -> None:
    """Print the CPU-seconds of ``Trainer.train``, its tokens that are not padding, and the losses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("rows", type=Path)
    parser.add_argument("mode", choices=("defaults", "packed", "batches"))
    parser.add_argument("batch_tokens", type=int)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(options.model)
    with options.rows.open(encoding="utf-8") as file:
        if options.mode == "batches":
            batches = [[item(one["ids"], one["boundary"]) for one in batch] for batch in json.load(file)]
            rows = [row for batch in batches for row in batch]
        else:
            rows = encoded(options.model, [json.loads(line) for line in file])
    common: dict[str, Any] = {
        "output_dir": options.model + "-trainer",
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "num_train_epochs": 1,
        "disable_tqdm": True,
    }
    if options.mode == "defaults":
        trainer = Trainer(model, TrainingArguments(**common), train_dataset=rows, data_collator=padded)
    elif options.mode == "packed":
        packed = windows(rows)
        arguments = TrainingArguments(**common, bf16=True, per_device_train_batch_size=options.batch_tokens // ROW)
        trainer = Trainer(model, arguments, train_dataset=packed, data_collator=padded)
        rows = packed
    else:
        arguments = TrainingArguments(
            **common, learning_rate=1e-4, lr_scheduler_type="constant", logging_steps=1, per_device_train_batch_size=1
        )
        trainer = InOrder(model, arguments, train_dataset=batches, data_collator=lambda given: padded(given[0]))
    losses = Losses()
    trainer.add_callback(losses)
    before = time.process_time()
    done = trainer.train()
    seconds = time.process_time() - before
    result = {
        "cpu_seconds": seconds,
        "tokens": sum(len(row["input_ids"]) for row in rows),
        "steps": done.global_step,
        "losses": losses.seen,
    }
    print("RESULT " + json.dumps(result))


class InOrder(Trainer):
    """Takes the batches as they come."""

    def _get_train_sampler(self, *_: Any) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class Losses(TrainerCallback):
    """The loss of each step, as the model gave it."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
        """Keep what is logged of a step."""
        if "loss" in logs:
            self.seen.append(float(logs["loss"]))


def item(ids: list[int], boundary: int) -> dict[str, list[int]]:
    return {"input_ids": ids, "labels": [IGNORED] * boundary + ids[boundary:]}


def encoded(model: str, rows: list[dict[str, str]]) -> list[dict[str, list[int]]]:
    """Prompt and completion with the end token, the loss on the completion."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    found = []
    for row in rows:
        prompt = tokenizer(row["prompt"])["input_ids"]
        whole = tokenizer(row["prompt"] + row["completion"])["input_ids"]
        found.append(item([*whole, tokenizer.eos_token_id], len(prompt)))
    return found


def windows(rows: list[dict[str, list[int]]]) -> list[dict[str, list[int]]]:
    """The rows end to end, cut into full windows."""
    ids = [token for row in rows for token in row["input_ids"]]
    labels = [token for row in rows for token in row["labels"]]
    starts = range(0, len(ids) - ROW + 1, ROW)
    return [{"input_ids": ids[start : start + ROW], "labels": labels[start : start + ROW]} for start in starts]


def padded(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Rows padded on the right to the longest; no mask where nothing is padding."""
    width = max(len(row["input_ids"]) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), IGNORED)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for place, row in enumerate(rows):
        length = len(row["input_ids"])
        ids[place, :length] = torch.tensor(row["input_ids"])
        labels[place, :length] = torch.tensor(row["labels"])
        mask[place, :length] = 1
    return {"input_ids": ids, "labels": labels} | ({} if bool(mask.all()) else {"attention_mask": mask})


if __name__ == "__main__":
    main()
