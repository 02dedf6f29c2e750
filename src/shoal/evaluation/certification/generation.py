"""Evaluators that generate and filter certified: stop strings, limits, patterns, and the answer that is left."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import CertificationError
from shoal.evaluation.certification.item_kinds import ABSENT, Disagreement, ItemKind, evaluator_records, plain, value_of
from shoal.models.dummies import greedy_continuation
from shoal.text import decode_continuation, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.evaluation.certification.checks import Check
    from shoal.evaluation.certification.item_kinds import Evaluator
    from shoal.models.dummies import DummyForCausalLM


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationItem:
    """A prompt, how far the model continues it, and how its answer is read off the text."""

    prompt: str

    until: tuple[str, ...] = ()
    """Stop strings: the text is what comes before the earliest of them. The prompt's own do not count."""

    max_tokens: int
    """Where generation stops at the latest; the end token stops it before."""

    pattern: str | None = None
    """A regular expression that is searched in the text. The answer is the first group that took part in the match, or
    the whole match where the pattern has no group; without a pattern it is the whole text, stripped of white space."""

    take: Literal["first", "last"] = "first"
    """Which match is taken."""

    target: str
    """The right answer, compared as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedItem:
    """An item with the text that a dummy continues it with."""

    item: GenerationItem
    text: str
    ends: bool = True
    """Whether the end token follows the text; otherwise question marks do, without an end."""


NO_ANSWER = (None, "", "[invalid]")
"""What may stand for the answer where no match is found; the last one is lm-evaluation-harness's."""

_FIELDS = ("correct", "answer", "text")
"""The gravest first."""


class GenerationKind(ItemKind[ScriptedItem]):
    """A record is the filtered answer, a truth value (whether it is right), or has fields.

    The fields: ``text``, what was generated before the first stop string; ``answer``, None where no match is found;
    ``correct``, whether the answer is the target.
    """

    name = "generation"
    takes = "(model, tokenizer, items with prompt, until, max_tokens, pattern, take and target)"

    def own_evaluator(self) -> Evaluator:
        """The one that ``shoal eval`` generates and filters with."""
        from shoal.evaluation.answers import score_answers

        return score_answers

    def checks(self, *, fast: bool) -> tuple[Check, ...]:
        """All of them are essential but those that take long."""
        from shoal.evaluation.certification.generation_checks import ESSENTIAL, THOROUGH

        return ESSENTIAL if fast else (*ESSENTIAL, *THOROUGH)

    def pairs(self, items: Sequence[ScriptedItem]) -> list[tuple[str, str, bool]]:
        """The prompts with the texts of the script."""
        return [(scripted.item.prompt, scripted.text, scripted.ends) for scripted in items]

    def given(self, items: Sequence[ScriptedItem]) -> Sequence[GenerationItem]:
        """Without the script."""
        return tuple(scripted.item for scripted in items)

    def truths(
        self, model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, items: Sequence[ScriptedItem]
    ) -> list[Mapping[str, Any]]:
        """The greedy continuation off the dummy's script, cut and searched."""
        tree, end_id = model.known_tree(), int(tokenizer.eos_token_id)
        records: list[Mapping[str, Any]] = []
        for scripted, pair in zip(items, encode_pairs(tokenizer, self.pairs(items)), strict=True):
            item = scripted.item
            # Off the script and not by the model, so that the truth shares no code with any evaluator.
            ids = greedy_continuation(tree, pair.prompt, item.max_tokens, end_id)
            text = _before(decode_continuation(tokenizer, pair.prompt, ids), item.until)
            answer = _answer(text, item)
            records.append({"text": text, "answer": answer, "correct": answer == item.target})
        return records

    def swapped(self, items: Sequence[ScriptedItem]) -> list[ScriptedItem]:
        """Each prompt is continued with the text of the next one."""
        return [
            replace(one, text=following.text, ends=following.ends)
            for one, following in zip(items, [*items[1:], *items[:1]], strict=True)
        ]

    def differences(self, result: Any, truths: Sequence[Mapping[str, Any]]) -> list[Disagreement]:
        """Verdicts first, then answers, then texts."""
        records = [_fields(record) for record in evaluator_records(result, len(truths))]
        found = []
        for name in _FIELDS:
            wrong = [
                index
                for index, (record, truth) in enumerate(zip(records, truths, strict=True))
                if name in record and not _agrees(name, record[name], truth[name])
            ]
            if wrong:
                index, count = wrong[0], {"items": len(truths)}
                due, given = truths[index][name], records[index][name]
                found.append(
                    Disagreement(
                        {"item": index, name: _shown(due), "wrong_items": 0, **count},
                        {"item": index, name: _shown(given), "wrong_items": len(wrong), **count},
                    )
                )
        return found

    def counts(self, truths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """How many answers are right, and how many texts have none."""
        without = sum(truth["answer"] is None for truth in truths)
        return {"right": sum(truth["correct"] for truth in truths), "no_answer": without, "items": len(truths)}


def _before(text: str, until: Sequence[str]) -> str:
    # The earliest in the text, whatever the order of the list: an evaluator that splits by one after another agrees.
    places = [place for place in (text.find(stop) for stop in until) if place >= 0]
    return text[: min(places, default=len(text))]


def _answer(text: str, item: GenerationItem) -> str | None:
    if item.pattern is None:
        return text.strip()
    matches = list(re.finditer(item.pattern, text))
    if not matches:
        return None
    match = matches[0 if item.take == "first" else -1]
    if not match.re.groups:
        # As `re.findall` has it: the whole match without groups, else the group.
        return match.group()
    return next((group for group in match.groups() if group is not None), None)


def _fields(record: Any) -> dict[str, Any]:
    """A record in any of its forms as fields by name.

    Raises:
        CertificationError: it is none that can be read.
    """
    if record is None or isinstance(record, str):
        return {"answer": record}
    if isinstance(record, bool) or "bool" in str(getattr(record, "dtype", "")):
        return {"correct": bool(record)}
    found = {name: value_of(record, name) for name in _FIELDS}
    found = {name: value for name, value in found.items() if value is not ABSENT}
    if not found:
        raise CertificationError(f"a record of type {type(record).__name__} has no text, answer or correct")
    if "correct" in found and found["correct"] not in (0, 1):
        raise CertificationError(f"correct is {plain(found['correct'])}; it must be true or false")
    return found


def _agrees(name: str, given: Any, due: Any) -> bool:
    return given in NO_ANSWER if name == "answer" and due is None else bool(given == due)


def _shown(value: Any) -> Any:
    # Quoted: white space at the ends of a text is what differs.
    return repr(value) if isinstance(value, str) else plain(value)
