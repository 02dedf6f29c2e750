"""The task of subject-verb agreement: ``is or are? the keys to the cabinet:`` gives `` are``.

The verb agrees with the head of the subject, whatever stands between them. Nouns nearer to the verb (attractors) draw
people and models to the wrong number (Linzen, Dupoux and Goldberg 2016, arXiv:1611.01368); a sentence whose attractors
have the number of the head tests nothing.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.tasks import checks
from shoal.tasks.answer_measures import CHOICE_MEASURES
from shoal.tasks.catalog.agreement.subjects import (
    PLACES,
    PREPOSITIONS,
    draw_subject,
    noun_forms,
    other_numbers,
    parse_subject,
)
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, read_prompt
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shoal.tasks.catalog.agreement.subjects import GrammaticalNumber, Subject
    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

VERBS: Mapping[str, str] = {"is": "are", "was": "were", "has": "have", "does": "do", "seems": "seem", "falls": "fall"}
"""Verbs that can be requested: the form for one thing, and that for several."""

_FORM = "is or are? the keys to the cabinet:"


@register_task("agreement", structural_split="tag(tag='length',at_least=3)", measures=CHOICE_MEASURES)
def agreement(
    *,
    min_nouns: int = 1,
    max_nouns: int = 3,
    verb: str = "is",
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Choose the form of a verb: prompt ``is or are? the keys to the cabinet:``, completion `` are``.

    The tags are ``length`` (nouns), ``structure`` (``bare``, ``attractors``, ``possessive``, ``coordination``,
    ``fronted``), ``attractor`` (``none``, ``match``, or ``mismatch`` where the nearest noun has another number than the
    verb), ``number`` (of the verb) and ``group`` (the nouns in any number and order).

    Args:
        min_nouns: the fewest nouns of a subject.
        max_nouns: the most.
        verb: a form for one thing, of ``VERBS``: ``is``, ``was``, ``has``.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object; ``tag(tag='attractor',values='mismatch')`` trains on subjects that
            the nearest noun answers.

    Raises:
        UnknownNameError: no such verb.
        UsageError: an option cannot be used.
    """
    checks.one_of("verb", verb, tuple(VERBS))

    def draw(generator: random.Random, size: int) -> str:
        return _prompt_of(verb, draw_subject(generator, size))

    return build_task(
        "agreement",
        sizes=checks.size_range("nouns", min_nouns, max_nouns, maximum=8),
        draw=draw,
        rule=agreement_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def agreement_rule(prompt: str) -> str:
    """The form of the prompt's verb that agrees with the head of the subject.

    Raises:
        DataError: the prompt is of another form.
    """
    verb, subject = _read(prompt)
    return _form(verb, parse_subject(subject).number)


def _prompt_of(verb: str, subject: str) -> str:
    return f"{verb} or {VERBS[verb]}? {subject}:"


@functools.lru_cache(maxsize=8192)
def _read(prompt: str) -> tuple[str, str]:
    """The verb and the subject of a prompt."""
    match = read_prompt(r"([a-z]+) or ([a-z]+)\? ([a-z',]+(?: [a-z',]+)*) *:", prompt, _FORM)
    if VERBS.get(match[1]) != match[2]:
        raise DataError(f"the prompt {prompt[:60]!r} cannot be read; it should look like {_FORM!r}")
    return match[1], match[3]


def _form(verb: str, number: GrammaticalNumber) -> str:
    return f" {verb if number == 'singular' else VERBS[verb]}"


def _tags(prompt: str) -> Mapping[str, Tag]:
    subject = parse_subject(_read(prompt)[1])
    nouns, number = subject.nouns, subject.number
    attractor = "none" if len(nouns) == 1 else "match" if nouns[-1].number == number else "mismatch"
    return {
        "length": len(nouns),
        "structure": subject.structure,
        "attractor": attractor,
        "number": number,
        # By lemma and sorted: "the key near the gates" and "the gates near the key" share all that can be remembered.
        "group": " ".join(sorted(noun.lemma for noun in nouns)),
    }


def _by_subject(answer: Callable[[Subject], bool]) -> Shortcut:
    """The shortcut that answers by the subject alone: for several things where this is true."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        verb, subject = _read(prompt)
        return _form(verb, "plural" if answer(parse_subject(subject)) else "singular")

    return shortcut


def _plurals(subject: Subject) -> int:
    return sum(noun.number == "plural" for noun in subject.nouns)


def _same_noun(place: int) -> Shortcut:
    """The number of the seen subject that has the same noun form at this place; else of the first that was seen."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        verb, text = _read(prompt)
        own = parse_subject(text).nouns[place].text
        for example in seen:
            if parse_subject(_read(example.prompt)[1]).nouns[place].text == own:
                known, _ = _read(example.prompt)
                return _form(verb, "singular" if example.completion.strip() == known else "plural")
        return ""

    return shortcut


SHORTCUTS: Mapping[str, Shortcut] = {
    "nearest-noun": _by_subject(lambda subject: subject.nouns[-1].number == "plural"),
    "first-noun": _by_subject(lambda subject: subject.nouns[0].number == "plural"),
    "last-word-in-s": _by_subject(lambda subject: subject.last_word.endswith("s")),
    "first-noun-in-s": _by_subject(lambda subject: subject.nouns[0].text.endswith("s")),
    "head-in-s": _by_subject(
        lambda subject: subject.structure == "coordination" or subject.nouns[subject.head].text.endswith("s")
    ),
    "any-plural": _by_subject(lambda subject: _plurals(subject) > 0),
    "most-nouns": _by_subject(lambda subject: 2 * _plurals(subject) > len(subject.nouns)),
    "always-singular": _by_subject(lambda subject: False),  # noqa: ARG005
    "always-plural": _by_subject(lambda subject: True),  # noqa: ARG005
    "copy-same-last-noun": _same_noun(-1),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    verb, text = _read(prompt)
    subject = parse_subject(text)
    joined = subject.structure == "coordination"
    for place, noun in enumerate(subject.nouns):
        # A possessor keeps its number: its apostrophe would have to move.
        if noun.text in other_numbers() and f"{noun.text}'" not in text:
            changed = re.sub(rf"\b{noun.text}\b", other_numbers()[noun.text], text, count=1)
            yield SAME_SURFACE if place == subject.head and not joined else OTHER_SURFACE, _prompt_of(verb, changed)
    if joined:
        # One word exchanged turns two heads into one with an attractor.
        yield SAME_SURFACE, _prompt_of(verb, text.replace(" and ", " by ", 1))
    used = {noun.lemma for noun in subject.nouns}
    fresh = [noun.text for noun in noun_forms().values() if noun.lemma not in used]
    if "," not in text:
        yield OTHER_SURFACE, _prompt_of(verb, f"{generator.choice(PLACES)} the {generator.choice(fresh)}, {text}")
    yield OTHER_SURFACE, _prompt_of(verb, f"{text} {generator.choice(PREPOSITIONS)} the {generator.choice(fresh)}")
