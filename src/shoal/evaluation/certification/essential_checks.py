"""One check for each kind of fault that evaluators are known for."""

from __future__ import annotations

from functools import partial

from shoal.evaluation.certification import fixtures as items
from shoal.evaluation.certification.checks import (
    Check,
    LeavesThingsAlone,
    ScoresAnyOrder,
    ScoresDummy,
    ScoresWhatIsThere,
)
from shoal.models.dummies import tiny_tokenizer

_ANSWERS: tuple[Check, ...] = (
    ScoresDummy(
        name="oracle",
        proves="right and wrong answers of all kinds are distinguished, each at its own place",
        dummy="oracle",
        parameters={"p": 0.6},
        examples=items.MIXED,
    ),
    ScoresDummy(
        name="other tokens, same text",
        proves="tokens are compared, not text",
        # The continuation decodes to the target from other tokens (a word in two pieces), which a string match finds
        # right.
        dummy="respelled",
        examples=items.FEW,
    ),
    ScoresDummy(
        name="all right",
        proves="a right answer of any kind is found right",
        dummy="oracle",
        examples=(*items.WORDS, *items.TOUCHING),
    ),
    ScoresDummy(
        name="same prompt",
        proves="items are judged by their completion, also where they share a prompt or are equal",
        dummy="oracle",
        examples=items.SAME_PROMPT,
    ),
)

_INPUTS: tuple[Check, ...] = (
    ScoresDummy(
        name="absolute positions, padded on the left",
        proves="the first token of each item stands at position 0",
        dummy="positions",
        tokenizer=partial(tiny_tokenizer, padding_side="left"),
        examples=items.FEW,
    ),
    ScoresDummy(
        name="all sizes",
        proves="prompts and completions of one token and of a hundred go together",
        dummy="oracle",
        examples=items.SIZES,
    ),
    ScoresDummy(
        name="tokenizer that reads a space before each text",
        proves="prompt and completion are encoded together",
        dummy="oracle",
        tokenizer=partial(tiny_tokenizer, prefix_space=True),
        examples=(*items.TOUCHING, *items.FEW[:4]),
    ),
    ScoresDummy(
        name="tokenizer that begins and closes texts, pads with the end token",
        proves="the tokenizer's beginning token stays, and its end is not taken for the completion's",
        dummy="oracle",
        tokenizer=partial(tiny_tokenizer, begins=True, closes=True, pad="end"),
        examples=items.FEW,
    ),
    ScoresDummy(
        name="special tokens in the text",
        proves="a token is masked by where it stands and not by its id",
        dummy="oracle",
        examples=items.SPECIAL,
    ),
    ScoresDummy(
        name="never ends, padded with the end token",
        proves="where a completion ends, going on is wrong, and padding is no end",
        dummy="never-ends",
        tokenizer=partial(tiny_tokenizer, pad="end"),
        examples=items.FEW,
    ),
    ScoresDummy(
        name="helped by padding",
        proves="the model does not see padding",
        dummy="pads",
        # It answers right behind 1 to 24 padding tokens and wrong without any: if padding is seen, it is found right.
        parameters={"longest": 24},
        tokenizer=partial(tiny_tokenizer, padding_side="left"),
        examples=items.FEW,
    ),
)

_LOGITS: tuple[Check, ...] = (
    ScoresDummy(
        name="ties",
        proves="of equal logits the lowest id wins",
        dummy="tied",
        examples=items.FEW,
    ),
    ScoresDummy(
        name="narrow decisions",
        proves="logits are compared in the precision in which they are given",
        dummy="narrow",
        examples=items.FEW,
    ),
    ScoresDummy(
        name="not a number",
        proves="a row that is not a number is no answer",
        # A nan compares as false with everything: argmax and any threshold give an arbitrary answer without an error.
        dummy="nan",
        examples=items.FEW,
    ),
    ScoresDummy(
        name="faint and mistaken",
        proves="the argmax decides and not the likelihood",
        # Right by a narrow margin throughout, or sure of all and wrong at one place: the likelihood prefers the latter.
        dummy="faint",
        examples=items.FEW,
    ),
)

_SLIPS: tuple[Check, ...] = (
    ScoresDummy(
        name="one token off",
        proves="one wrong token is found at every position, the first and the end token included",
        dummy="one-off",
        examples=(*items.counting_items(8), *items.counting_items(7)),
    ),
    ScoresDummy(
        name="two tokens transposed",
        proves="tokens are compared one by one, and not all of them as a bag or a sum",
        dummy="transposed",
        examples=items.FEW,
    ),
    ScoresDummy(
        name="ends early",
        proves="an end that comes one token too early is wrong, whatever would follow",
        dummy="ends-early",
        examples=items.FEW,
    ),
    *(
        ScoresDummy(
            name=f"{where} by one",
            proves=f"logits are compared with the next token and not with the one {other}",
            dummy="shifted",
            parameters={"by": by},
            examples=items.FEW,
        )
        for by, where, other in ((1, "ahead", "behind it"), (-1, "behind", "just read"))
    ),
    ScoresDummy(
        name="knows the prompt",
        proves="tokens of the prompt count for nothing",
        dummy="recites",
        examples=items.FEW,
    ),
)

_SAMENESS: tuple[Check, ...] = (
    ScoresAnyOrder(
        name="any order",
        proves="an item's scores are the same in any order, among fewer items and alone",
        dummy="oracle",
        parameters={"p": 0.5},
        examples=items.FEW,
    ),
    ScoresWhatIsThere(
        name="changing model",
        proves="each evaluation reads the model again, and nothing is left over from the last one",
        dummy="oracle",
        parameters={"p": 0.5},
        examples=items.FEW,
    ),
    ScoresDummy(
        name="counts its calls",
        proves="only differences of logits count, which are the same in every call",
        dummy="stateful",
        parameters={"p": 0.5},
        examples=items.FEW,
    ),
    LeavesThingsAlone(
        name="leaves things alone",
        proves="model, tokenizer and examples are afterwards what they were",
        dummy="oracle",
        examples=items.FEW,
    ),
)

ESSENTIAL: tuple[Check, ...] = (*_ANSWERS, *_INPUTS, *_LOGITS, *_SLIPS, *_SAMENESS)
