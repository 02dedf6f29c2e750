"""The checks of choice evaluators: one for each kind of fault that they are known for."""

from __future__ import annotations

from functools import partial

from shoal.evaluation.certification import choice_fixtures as items
from shoal.evaluation.certification.checks import (
    Check,
    LeavesThingsAlone,
    ScoresAnyOrder,
    ScoresDummy,
    ScoresWhatIsThere,
)
from shoal.evaluation.certification.choices import ChoiceKind
from shoal.evaluation.certification.item_kinds import ItemKind
from shoal.models.dummies import tiny_tokenizer

_CHOICES = ItemKind.known[ChoiceKind.name]

_VERDICTS: tuple[Check, ...] = (
    ScoresDummy(
        name="chooser",
        proves="right and wrong choices are distinguished, whichever place they stand at and however many there are",
        dummy="chooser",
        parameters={"p": 0.6},
        examples=items.MIXED,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="identical choices",
        proves="a tie is not right, and what is chosen at a tie does not hang on the answer",
        dummy="chooser",
        examples=items.IDENTICAL,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="constant",
        proves="a model that knows nothing is right only where fewer tokens make it so",
        dummy="uniform",
        examples=items.EQUALLY_LONG,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="swapped choices",
        proves="a model that prefers a wrong choice is wrong",
        dummy="swapped-choices",
        examples=items.MIXED,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="minimal pairs",
        proves="whole texts are compared behind the token that begins a text, and equal ones are tied",
        dummy="chooser",
        tokenizer=partial(tiny_tokenizer, begins=True),
        examples=items.MINIMAL_PAIRS,
        kind=_CHOICES,
    ),
)

_TOKENS: tuple[Check, ...] = (
    *(
        ScoresDummy(
            name=f"{where} token misleads",
            proves=f"all tokens of a choice count, and not the {where} one alone",
            # One token points to a wrong choice, and the sum of all to the right one.
            dummy="misled",
            parameters={"at": where},
            examples=items.DIFFERENT_THROUGHOUT,
            kind=_CHOICES,
        )
        for where in ("first", "last")
    ),
    *(
        ScoresDummy(
            name=f"prefers {prefer} choices",
            proves="log-likelihoods are summed for one field and divided by the named length for another",
            dummy="length-biased",
            parameters={"prefer": prefer},
            examples=items.OF_ALL_LENGTHS,
            kind=_CHOICES,
        )
        for prefer in ("short", "long")
    ),
    ScoresDummy(
        name="lengths",
        proves="tokens, characters and bytes are each counted as what they are, white space included",
        dummy="uniform",
        # Under a uniform model all tokens are equally likely, so that what is divided by is all that decides.
        examples=(*items.LENGTHS, *items.OF_ALL_LENGTHS[:2]),
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="narrow decisions",
        proves="log-likelihoods are compared in single precision at least",
        # Its margins are below what half precision can tell apart.
        dummy="narrow-chooser",
        examples=(*items.DIFFERENT_THROUGHOUT, *items.OF_ALL_LENGTHS),
        kind=_CHOICES,
    ),
)

_TEXTS: tuple[Check, ...] = (
    ScoresDummy(
        name="white space",
        proves="a choice is appended to its context as it stands, and no space is added or taken away",
        dummy="chooser",
        examples=items.WHITE_SPACE,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="tokenizer that reads a space before each text",
        proves="context and choice are encoded together",
        dummy="chooser",
        tokenizer=partial(tiny_tokenizer, prefix_space=True),
        examples=(*items.TOUCHING, *items.MIXED[:3]),
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="same context",
        proves="choices belong to their own item, also where items share a context",
        dummy="chooser",
        examples=items.SAME_CONTEXT,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="special tokens in the text",
        proves="a token is masked by where it stands and not by its id",
        dummy="chooser",
        examples=items.SPECIAL,
        kind=_CHOICES,
    ),
)

_BATCHES: tuple[Check, ...] = (
    ScoresDummy(
        name="absolute positions, padded on the left",
        proves="the first token of each row stands at position 0",
        dummy="chooser-positions",
        # Padding with the end token, as GPT-2 does it, hides a wrong mask from whoever looks for the id.
        tokenizer=partial(tiny_tokenizer, padding_side="left", pad="end"),
        examples=items.MIXED,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="all sizes",
        proves="contexts and choices of one token and of ninety go together",
        dummy="chooser",
        examples=items.SIZES,
        kind=_CHOICES,
    ),
    ScoresAnyOrder(
        name="any order",
        proves="an item's scores are the same in any order, among fewer items and alone",
        dummy="chooser",
        parameters={"p": 0.5},
        examples=items.FEW,
        kind=_CHOICES,
    ),
    ScoresWhatIsThere(
        name="changing model",
        proves="each evaluation reads the model again, and nothing is left over from the last one",
        dummy="chooser",
        examples=items.FEW,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="counts its calls",
        proves="only differences of logits count, which are the same in every call",
        # Each call moves all logits of a row alike, which no difference shows and a threshold does.
        dummy="chooser-stateful",
        parameters={"p": 0.5},
        examples=items.MIXED,
        kind=_CHOICES,
    ),
    LeavesThingsAlone(
        name="leaves things alone",
        proves="model, tokenizer and items are afterwards what they were",
        dummy="chooser",
        examples=items.FEW,
        kind=_CHOICES,
    ),
)

ESSENTIAL: tuple[Check, ...] = (*_VERDICTS, *_TOKENS, *_TEXTS, *_BATCHES)

THOROUGH: tuple[Check, ...] = (
    ScoresDummy(
        name="long contexts",
        proves="contexts of a thousand tokens and choices of five hundred are read whole",
        dummy="chooser",
        examples=items.LONG,
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="constant minimal pairs",
        proves="of whole texts, too, a tie is not right",
        dummy="uniform",
        tokenizer=partial(tiny_tokenizer, begins=True),
        examples=items.rotations("", "A c", "A 1", "1 c"),
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="chooser with half of the answers",
        proves="twelve further right and wrong choices fall as they must",
        dummy="chooser",
        parameters={"p": 0.3},
        examples=(*items.OF_ALL_LENGTHS, *items.DIFFERENT_THROUGHOUT, *items.TOUCHING),
        kind=_CHOICES,
    ),
    ScoresDummy(
        name="tokenizer that begins and closes texts",
        proves="the tokenizer's end is not taken for a part of a choice",
        dummy="chooser",
        tokenizer=partial(tiny_tokenizer, begins=True, closes=True, pad="end"),
        examples=items.MINIMAL_PAIRS,
        kind=_CHOICES,
    ),
)
