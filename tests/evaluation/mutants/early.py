"""Mutants that were written while the dummies were still being made.

Two of these 37, both comparing text, survived at first; the dummies that spell otherwise were made against them.
"""

from __future__ import annotations

import torch

from .base import Batched, Generating, RightPadded


class PromptPositions(Batched):
    """Looks at the argmax from the prompt's beginning on."""

    def judge(self, logits, start, prompt, target):
        return self.match(logits[start : start + len(target)], target)


class NotShifted(Batched):
    """Compares each token with the logits at its own place."""

    def judge(self, logits, start, prompt, target):
        first = start + len(prompt)
        return self.match(logits[first : first + len(target)], target)


class ShiftedTwice(Batched):
    """Compares each token with the logits two places before it."""

    def judge(self, logits, start, prompt, target):
        first = max(start + len(prompt) - 2, 0)
        return self.match(logits[first : first + len(target)], target)


class SkipsFirstToken(Batched):
    """Begins at the completion's second token."""

    def judge(self, logits, start, prompt, target):
        first = start + len(prompt)
        return self.match(logits[first : first + len(target) - 1], target[1:])


class PadsCounted(RightPadded):
    """Expects the padding behind an item to be said as well."""

    def judge_batch(self, pairs):
        ids, mask, _ = self.pad(pairs)
        said = self.run(ids, mask).argmax(-1)
        return [
            bool((said[row, len(prompt) - 1 : -1] == ids[row, len(prompt) :]).all())
            for row, (prompt, _) in enumerate(pairs)
        ]


class LeftPaddingWithoutPositions(Batched):
    """Pads on the left and lets positions count the padding."""

    def run(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask).logits


class EndMaskedAsPadding(Batched):
    """Leaves out every target token whose id is the padding's, the end token too where it pads."""

    def match(self, rows, target):
        pad = self.tokenizer.pad_token_id
        return all(hit for hit, token in zip(self.hits(rows, target), target, strict=True) if token != pad)


class MaskedById(Batched):
    """Takes every token with the padding's id for padding."""

    def run(self, ids, mask):
        return super().run(ids, (ids != self.tokenizer.pad_token_id).long())


class TruncatedCountedRight(Batched):
    """Cuts targets to sixteen tokens and judges what is left."""

    def match(self, rows, target):
        return super().match(rows[:16], target[:16])


class PrefixMatch(Generating):
    """Is content with a continuation that begins with the text, or is its beginning."""

    def compare(self, said, target):
        end = self.tokenizer.eos_token_id
        said, target = ([token for token in ids if token != end] for ids in (said, target))
        return said[: len(target)] == target[: len(said)]


class OrderLost(Batched):
    """Sorts by length and forgets to undo it."""

    def collect(self, order, verdicts):
        return super().collect(list(range(len(order))), verdicts)


class OrderUndoneTwice(Batched):
    """Applies the sorting where its inverse is due."""

    def collect(self, order, verdicts):
        return [{"exact_match": verdicts[index]} for index in order]


class LastBatchDropped(Batched):
    """Judges full batches only; what is left over counts as wrong."""

    def judge_batch(self, pairs):
        return super().judge_batch(pairs) if len(pairs) == self.batch_size else [False] * len(pairs)


class FirstBatchOnly(Batched):
    """Judges the first batch and returns its records."""

    def order(self, pairs):
        return super().order(pairs)[: self.batch_size]

    def collect(self, order, verdicts):
        return [{"exact_match": verdict} for verdict in verdicts]


class PromptIncluded(Batched):
    """Expects the prompt to be predicted as well."""

    def judge(self, logits, start, prompt, target):
        return self.match(logits[start : start + len(prompt + target) - 1], (prompt + target)[1:])


class MostTokens(Batched):
    """Takes nine tokens of ten for all."""

    def combine(self, hits):
        return sum(hits) >= 0.9 * len(hits)


class AnyToken(Batched):
    """Takes any token for all."""

    def combine(self, hits):
        return any(hits)


class EndIgnored(Batched):
    """Does not ask for the end token."""

    def match(self, rows, target):
        ended = target[-1] == self.tokenizer.eos_token_id
        return super().match(rows[: len(rows) - ended], target[: len(target) - ended])


class EndAlwaysWanted(Batched):
    """Wants an end token of completions that do not end."""

    def encode(self, example):
        prompt, target = super().encode(example)
        return prompt, target if example.ends else [*target, self.tokenizer.eos_token_id]


class StrippedText(Generating):
    """Compares texts without the white space around them."""

    def compare(self, said, target):
        said, target = (self.tokenizer.decode(ids).strip() for ids in (said, target))
        return said == target


class VisibleText(Generating):
    """Compares texts without special tokens."""

    def compare(self, said, target):
        said, target = (self.tokenizer.decode(ids, skip_special_tokens=True) for ids in (said, target))
        return said == target


class WholeText(Generating):
    """Compares texts, special tokens included, instead of tokens."""

    def compare(self, said, target):
        return self.tokenizer.decode(said) == self.tokenizer.decode(target)


class LowerCase(Batched):
    """Compares tokens in lower case."""

    def hits(self, rows, target):
        said, due = (
            [(name or "").lower() for name in self.tokenizer.convert_ids_to_tokens(ids)]
            for ids in (rows.argmax(-1).tolist(), target)
        )
        return [one == other for one, other in zip(said, due, strict=True)]


class TieIsRight(Batched):
    """Takes the target for the argmax where another token equals it."""

    def hits(self, rows, target):
        own = rows.gather(1, torch.tensor(target)[:, None])[:, 0]
        return (own == rows.amax(-1)).tolist()


class TieIsWrong(Batched):
    """Wants the target's logit to be greater than all others."""

    def hits(self, rows, target):
        places = torch.tensor(target)[:, None]
        others = rows.scatter(1, places, -torch.inf).amax(-1)
        return (rows.gather(1, places)[:, 0] > others).tolist()


class HighestAtTie(Batched):
    """Takes the highest id at a tie."""

    def hits(self, rows, target):
        return super().hits(rows.flip(-1), [rows.shape[-1] - 1 - token for token in target])


class NanIsRight(Batched):
    """Asks that no other logit be greater, which holds of what is not a number."""

    def hits(self, rows, target):
        own = rows.gather(1, torch.tensor(target)[:, None])
        right = super().hits(rows, target)
        return [
            hit or (not bool((row > one).any()) and bool(one.isnan()))
            for hit, row, one in zip(right, rows, own, strict=True)
        ]


class HalfPrecision(Batched):
    """Compares logits in float16."""

    def match(self, rows, target):
        return super().match(rows.half(), target)


class NoMask(Batched):
    """Pads on the left and passes no mask."""

    def run(self, ids, mask):
        return self.model(input_ids=ids).logits


class MaskInverted(Batched):
    """Masks the tokens and shows the padding."""

    def run(self, ids, mask):
        return super().run(ids, 1 - mask)


class CompletionApart(Batched):
    """Encodes the completion by itself."""

    def encode(self, example):
        prompt, _ = super().encode(example)
        apart = self.tokenizer(example.completion, add_special_tokens=False)["input_ids"]
        return prompt, apart + [self.tokenizer.eos_token_id] * example.ends


class SpecialTokensTwice(Batched):
    """Lets the tokenizer add its special tokens to the prompt and again to the completion."""

    def encode(self, example):
        prompt = self.tokenizer(example.prompt)["input_ids"]
        target = self.tokenizer(example.completion)["input_ids"]
        return prompt, target + [self.tokenizer.eos_token_id] * example.ends


class ExtraSpace(Batched):
    """Puts a space between prompt and completion."""

    def encode(self, example):
        prompt, _ = super().encode(example)
        target = self.tokenizer(" " + example.completion, add_special_tokens=False)["input_ids"]
        return prompt, target + [self.tokenizer.eos_token_id] * example.ends


class TooFewNewTokens(Generating):
    """Generates twelve tokens at most and compares as many."""

    def limit(self, target):
        return min(len(target), 12)

    def compare(self, said, target):
        return said == target[:12]


class PromptsCut(Batched):
    """Keeps the last 64 tokens of a prompt."""

    def encode(self, example):
        prompt, target = super().encode(example)
        return prompt[-64:], target


class CachedByPrompt(Batched):
    """Judges each prompt once and gives all its items that verdict."""

    def collect(self, order, verdicts):
        records = super().collect(order, verdicts)
        first = {}
        for example, record in zip(self.examples, records, strict=True):
            first.setdefault(example.prompt, record)
        return [first[example.prompt] for example in self.examples]


class Sampling(Generating):
    """Draws tokens instead of taking the likeliest."""

    def options(self):
        torch.manual_seed(0)
        return {"do_sample": True, "temperature": 1.0}
