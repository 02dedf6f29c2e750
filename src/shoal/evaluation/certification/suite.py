"""The checks, the cheapest and most telling ones first."""

from __future__ import annotations

from functools import partial
from typing import Any

from shoal.evaluation.certification import item_sets as items
from shoal.evaluation.certification.checks import (
    Check,
    LeavesThingsAlone,
    ScoresAnyOrder,
    ScoresChance,
    ScoresDummy,
    ScoresWhatIsThere,
)
from shoal.models.dummies import tiny_tokenizer


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order in which they are made."""
    return (*_ANSWERS, *_SLIPS, *_ENDINGS, *_LOGITS, *_INPUTS, *_SAMENESS, *_SIZES)


_ANSWERS: tuple[Check, ...] = (
    ScoresDummy(
        name="oracle",
        proves="right and wrong answers of all kinds are told apart, each at its own place",
        dummy="oracle",
        parameters={"p": 0.6},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="same prompt",
        proves="items are judged by their completion, also where they share a prompt or are equal",
        dummy="oracle",
        parameters={"p": 1.0},
        examples=items.SAME_PROMPT,
    ),
    ScoresDummy(
        name="none right",
        proves="a model that answers nothing right gets nothing",
        dummy="exactly",
        parameters={"k": 0},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="exactly k right",
        proves="five right answers are counted as five",
        dummy="exactly",
        parameters={"k": 5},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="swapped answers",
        proves="an answer counts for its own prompt only",
        dummy="swapped",
        examples=items.WORDS,
    ),
)

_SLIPS: tuple[Check, ...] = (
    ScoresDummy(
        name="one token off",
        proves="one wrong token is found at every position, the first and the end token included",
        dummy="one-off",
        examples=(*items.counting(8), *items.counting(7), *items.LAST_TOKEN),
    ),
    ScoresDummy(
        name="first token off",
        proves="the first token counts",
        dummy="one-off",
        parameters={"at": "0"},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="last token off",
        proves="the last token counts",
        dummy="one-off",
        parameters={"at": "-1"},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="right under the gold prefix only",
        proves="a continuation that goes wrong is wrong, whatever the gold prefix would bring",
        dummy="one-off",
        parameters={"under_own": False},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="right under its own prefix only",
        proves="a continuation that comes back after a wrong token is still wrong",
        dummy="one-off",
        parameters={"under_gold": False},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="ahead by one",
        proves="logits are compared with the next token and not with the one behind it",
        dummy="shifted",
        parameters={"by": 1},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="behind by one",
        proves="logits are compared with the next token and not with the one just read",
        dummy="shifted",
        parameters={"by": -1},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="copies its prompt",
        proves="nothing but the completion is looked at for the completion",
        dummy="copies",
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="knows the prompt",
        proves="tokens of the prompt count for nothing",
        dummy="recites",
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="other tokens, same text",
        proves="tokens are compared, not text",
        dummy="respelled",
        examples=(*items.counting(6), *items.WORDS),
    ),
    ScoresDummy(
        name="other case",
        proves="upper and lower case differ",
        dummy="recased",
        examples=items.WORDS,
    ),
    *(
        ScoresDummy(
            name=f"one token more: {name}, {'first' if first else 'last'}",
            proves="a token too many is wrong, even one that does not show in the text",
            dummy="inserted",
            parameters={"token": token, "first": first},
            examples=items.WORDS,
        )
        for name, token in (("padding", "<pad>"), ("space", "Ġ"), ("newline", "Ċ"))
        for first in (False, True)
    ),
)

_ENDINGS: tuple[Check, ...] = (
    ScoresDummy(
        name="never ends",
        proves="where a completion ends, going on is wrong",
        dummy="never-ends",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="ends early",
        proves="an end that comes one token too early is wrong, whatever would follow",
        dummy="ends-early",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="ends much too early",
        proves="an end that comes three tokens too early is wrong",
        dummy="ends-early",
        parameters={"by": 3},
        examples=items.MIXED,
    ),
)

_LOGITS: tuple[Check, ...] = (
    ScoresDummy(
        name="ties",
        proves="of equal logits the lowest id wins",
        dummy="tied",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="constant logits",
        proves="a model that prefers nothing says token 0, and its perplexity is the size of the vocabulary",
        dummy="uniform",
        examples=(*items.WORDS, *items.TOUCHING),
    ),
    ScoresDummy(
        name="not a number",
        proves="a row that is not a number is no answer",
        dummy="nan",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="narrow decisions",
        proves="logits are compared in the precision in which they are given",
        dummy="narrow",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="faint and mistaken",
        proves="the argmax decides and not the likelihood",
        dummy="faint",
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="twins",
        proves="of equal logits the lowest id wins also when they lie far apart in a large vocabulary",
        dummy="oracle",
        parameters={"p": 0.6},
        examples=items.WORDS,
        twins=400,
        fast=False,
    ),
)

_TOKENIZERS: dict[str, dict[str, Any]] = {
    "pads with the end token": {"pad": "end"},
    "pads with the end token on the left": {"pad": "end", "padding_side": "left"},
    "pads on the left": {"padding_side": "left"},
    "begins texts": {"begins": True},
    "closes texts": {"closes": True},
    "begins and closes texts, pads with the end token": {"begins": True, "closes": True, "pad": "end"},
    "reads a space before each text": {"prefix_space": True},
}

_INPUTS: tuple[Check, ...] = (
    *(
        ScoresDummy(
            name=f"tokenizer that {name}",
            proves="the score does not hang on the tokenizer's habits",
            dummy="oracle",
            parameters={"p": 0.6},
            tokenizer=partial(tiny_tokenizer, **options),
            examples=(*items.MIXED[:16], *(items.TOUCHING if "space" in name else items.WORDS)),
        )
        for name, options in _TOKENIZERS.items()
    ),
    ScoresDummy(
        name="never ends, padded with the end token",
        proves="an end that is missing is not made up from padding",
        dummy="never-ends",
        tokenizer=partial(tiny_tokenizer, pad="end"),
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="special tokens in the text",
        proves="a token is masked by where it stands and not by its id",
        dummy="oracle",
        examples=items.SPECIAL,
    ),
    ScoresDummy(
        name="special tokens in the text, padded with the end token",
        proves="a token is masked by where it stands, also where the end token pads",
        dummy="oracle",
        tokenizer=partial(tiny_tokenizer, pad="end"),
        examples=items.SPECIAL,
    ),
    *(
        ScoresDummy(
            name=f"absolute positions, padded on the {side}",
            proves="the first token of each item stands at position 0",
            dummy="positions",
            parameters={"p": 0.8},
            tokenizer=partial(tiny_tokenizer, padding_side=side),
            examples=items.MIXED,
        )
        for side in ("left", "right")
    ),
    ScoresDummy(
        name="helped by padding",
        proves="the model does not see padding",
        dummy="pads",
        tokenizer=partial(tiny_tokenizer, padding_side="left"),
        examples=items.WORDS,
    ),
)

_SAMENESS: tuple[Check, ...] = (
    ScoresAnyOrder(
        name="any order",
        proves="an item's scores are the same in any order, among fewer items and alone",
        dummy="oracle",
        parameters={"p": 0.5},
        examples=items.MIXED,
    ),
    ScoresWhatIsThere(
        name="changing model",
        proves="each evaluation asks the model anew, and nothing is left over from the last one",
        dummy="oracle",
        parameters={"p": 0.5},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="counts its calls",
        proves="only differences of logits count, which are the same in every call",
        dummy="stateful",
        parameters={"p": 0.5},
        examples=items.MIXED,
    ),
    LeavesThingsAlone(
        name="leaves things alone",
        proves="model, tokenizer and examples are afterwards what they were",
        dummy="oracle",
        examples=items.WORDS,
    ),
)

_SIZES: tuple[Check, ...] = (
    ScoresDummy(
        name="all sizes",
        proves="prompts and completions of one token and of a hundred go together",
        dummy="oracle",
        parameters={"p": 0.7},
        examples=items.SIZES,
    ),
    ScoresDummy(
        name="long items",
        proves="nothing is cut off at hundreds of tokens",
        dummy="oracle",
        examples=items.LONG,
        fast=False,
    ),
    ScoresDummy(
        name="long items, last token off",
        proves="a mistake behind hundreds of tokens is found",
        dummy="one-off",
        parameters={"at": "-1"},
        examples=items.LONG,
        fast=False,
    ),
    *(
        ScoresChance(
            name=f"right with probability {p}",
            proves="the share of right answers of a random oracle is what it was made to be",
            dummy="oracle",
            parameters={"p": p},
            examples=items.many(240),
            fast=False,
        )
        for p in (0.3, 0.8)
    ),
)
