"""A right choice evaluator in small steps, and mutants: each gets one step wrong, in a way that evaluators do."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from .choice_right import encode


class Choosing:
    """Right: sorted batches, padded on the right; log-likelihoods, choices by all lengths, and verdicts."""

    mutants: ClassVar[list[type[Choosing]]] = []
    batch_size = 6

    def __init_subclass__(cls) -> None:
        Choosing.mutants.append(cls)

    @torch.no_grad()
    def __call__(self, model: Any, tokenizer: Any, items: Any) -> Any:
        self.model, self.tokenizer = model, tokenizer
        items = self.arrange(items)
        places = [(index, place) for index, item in enumerate(items) for place in range(len(item.choices))]
        pairs = [self.encode(items[index].context, items[index].choices[place]) for index, place in places]
        order = self.order(pairs)
        nats = []
        for top in range(0, len(order), self.batch_size):
            nats += self.score([pairs[which] for which in order[top : top + self.batch_size]])
        by_place = dict(zip([places[which] for which in order], nats, strict=True))
        tokens = dict(zip(places, [len(ids) for _, ids in pairs], strict=True))
        return [
            self.record(
                item,
                [by_place[index, place] for place in range(len(item.choices))],
                [tokens[index, place] for place in range(len(item.choices))],
            )
            for index, item in enumerate(items)
        ]

    def arrange(self, items: Any) -> Any:
        return items

    def encode(self, context: str, choice: str) -> tuple[list[int], list[int]]:
        return encode(self.tokenizer, context, choice)

    def order(self, pairs: list[tuple[list[int], list[int]]]) -> list[int]:
        return sorted(range(len(pairs)), key=lambda which: sum(map(len, pairs[which])))

    def score(self, pairs: list[tuple[list[int], list[int]]]) -> list[float]:
        ids, mask, positions, starts = self.pad(pairs)
        logits = self.model(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        logs = self.logs(logits)
        return [
            self.total(logs[row, start + len(before) - 1 :], ids)
            for row, (start, (before, ids)) in enumerate(zip(starts, pairs, strict=True))
        ]

    def pad(self, pairs: Any) -> Any:
        longest = max(len(before) + len(ids) for before, ids in pairs)
        ids = torch.full((len(pairs), longest), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, (before, own) in enumerate(pairs):
            ids[row, : len(before) + len(own)] = torch.tensor(before + own)
            mask[row, : len(before) + len(own)] = 1
        return ids, mask, torch.arange(longest).expand_as(ids), [0] * len(pairs)

    def logs(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.log_softmax(-1)

    def total(self, logs: torch.Tensor, ids: list[int]) -> float:
        return sum(logs[place, token].item() for place, token in enumerate(ids))

    def record(self, item: Any, nats: list[float], tokens: list[int]) -> dict[str, Any]:
        found: dict[str, Any] = {"log_likelihoods": nats}
        for suffix, lengths in self.lengths(item, tokens).items():
            values = [value / length for value, length in zip(nats, lengths, strict=True)]
            found[f"choice{suffix}"] = self.choose(item, values)
            found[f"correct{suffix}"] = self.judge(item, values)
        return found

    def lengths(self, item: Any, tokens: list[int]) -> dict[str, list[int]]:
        return {
            "": [1] * len(tokens),
            "_per_token": tokens,
            "_per_character": [len(choice) for choice in item.choices],
            "_per_byte": [len(choice.encode()) for choice in item.choices],
        }

    def choose(self, item: Any, values: list[float]) -> int | None:
        return values.index(max(values))

    def judge(self, item: Any, values: list[float]) -> bool:
        return values.count(max(values)) == 1 and values.index(max(values)) == item.answer


class VerdictAlone:
    """Mixed in where the verdict alone is given, as most scripts print an accuracy."""

    def record(self, item, nats, tokens):
        return {"correct": self.judge(item, nats)}


class AnswerFirst(VerdictAlone, Choosing):
    """Lists the answer first and takes the first greatest, as BabyLM's pipeline does with its sentence pairs."""

    def judge(self, item, values):
        listed = [values[item.answer], *values[: item.answer], *values[item.answer + 1 :]]
        return int(torch.tensor(listed).max(dim=0).indices) == 0


class AtLeast(VerdictAlone, Choosing):
    """Right where no choice is better than the answer."""

    def judge(self, item, values):
        return values[item.answer] >= max(values)


class FirstGreatest(VerdictAlone, Choosing):
    """Right where the answer is the first of the greatest, as lm-evaluation-harness judges."""

    def judge(self, item, values):
        return values.index(max(values)) == item.answer


class LastGreatest(VerdictAlone, Choosing):
    """Right where the answer comes last after sorting."""

    def judge(self, item, values):
        return sorted(range(len(values)), key=lambda place: values[place])[-1] == item.answer


class ChoosesAnswerAtTies(Choosing):
    """Breaks a tie in favour of the answer."""

    def choose(self, item, values):
        return max(range(len(values)), key=lambda place: (values[place], place == item.answer))


class Rounded(VerdictAlone, Choosing):
    """Rounds to whole nats before it compares, and takes the first greatest."""

    def judge(self, item, values):
        return [round(value) for value in values].index(max(round(value) for value in values)) == item.answer


class FirstTokenOnly(Choosing):
    """Looks at the first token of each choice, as letter scoring does."""

    def total(self, logs, ids):
        return logs[0, ids[0]].item()

    def record(self, item, nats, tokens):
        return self.choose(item, nats)


class LastTokenOnly(FirstTokenOnly):
    """Looks at the last token of each choice."""

    def total(self, logs, ids):
        return logs[len(ids) - 1, ids[-1]].item()


class SkipsFirstToken(FirstTokenOnly):
    """Begins at the second token of each choice."""

    def total(self, logs, ids):
        return sum(logs[place, token].item() for place, token in enumerate(ids) if place or len(ids) == 1)


class NotShifted(FirstTokenOnly):
    """Compares each token with the logits at its own place."""

    def total(self, logs, ids):
        return sum(logs[min(place + 1, len(logs) - 1), token].item() for place, token in enumerate(ids))


class MeanForSum(FirstTokenOnly):
    """Takes the mean over the tokens of a choice, as a model's loss is, for its log-likelihood."""

    def total(self, logs, ids):
        return super(FirstTokenOnly, self).total(logs, ids) / len(ids)


class MeanOverText(FirstTokenOnly):
    """Compares the loss of the whole text, context included."""

    def score(self, pairs):
        return [value / (len(before) + len(ids)) for value, (before, ids) in zip(self.sums(pairs), pairs, strict=True)]

    def sums(self, pairs):
        return Choosing.score(self, pairs)

    def total(self, logs, ids):
        return Choosing.total(self, logs, ids)


class SumForTokens(Choosing):
    """Does not divide where it must."""

    def lengths(self, item, tokens):
        return {suffix: [1] * len(tokens) for suffix in super().lengths(item, tokens)}


class CharactersForBytes(Choosing):
    """Counts characters for bytes."""

    def lengths(self, item, tokens):
        found = super().lengths(item, tokens)
        return {**found, "_per_byte": found["_per_character"]}


class StrippedLengths(Choosing):
    """Counts the characters of a choice without its white space."""

    def lengths(self, item, tokens):
        return {**super().lengths(item, tokens), "_per_character": [len(choice.strip()) for choice in item.choices]}


class TokensOfWords(Choosing):
    """Divides by words for tokens."""

    def lengths(self, item, tokens):
        return {**super().lengths(item, tokens), "_per_token": [len(choice.split()) or 1 for choice in item.choices]}


class StripsChoices(FirstTokenOnly):
    """Strips a choice before it is appended."""

    def encode(self, context, choice):
        return super().encode(context, choice.strip())

    def total(self, logs, ids):
        return Choosing.total(self, logs, ids)


class StripsRight(StripsChoices):
    """Strips a choice at its end."""

    def encode(self, context, choice):
        return Choosing.encode(self, context, choice.rstrip())


class JoinsWithSpace(StripsChoices):
    """Puts one space between context and choice, whatever stands there."""

    def encode(self, context, choice):
        return Choosing.encode(self, context, " " + choice.strip())


class EncodedApart(StripsChoices):
    """Encodes context and choice each for itself."""

    def encode(self, context, choice):
        before = self.tokenizer(context)["input_ids"] if context else [self.tokenizer.bos_token_id]
        return before, self.tokenizer(choice, add_special_tokens=False)["input_ids"]


class EndAppended(StripsChoices):
    """Scores an end token behind each choice."""

    def encode(self, context, choice):
        before, ids = Choosing.encode(self, context, choice)
        return before, [*ids, self.tokenizer.eos_token_id]


class ContextCut(StripsChoices):
    """Reads the last sixteen tokens of a context."""

    def encode(self, context, choice):
        before, ids = Choosing.encode(self, context, choice)
        return before[-16:], ids


class ChoiceCut(StripsChoices):
    """Scores at most eight tokens of a choice."""

    def encode(self, context, choice):
        before, ids = Choosing.encode(self, context, choice)
        return before, ids[:8]


class NoContext(StripsChoices):
    """Scores a choice without its context."""

    def encode(self, context, choice):
        before, ids = Choosing.encode(self, context, choice)
        return before[:1], ids


class OrderLost(Choosing):
    """Sorts by length, and forgets to sort back."""

    def order(self, pairs):
        order = super().order(pairs)
        pairs[:] = [pairs[which] for which in order]
        return list(range(len(pairs)))

    def record(self, item, nats, tokens):
        return {"choice": self.choose(item, nats)}


class TwoChoices(Choosing):
    """Compares the first two choices of each item."""

    def record(self, item, nats, tokens):
        return self.choose(item, nats[:2])


class CountsFromOne(Choosing):
    """Gives the place of a choice, counted from 1."""

    def record(self, item, nats, tokens):
        return self.choose(item, nats) + 1


class LeastLikely(Choosing):
    """Takes the smallest log-likelihood, as though it were a loss."""

    def record(self, item, nats, tokens):
        return nats.index(min(nats))


class NotNormalised(Choosing):
    """Adds up logits for log-probabilities."""

    def logs(self, logits):
        return logits

    def record(self, item, nats, tokens):
        return self.choose(item, nats)


class HalfPrecision(NotNormalised):
    """Computes log-probabilities in bfloat16."""

    def logs(self, logits):
        return logits.bfloat16().log_softmax(-1)


class PadsScored(NotNormalised):
    """Scores the padding behind a choice as well."""

    def logs(self, logits):
        return logits.log_softmax(-1)

    def score(self, pairs):
        longest = max(len(before) + len(ids) for before, ids in pairs)
        pad = self.tokenizer.pad_token_id
        return super().score([(before, ids + [pad] * (longest - len(before) - len(ids))) for before, ids in pairs])


class LeftPaddingWithoutPositions(NotNormalised):
    """Pads on the left and lets positions count the padding."""

    def logs(self, logits):
        return logits.log_softmax(-1)

    def pad(self, pairs):
        longest = max(len(before) + len(own) for before, own in pairs)
        ids = torch.full((len(pairs), longest), self.tokenizer.pad_token_id)
        mask, starts = torch.zeros_like(ids), []
        for row, (before, own) in enumerate(pairs):
            starts.append(longest - len(before) - len(own))
            ids[row, starts[-1] :] = torch.tensor(before + own)
            mask[row, starts[-1] :] = 1
        return ids, mask, torch.arange(longest).expand_as(ids), starts


class PaddingSeen(LeftPaddingWithoutPositions):
    """Pads on the left without a mask."""

    def pad(self, pairs):
        ids, mask, positions, starts = super().pad(pairs)
        return ids, torch.ones_like(mask), positions, starts


class MaskedById(NotNormalised):
    """Takes every token with the padding's id for padding."""

    def logs(self, logits):
        return logits.log_softmax(-1)

    def pad(self, pairs):
        ids, _, positions, starts = super().pad(pairs)
        return ids, (ids != self.tokenizer.pad_token_id).long(), positions, starts


class CachedByContext(Choosing):
    """Remembers the choice of a context."""

    def __init__(self):
        self.cache = {}

    def record(self, item, nats, tokens):
        return self.cache.setdefault(item.context, self.choose(item, nats))


class CachedByQuestion(CachedByContext):
    """Remembers the choice of a question from one call to the next."""

    def record(self, item, nats, tokens):
        return self.cache.setdefault((item.context, item.choices), self.choose(item, nats))


class DuplicatesDropped(Choosing):
    """Drops equal choices before it counts places."""

    def record(self, item, nats, tokens):
        found = dict.fromkeys(zip(item.choices, nats, strict=True))
        return {"correct": self.judge(item, [value for _, value in found])}


class SortsInPlace(Choosing):
    """Sorts the list that it was given."""

    def arrange(self, items):
        if isinstance(items, list):
            items.sort(key=lambda item: len(item.context))
        return items

    def record(self, item, nats, tokens):
        return self.choose(item, nats)


class TrainingMode(NotNormalised):
    """Switches the model to training."""

    def logs(self, logits):
        self.model.train()
        return logits.log_softmax(-1)
