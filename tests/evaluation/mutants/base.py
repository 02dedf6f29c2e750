"""A right evaluator in small steps, each of which a mutant can get wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from .correct import encode


class Batched:
    """Right: sorted batches, padded on the left, with mask and positions; says nothing but ``exact_match``."""

    mutants: ClassVar[list[type[Batched]]] = []
    batch_size = 6

    def __init_subclass__(cls, *, kept_apart: bool = False) -> None:
        if not kept_apart:
            Batched.mutants.append(cls)

    @torch.no_grad()
    def __call__(self, model: Any, tokenizer: Any, examples: Any) -> Any:
        self.model, self.tokenizer, self.examples = model, tokenizer, examples
        pairs = [self.encode(example) for example in examples]
        order = self.order(pairs)
        verdicts = []
        for top in range(0, len(order), self.batch_size):
            verdicts += self.judge_batch([pairs[index] for index in order[top : top + self.batch_size]])
        return self.collect(order, verdicts)

    def encode(self, example: Any) -> tuple[list[int], list[int]]:
        return encode(self.tokenizer, example)

    def order(self, pairs: list[tuple[list[int], list[int]]]) -> list[int]:
        return sorted(range(len(pairs)), key=lambda index: len(pairs[index][0]) + len(pairs[index][1]))

    def judge_batch(self, pairs: list[tuple[list[int], list[int]]]) -> list[Any]:
        ids, mask, starts = self.pad(pairs)
        logits = self.run(ids, mask)
        return [
            self.judge(logits[row], start, prompt, target)
            for row, (start, (prompt, target)) in enumerate(zip(starts, pairs, strict=True))
        ]

    def pad(self, pairs: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        longest = max(len(prompt) + len(target) for prompt, target in pairs)
        ids = torch.full((len(pairs), longest), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        starts = []
        for row, (prompt, target) in enumerate(pairs):
            start = longest - len(prompt) - len(target)
            ids[row, start:] = torch.tensor(prompt + target)
            mask[row, start:] = 1
            starts.append(start)
        return ids, mask, starts

    def run(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        return self.model(input_ids=ids, attention_mask=mask, position_ids=positions).logits

    def judge(self, logits: torch.Tensor, start: int, prompt: list[int], target: list[int]) -> Any:
        first = start + len(prompt) - 1
        return self.match(logits[first : first + len(target)], target)

    def match(self, rows: torch.Tensor, target: list[int]) -> Any:
        return self.combine(self.hits(rows, target))

    def hits(self, rows: torch.Tensor, target: list[int]) -> list[bool]:
        said = rows.argmax(-1).masked_fill(rows.isnan().any(-1), -1).tolist()
        return [one == other for one, other in zip(said, target, strict=True)]

    def combine(self, hits: list[bool]) -> Any:
        return all(hits)

    def collect(self, order: list[int], verdicts: list[Any]) -> Any:
        records = [None] * len(order)
        for index, verdict in zip(order, verdicts, strict=True):
            records[index] = verdict if isinstance(verdict, dict) else {"exact_match": verdict}
        return records


class RightPadded(Batched, kept_apart=True):
    """Right: the same with padding on the right, where positions need no thought."""

    def pad(self, pairs):
        longest = max(len(prompt) + len(target) for prompt, target in pairs)
        ids = torch.full((len(pairs), longest), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, (prompt, target) in enumerate(pairs):
            ids[row, : len(prompt) + len(target)] = torch.tensor(prompt + target)
            mask[row, : len(prompt) + len(target)] = 1
        return ids, mask, [0] * len(pairs)


class Generating(Batched, kept_apart=True):
    """Right: `generate()`, one item at a time, for faults that lie in it."""

    def judge_batch(self, pairs):
        return [self.compare(self.generate(prompt, target), target) for prompt, target in pairs]

    def generate(self, prompt, target):
        ids = torch.tensor([prompt])
        said = self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=self.limit(target),
            pad_token_id=self.tokenizer.pad_token_id,
            **self.options(),
        )
        return said[0, len(prompt) :].tolist()

    def limit(self, target):
        return len(target)

    def options(self):
        return {"do_sample": False}

    def compare(self, said, target):
        return said == target
