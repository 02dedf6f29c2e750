"""The checks of evaluators that generate and filter: one for each kind of fault that they are known for."""

from __future__ import annotations

from functools import partial

from shoal.evaluation.certification import generation_fixtures as items
from shoal.evaluation.certification.checks import (
    Check,
    LeavesThingsAlone,
    ScoresAnyOrder,
    ScoresDummy,
    ScoresWhatIsThere,
)
from shoal.evaluation.certification.generation import GenerationKind
from shoal.evaluation.certification.item_kinds import ItemKind
from shoal.models.dummies import tiny_tokenizer

_GENERATION = ItemKind.known[GenerationKind.name]
# Every character is at least a token, so that stop strings begin and end within tokens of the model's choice.
_BYTES = partial(tiny_tokenizer, every_byte=True)

_TEXTS: tuple[Check, ...] = tuple(
    ScoresDummy(name=name, proves=proves, dummy="oracle", examples=examples, kind=_GENERATION, tokenizer=_BYTES)
    for name, proves, examples in (
        ("numbers", "the first or the last match of a pattern is taken, and compared as a whole", items.NUMBERS),
        ("stop strings", "a text ends before the earliest stop string that the model generates", items.STOPS),
        (
            "strict and flexible",
            "a marked answer is found by its mark alone, any number by any number",
            items.STRICTNESS,
        ),
        ("limits", "generation stops at its limit, and what is cut is not completed", items.LIMITS),
        ("white space", "an answer is stripped at its ends and otherwise compared as it stands", items.WHITE_SPACE),
        ("empty", "where nothing is generated nothing is answered", items.EMPTY),
        (
            "other digits",
            "a digit is what the pattern takes for one, and characters of several bytes stay whole",
            items.OTHER_DIGITS,
        ),
        ("repeated prompts", "the prompt is no part of the text, also where the model repeats it", items.REPEATS),
    )
)

_TOKENS: tuple[Check, ...] = (
    ScoresDummy(
        name="never ends, padded with the end token",
        proves="generation goes on to its limit where no end token comes",
        dummy="never-ends",
        tokenizer=partial(tiny_tokenizer, every_byte=True, pad="end"),
        examples=items.MIXED,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="ends early",
        proves="nothing behind an end token counts",
        dummy="ends-early",
        examples=(*items.NUMBERS, *items.WHITE_SPACE),
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="ties",
        proves="of equal logits the lowest id is generated",
        dummy="tied",
        examples=(*items.WHITE_SPACE, *items.STRICTNESS),
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="one token off",
        proves="generation continues from what the model generated",
        dummy="one-off",
        examples=items.MIXED,
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="tokenizer that begins texts",
        proves="the tokenizer's beginning token stays before the prompt",
        dummy="oracle",
        tokenizer=partial(tiny_tokenizer, every_byte=True, begins=True),
        examples=items.MIXED,
        kind=_GENERATION,
    ),
)

_BATCHES: tuple[Check, ...] = (
    ScoresDummy(
        name="absolute positions, padded on the left",
        proves="the first token of each prompt stands at position 0",
        dummy="positions",
        tokenizer=partial(tiny_tokenizer, every_byte=True, padding_side="left", pad="end"),
        examples=items.MIXED,
        kind=_GENERATION,
    ),
    ScoresAnyOrder(
        name="any order",
        proves="an item's text is the same in any order, among fewer items and alone",
        dummy="oracle",
        examples=items.MIXED,
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresWhatIsThere(
        name="changing model",
        proves="each evaluation reads the model again, and nothing is left over from the last one",
        dummy="oracle",
        examples=items.NUMBERS[:7],
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    LeavesThingsAlone(
        name="leaves things alone",
        proves="model, tokenizer, generation settings and items are afterwards what they were",
        dummy="oracle",
        examples=items.MIXED[:4],
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
)

ESSENTIAL: tuple[Check, ...] = (*_TEXTS, *_TOKENS, *_BATCHES)

THOROUGH: tuple[Check, ...] = (
    ScoresDummy(
        name="long texts",
        proves="hundreds of tokens are generated, and read, as a few are",
        dummy="oracle",
        examples=items.LONG,
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="all kinds of items at once",
        proves="each item has its own stop strings, limit and pattern",
        dummy="oracle",
        parameters={"p": 0.7},
        examples=(*items.STOPS[:5], *items.NUMBERS[3:7], *items.LIMITS[4:]),
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
    ScoresDummy(
        name="counts its calls",
        proves="only differences of logits count, which are the same in every call",
        dummy="stateful",
        parameters={"p": 0.5},
        examples=items.NUMBERS,
        tokenizer=_BYTES,
        kind=_GENERATION,
    ),
)
