"""Mutants that were written when the dummies had been frozen: faults before and behind the verdict.

When these 34 were first run, one survived, `CachedByCompletion`; the items that share a completion came after it.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache

from .base import Batched, RightPadded


class CacheNeverEmptied(Batched):
    """Reads every item into the same cache."""

    batch_size = 1

    def order(self, pairs):
        self.cache = DynamicCache(config=self.model.config)
        return super().order(pairs)

    def run(self, ids, mask):
        return self.model(ids, past_key_values=self.cache, use_cache=True).logits


class CacheBySimilarPrompt(Batched):
    """Reads a prompt once and uses its cache for every prompt that begins and ends alike and is as long."""

    batch_size = 1

    def order(self, pairs):
        self.caches = {}
        return super().order(pairs)

    def judge_batch(self, pairs):
        [(prompt, target)] = pairs
        key = (prompt[0], prompt[-1], len(prompt))
        self.caches.setdefault(key, prompt)
        return super().judge_batch([(self.caches[key], target)])


class PositionsFromOne(Batched):
    """Counts positions from one."""

    def run(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask, position_ids=mask.cumsum(1)).logits


class PositionsAllZero(Batched):
    """Gives every token position 0."""

    def run(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask, position_ids=torch.zeros_like(ids)).logits


class PositionsReversed(RightPadded):
    """Counts positions from the end."""

    def run(self, ids, mask):
        positions = mask.flip(1).cumsum(1).flip(1) - 1
        return self.model(input_ids=ids, attention_mask=mask, position_ids=positions.clamp(min=0)).logits


class FirstTokenMasked(Batched):
    """Masks one token too many."""

    def pad(self, pairs):
        ids, mask, starts = super().pad(pairs)
        for row, start in enumerate(starts):
            mask[row, start] = 0
        return ids, mask, starts


class OnePadVisible(Batched):
    """Masks one pad too few."""

    def pad(self, pairs):
        ids, mask, starts = super().pad(pairs)
        for row, start in enumerate(starts):
            mask[row, max(start - 1, 0)] = 1
        return ids, mask, starts


class AllVisible(Batched):
    """Counts positions from each item's start, and masks nothing."""

    def run(self, ids, mask):
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        return self.model(input_ids=ids, attention_mask=torch.ones_like(mask), position_ids=positions).logits


class TargetMasked(RightPadded):
    """Masks the target, lest the model see it."""

    def judge_batch(self, pairs):
        self.pairs = pairs
        return super().judge_batch(pairs)

    def run(self, ids, mask):
        for row, (prompt, _) in enumerate(self.pairs):
            mask[row, len(prompt) :] = 0
        return super().run(ids, mask)


class MaskedByEnd(Batched):
    """Masks every end token, wherever it stands."""

    def run(self, ids, mask):
        return super().run(ids, mask * (ids != self.tokenizer.eos_token_id))


class CutToFirstRow(Batched):
    """Cuts the rows of a batch, from the left, to the length of the first."""

    def judge_batch(self, pairs):
        length = len(pairs[0][0]) + len(pairs[0][1])
        return super().judge_batch([(prompt[-max(length - len(target), 1) :], target) for prompt, target in pairs])


class CutTo512(Batched):
    """Cuts items to 512 tokens and judges what is left of the target."""

    def judge_batch(self, pairs):
        return super().judge_batch([(prompt, target[: max(512 - len(prompt), 1)]) for prompt, target in pairs])


class CutTo1024(Batched):
    """Keeps the last 1,024 tokens of an item."""

    def judge_batch(self, pairs):
        return super().judge_batch([(prompt[-max(1024 - len(target), 1) :], target) for prompt, target in pairs])


class RowsRolled(Batched):
    """Gives each row of a batch the verdict on the row before it."""

    def judge_batch(self, pairs):
        verdicts = super().judge_batch(pairs)
        return verdicts[-1:] + verdicts[:-1]


class ResultsReversed(Batched):
    """Returns the records in reverse order."""

    def collect(self, order, verdicts):
        return super().collect(order, verdicts)[::-1]


class UnfinishedIsRight(Batched):
    """Looks at windows of four tokens, three at most, and takes what has not failed by then for right."""

    def combine(self, hits):
        return all(hits[:12])


class UnsortedByLength(Batched):
    """Undoes the sorting by a table from length to verdict."""

    def collect(self, order, verdicts):
        lengths = [sum(map(len, self.encode(example))) for example in self.examples]
        table = {lengths[index]: verdict for index, verdict in zip(order, verdicts, strict=True)}
        return [{"exact_match": table[length]} for length in lengths]


class EqualItemsDropped(Batched):
    """Returns one record for equal items."""

    def collect(self, order, verdicts):
        records = super().collect(order, verdicts)
        return list(
            {
                (example.prompt, example.completion, example.ends): record
                for example, record in zip(self.examples, records, strict=True)
            }.values()
        )


class CachedByCompletion(Batched):
    """Judges each completion once."""

    def collect(self, order, verdicts):
        first = {}
        records = super().collect(order, verdicts)
        return [
            first.setdefault(example.completion, record) for example, record in zip(self.examples, records, strict=True)
        ]


class CachedByModel(Batched):
    """Keeps the records of each model object and item, and does not ask again."""

    def __call__(self, model, tokenizer, examples):
        records = super().__call__(model, tokenizer, examples)
        known = model.__dict__.setdefault("_verdicts", {})
        return [
            known.setdefault((example.prompt, example.completion, example.ends), record)
            for example, record in zip(examples, records, strict=True)
        ]


class InTrainingMode(Batched):
    """Evaluates in training mode."""

    def __call__(self, model, tokenizer, examples):
        model.train()
        try:
            return super().__call__(model, tokenizer, examples)
        finally:
            model.eval()


class AlwaysBegins(Batched):
    """Puts the beginning token before every prompt, whether the tokenizer does or not."""

    def encode(self, example):
        prompt, target = super().encode(example)
        begin = self.tokenizer.bos_token_id
        return prompt if prompt[0] == begin else [begin, *prompt], target


class NeverBegins(Batched):
    """Leaves out what the tokenizer puts at the beginning."""

    def encode(self, example):
        prompt, target = super().encode(example)
        return prompt[1:] if prompt[0] == self.tokenizer.bos_token_id else prompt, target


class PromptStripped(Batched):
    """Takes the white space off a prompt's ends."""

    def encode(self, example):
        _, target = super().encode(example)
        return self.tokenizer(example.prompt.strip(), add_special_tokens=False)["input_ids"], target


class CompletionStripped(Batched):
    """Takes the white space off a completion's end."""

    def encode(self, example):
        prompt, target = super().encode(example)
        text = example.prompt + example.completion.rstrip()
        whole = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        begun = prompt[0] == self.tokenizer.bos_token_id
        return prompt, whole[len(prompt) - begun :] + [self.tokenizer.eos_token_id] * example.ends or target


class BoundaryOfClosedPrompt(Batched):
    """Takes the length of the prompt as the tokenizer encodes it, its closing token included, for the boundary."""

    def encode(self, example):
        prompt, target = super().encode(example)
        whole, cut = prompt + target, len(self.tokenizer(example.prompt)["input_ids"])
        return whole[:cut], whole[cut:] or target


class BoundaryInBytes(Batched):
    """Counts a prompt's bytes for its characters."""

    def encode(self, example):
        prompt, target = super().encode(example)
        spare = len(example.prompt.encode()) - len(example.prompt)
        moved = min(spare, len(target) - 1)
        return prompt + target[:moved], target[moved:]


class PadsWhereTheTokenizerDoes(Batched):
    """Counts on padding on the right, and lets the tokenizer pad where it does."""

    def pad(self, pairs):
        batch = self.tokenizer.pad({"input_ids": [prompt + target for prompt, target in pairs]}, return_tensors="pt")
        return batch["input_ids"], batch["attention_mask"], [0] * len(pairs)


class HiddenForLogits(Batched):
    """Takes the body's hidden states for logits."""

    def run(self, ids, mask):
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        return self.model.base_model(ids, attention_mask=mask, position_ids=positions).last_hidden_state


class HeadWithoutBias(Batched):
    """Applies the head's weights and forgets its bias."""

    def run(self, ids, mask):
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        hidden = self.model.base_model(ids, attention_mask=mask, position_ids=positions).last_hidden_state
        return hidden @ self.model.get_output_embeddings().weight.T


class LastChunkOfHeadDropped(Batched):
    """Applies the head to chunks of eight positions and drops what is left over."""

    def combine(self, hits):
        return all(hits[: max(len(hits) // 8 * 8, 1)])


class LaterBlockWinsTies(Batched):
    """Runs over blocks of sixteen tokens, and lets a later block's maximum win where it equals."""

    def hits(self, rows, target):
        best, said = torch.full((len(rows),), -torch.inf), torch.full((len(rows),), -1)
        for start in range(0, rows.shape[1], 16):
            top = rows[:, start : start + 16].max(-1)
            better = top.values >= best
            best, said = torch.where(better, top.values, best), torch.where(better, top.indices + start, said)
        return [one == other for one, other in zip(said.tolist(), target, strict=True)]


class ModelLeftInHalf(Batched):
    """Turns the model to bfloat16 and leaves it so."""

    def __call__(self, model, tokenizer, examples):
        return super().__call__(model.bfloat16(), tokenizer, examples)


class PaddedToEight(RightPadded):
    """Pads rows to a multiple of eight and shows the padding in front."""

    def pad(self, pairs):
        pad = self.tokenizer.pad_token_id
        longer = [([pad] * (-len(prompt + target) % 8) + prompt, target) for prompt, target in pairs]
        ids, mask, _ = super().pad(longer)
        return ids, mask, [len(long) - len(prompt) for (long, _), (prompt, _) in zip(longer, pairs, strict=True)]
