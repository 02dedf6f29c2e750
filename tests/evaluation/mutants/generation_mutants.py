"""A right evaluator with generation in small steps, and mutants: each gets one step wrong."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, ClassVar

import torch

from .generation_right import first_group


class Answering:
    """Right: generates one prompt at a time, cuts, searches, compares."""

    mutants: ClassVar[list[type[Answering]]] = []

    def __init_subclass__(cls) -> None:
        Answering.mutants.append(cls)

    @torch.no_grad()
    def __call__(self, model: Any, tokenizer: Any, items: Any) -> list[dict[str, Any]]:
        self.model, self.tokenizer = model, tokenizer
        return [self.record(item) for item in items]

    def record(self, item: Any) -> dict[str, Any]:
        text = self.cut(self.generate(item), item)
        return {"correct": self.compare(self.answer(text, item), item.target)}

    def generate(self, item: Any) -> str:
        ids = self.encode(item)
        out = self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=self.limit(item),
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            **self.options(item),
        )
        return self.decode(out[0], ids)

    def encode(self, item: Any) -> torch.Tensor:
        return self.tokenizer(item.prompt, return_tensors="pt")["input_ids"]

    def limit(self, item: Any) -> int:
        return item.max_tokens

    def options(self, item: Any) -> dict[str, Any]:
        return {}

    def decode(self, out: torch.Tensor, ids: torch.Tensor) -> str:
        return self.tokenizer.decode(out[ids.shape[1] :], skip_special_tokens=True)

    def cut(self, text: str, item: Any) -> str:
        for stop in item.until:
            text = text.split(stop)[0]
        return text

    def answer(self, text: str, item: Any) -> str | None:
        if item.pattern is None:
            return self.whole(text)
        matches = list(re.finditer(item.pattern, text))
        return self.pick(matches, item) if matches else self.missing(text)

    def whole(self, text: str) -> str:
        return text.strip()

    def pick(self, matches: Any, item: Any) -> str | None:
        return first_group(matches[-1 if item.take == "last" else 0])

    def missing(self, text: str) -> str | None:
        return None

    def compare(self, answer: str | None, target: str) -> bool:
        return answer == target


class AlwaysFirst(Answering):
    """Takes the first match where the last one is due."""

    def pick(self, matches, item):
        return first_group(matches[0])


class AlwaysLast(Answering):
    """Takes the last match where the first one is due."""

    def pick(self, matches, item):
        return first_group(matches[-1])


class FirstGroupOnly(Answering):
    """Takes the first group, also where another one took part in the match."""

    def pick(self, matches, item):
        match = matches[-1 if item.take == "last" else 0]
        return match.group(1) if match.groups() else match.group()


class WholeMatch(Answering):
    """Takes the whole match with its mark."""

    def pick(self, matches, item):
        return matches[-1 if item.take == "last" else 0].group()


class MatchesFromTheStart(Answering):
    """Looks for the pattern at the beginning alone."""

    def answer(self, text, item):
        if item.pattern is None:
            return self.whole(text)
        match = re.match(item.pattern, text)
        return first_group(match) if match else None


class FlexibleThroughout(Answering):
    """Looks for any number where the mark is missing."""

    def missing(self, text):
        numbers = re.findall(r"-?[0-9]+", text)
        return numbers[-1] if numbers else None


class AnyDigits(Answering):
    """Takes every digit of Unicode for one."""

    def answer(self, text, item):
        if item.pattern is None:
            return self.whole(text)
        matches = list(re.finditer(item.pattern.replace("[0-9]", r"\d"), text))
        return self.pick(matches, item) if matches else None


class DigitsOfDigits(Answering):
    """Normalises a text, which makes plain digits of raised and wide ones."""

    def cut(self, text, item):
        return unicodedata.normalize("NFKC", super().cut(text, item))


class AsciiOnly(Answering):
    """Drops what is not ASCII."""

    def decode(self, out, ids):
        return super().decode(out, ids).encode("ascii", "ignore").decode()


class PerToken(Answering):
    """Decodes token by token, which breaks characters of several bytes."""

    def decode(self, out, ids):
        return "".join(self.tokenizer.decode([token], skip_special_tokens=True) for token in out[ids.shape[1] :])


class TargetWithin(Answering):
    """Right where the target is somewhere in the answer."""

    def compare(self, answer, target):
        return answer is not None and target in answer


class BeginsAlike(Answering):
    """Right where the answer begins with the target."""

    def compare(self, answer, target):
        return answer is not None and answer.startswith(target)


class AnswerWithin(Answering):
    """Right where the target begins with the answer: an empty answer is right, too."""

    def compare(self, answer, target):
        return target.startswith(answer or "")


class CaseIgnored(Answering):
    """Compares without case."""

    def compare(self, answer, target):
        return (answer or "").lower() == target.lower()


class PunctuationIgnored(Answering):
    """Compares without punctuation at the ends."""

    def compare(self, answer, target):
        return (answer or "").strip(".?:") == target.strip(".?:")


class AsNumbers(Answering):
    """Compares numbers by value, so that 010 is 10."""

    def compare(self, answer, target):
        try:
            return float(answer or "nan") == float(target)
        except ValueError:
            return answer == target


class MissingIsZero(Answering):
    """Takes 0 where no number is found."""

    def missing(self, text):
        return "0"


class MissingIsWhole(Answering):
    """Takes the whole text where no match is found."""

    def missing(self, text):
        return text.strip()


class NotStripped(Answering):
    """Compares the text with the space that stands before it."""

    def whole(self, text):
        return text


class SpacesJoined(Answering):
    """Makes one space of several."""

    def whole(self, text):
        return " ".join(text.split())


class FirstLine(Answering):
    """Takes the first line of a text."""

    def whole(self, text):
        return text.strip().split("\n")[0]


class FirstStopOnly(Answering):
    """Looks for the first of the stop strings."""

    def cut(self, text, item):
        return text.split(item.until[0])[0] if item.until else text


class ListedStop(Answering):
    """Cuts at the stop string that is listed first, also where another one comes earlier."""

    def cut(self, text, item):
        stop = next((stop for stop in item.until if stop in text), None)
        return text.split(stop)[0] if stop else text


class LastStop(Answering):
    """Cuts at the last place of a stop string."""

    def cut(self, text, item):
        for stop in item.until:
            text = text.rsplit(stop, 1)[0]
        return text


class StopIncluded(Answering):
    """Leaves the stop string in the text."""

    def cut(self, text, item):
        places = [text.index(stop) + len(stop) for stop in item.until if stop in text]
        return text[: min(places)] if places else text


class StopIgnored(Answering):
    """Does not cut."""

    def cut(self, text, item):
        return text


class StopStripped(Answering):
    """Strips the stop strings, so that a space or a line break is none."""

    def cut(self, text, item):
        for stop in map(str.strip, item.until):
            text = text.split(stop)[0] if stop else text
        return text


class StopAsPattern(Answering):
    """Drops the characters of a stop string from the end, as `rstrip` does."""

    def cut(self, text, item):
        return super().cut(text, item).rstrip("".join(item.until)) if item.until else text


class StopsInPrompt(Answering):
    """Cuts the prompt and the text together."""

    def record(self, item):
        whole = item.prompt + self.generate(item)
        text = self.cut(whole, item)[len(item.prompt) :]
        return {"correct": self.compare(self.answer(text, item), item.target)}


class CutAfterSearch(Answering):
    """Searches before it cuts."""

    def record(self, item):
        text = self.generate(item)
        found = self.answer(text, item)
        answer = self.cut(found, item) if found else found
        return {"correct": self.compare(answer, item.target)}


class PromptSearched(Answering):
    """Searches the prompt as well."""

    def decode(self, out, ids):
        return self.tokenizer.decode(out, skip_special_tokens=True)


class PromptReplaced(Answering):
    """Takes the prompt out of the text wherever it stands."""

    def record(self, item):
        text = self.cut(self.generate(item).replace(item.prompt, ""), item)
        return {"correct": self.compare(self.answer(text, item), item.target)}


class OneTokenMore(Answering):
    """Generates one token too many."""

    def limit(self, item):
        return item.max_tokens + 1


class LimitOfPrompt(Answering):
    """Counts the prompt into the limit."""

    def limit(self, item):
        return max(item.max_tokens - self.encode(item).shape[1], 1)


class OneLimit(Answering):
    """Generates at most sixteen tokens."""

    def limit(self, item):
        return min(item.max_tokens, 16)


class EndIgnored(Answering):
    """Generates on behind the end token."""

    def options(self, item):
        return {"eos_token_id": self.tokenizer.bos_token_id}


class EndShown(Answering):
    """Leaves the end token in the text."""

    def decode(self, out, ids):
        return self.tokenizer.decode(out[ids.shape[1] :])


class NoBeginning(Answering):
    """Leaves out the token that begins a text."""

    def encode(self, item):
        return self.tokenizer(item.prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]


class PromptStripped(Answering):
    """Strips the prompt."""

    def encode(self, item):
        return self.tokenizer(item.prompt.strip(), return_tensors="pt")["input_ids"]


class Remembers(Answering):
    """Remembers what a prompt was continued with from one call to the next."""

    def __init__(self):
        self.cache = {}

    def generate(self, item):
        return self.cache.setdefault(item.prompt, super().generate(item))


class SettingsLeft(Answering):
    """Leaves its limit in the model's generation settings."""

    def limit(self, item):
        self.model.generation_config.max_new_tokens = item.max_tokens
        return item.max_tokens


class PaddedWithoutPositions(Answering):
    """Pads prompts on the left to one length, without a mask."""

    def encode(self, item):
        ids = super().encode(item)
        return torch.nn.functional.pad(ids, (8, 0), value=self.tokenizer.pad_token_id)
