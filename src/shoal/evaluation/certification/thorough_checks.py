"""More of each kind, and what takes longer."""

from __future__ import annotations

from functools import partial
from typing import Any

from shoal.evaluation.certification import fixtures as items
from shoal.evaluation.certification.checks import Check, ScoresChance, ScoresDummy, ScoresText
from shoal.models.dummies import tiny_tokenizer

_ANSWERS: tuple[Check, ...] = (
    ScoresDummy(
        name="same completion",
        proves="items are judged by their prompt, also where they share a completion",
        dummy="exactly",
        # Fewer than the items that share the completion: who judges by it gives all of them the same verdict.
        parameters={"k": 3},
        examples=items.SAME_COMPLETION,
    ),
    ScoresDummy(
        name="none right",
        proves="a model that answers nothing right gets nothing",
        dummy="exactly",
        parameters={"k": 0},
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="exactly five right",
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
        name="ids without a token",
        proves="all logits of the model take part, also of ids that the tokenizer does not have",
        dummy="unspeakable",
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="other case",
        proves="upper and lower case differ",
        dummy="recased",
        examples=items.WORDS,
    ),
    *(
        ScoresDummy(
            name=f"{which} token off",
            proves=f"the {which} token counts",
            dummy="one-off",
            parameters={"at": at},
            # With items whose completions are a token long, at which "first" and "last" are one place.
            examples=(*items.WORDS, *items.LAST_TOKEN),
        )
        for which, at in (("first", "0"), ("second", "1"), ("last", "-1"), ("last but one", "-2"))
    ),
    ScoresDummy(
        name="right under the gold prefix only",
        proves="a continuation that goes wrong is wrong, whatever the gold prefix would bring",
        dummy="one-off",
        # Free generation and teacher forcing part here: the model recovers where it is fed the gold tokens.
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
        name="copies its prompt",
        proves="nothing but the completion is looked at for the completion",
        dummy="copies",
        examples=items.WORDS,
    ),
    ScoresDummy(
        name="no space",
        proves="the space before a completion belongs to it",
        dummy="unspaced",
        examples=(*items.counting_items(6), *items.WORDS),
    ),
    *(
        ScoresDummy(
            name=f"one token more: {name}, {'first' if first else 'last'}",
            proves="a token too many is wrong, even one that does not show in the text",
            dummy="inserted",
            parameters={"token": token, "first": first},
            examples=items.WORDS,
        )
        # Tokens that decoding drops or strips, so that a comparison of texts would find the answer right.
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
        name="ends much too early",
        proves="an end that comes three tokens too early is wrong",
        dummy="ends-early",
        # Further than the one token of the essential check, which an evaluator that reads one token on would pass.
        parameters={"by": 3},
        examples=items.MIXED,
    ),
)

_LOGITS: tuple[Check, ...] = (
    ScoresDummy(
        name="constant logits",
        proves="a model that prefers nothing generates token 0, and its perplexity is the size of the vocabulary",
        dummy="uniform",
        examples=(*items.WORDS, *items.TOUCHING),
    ),
    ScoresDummy(
        name="twins",
        proves="of equal logits the lowest id wins also when they lie far apart in a large vocabulary",
        dummy="oracle",
        parameters={"p": 0.6},
        examples=items.WORDS,
        # Far apart: an argmax in blocks of the vocabulary finds the lowest id within its block only.
        twins=400,
    ),
)

_TOKENIZERS: dict[str, dict[str, Any]] = {
    "pads with the end token": {"pad": "end"},
    "pads with the end token on the left": {"pad": "end", "padding_side": "left"},
    "pads on the left": {"padding_side": "left"},
    "begins texts": {"begins": True},
    "closes texts": {"closes": True},
}

_INPUTS: tuple[Check, ...] = (
    *(
        ScoresDummy(
            name=f"tokenizer that {name}",
            proves="the score does not depend on the tokenizer's habits",
            dummy="oracle",
            parameters={"p": 0.6},
            tokenizer=partial(tiny_tokenizer, **options),
            examples=items.WORDS,
        )
        for name, options in _TOKENIZERS.items()
    ),
    ScoresDummy(
        name="special tokens in the text, padded with the end token",
        proves="a token is masked by where it stands, also where the end token pads",
        dummy="oracle",
        tokenizer=partial(tiny_tokenizer, pad="end"),
        examples=items.SPECIAL,
    ),
    ScoresDummy(
        name="absolute positions, padded on the right",
        proves="positions count an item's own tokens",
        dummy="positions",
        parameters={"p": 0.7},
        examples=items.MIXED,
    ),
)

_SIZES: tuple[Check, ...] = (
    ScoresDummy(
        name="long items",
        proves="nothing is cut off at hundreds of tokens",
        dummy="oracle",
        examples=items.LONG,
    ),
    ScoresDummy(
        name="long items, last token off",
        proves="a mistake behind hundreds of tokens is found",
        dummy="one-off",
        parameters={"at": "-1"},
        examples=items.LONG,
    ),
)

_CHANCE: tuple[Check, ...] = tuple(
    ScoresChance(
        name=f"right with probability {p}",
        proves="the share of right answers of a random oracle is what it was made to be",
        dummy="oracle",
        parameters={"p": p},
        # Enough for a share to be tested: with 240 items the standard error at 0.3 is 0.03.
        examples=items.many(240),
    )
    for p in (0.3, 0.8)
)

_TEXTS: tuple[Check, ...] = (
    ScoresText(
        name="the very text",
        proves="BLEU of the completion itself is 100",
        dummy="oracle",
        examples=items.PROSE,
        bleu=100.0,
    ),
    ScoresText(
        name="disjoint text",
        proves="BLEU of a text that shares no word with the completion is 0",
        dummy="disjoint",
        examples=items.PROSE,
        bleu=0.0,
    ),
)

THOROUGH: tuple[Check, ...] = (*_SIZES, *_ANSWERS, *_SLIPS, *_ENDINGS, *_LOGITS, *_INPUTS, *_TEXTS, *_CHANCE)
