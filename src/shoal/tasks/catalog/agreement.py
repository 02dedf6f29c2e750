"""The task of subject-verb agreement: ``is or are? the keys to the cabinet:`` gives `` are``.

The verb agrees with the head of the subject, whatever stands between them. Nouns nearer to the verb (attractors) draw
people and models to the wrong number (Linzen, Dupoux and Goldberg 2016, arXiv:1611.01368); a sentence whose attractors
have the number of the head tests nothing.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from shoal.errors import DataError
from shoal.tasks import checks
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, read_prompt
from shoal.tasks.registry import register_task
from shoal.tasks.word_lists import words_of_section

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

GrammaticalNumber = Literal["singular", "plural"]
Structure = Literal["bare", "attractors", "possessive", "coordination", "fronted"]

VERBS: Mapping[str, str] = {"is": "are", "was": "were", "has": "have", "does": "do", "seems": "seem", "falls": "fall"}
"""Verbs that can be requested: the form for one thing, and that for several."""

_PREPOSITIONS = ("near", "behind", "beside", "by", "under", "above", "with", "to")
_PAST_VERBS = ("saw", "liked", "found", "wanted", "moved", "painted")
_PLACES = _PREPOSITIONS[:6]
"""Prepositions that can begin a sentence."""

_RELATIVE = 0.25
_STRUCTURES: tuple[Structure, ...] = ("attractors", "attractors", "possessive", "fronted", "coordination")
"""Of subjects with several nouns; those with attractors alone are twice as frequent. The last is never singular."""

_FORM = "is or are? the keys to the cabinet:"
_ANIMATE = ("people", "animals")
_KINDS = (*_ANIMATE, "things")
_TOKEN = re.compile(r"[a-z]+(?:'s|')?|,")


class _Noun(NamedTuple):
    """A noun as it stands in a phrase."""

    lemma: str
    number: GrammaticalNumber
    text: str


class _Subject(NamedTuple):
    """What a subject is made of."""

    nouns: tuple[_Noun, ...]
    """All nouns in order."""

    head: int
    """The place of the noun that the verb agrees with; with *and*, of the first of the two."""

    structure: Structure
    last_word: str

    @property
    def number(self) -> GrammaticalNumber:
        """Of the verb."""
        return "plural" if self.structure == "coordination" else self.nouns[self.head].number


@register_task("agreement", structural_split="tag(tag='length',at_least=3)")
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
        return _prompt_of(verb, _draw_subject(generator, size))

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
    return _form(verb, _parse(subject).number)


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


@functools.cache
def _lexicon() -> Mapping[str, _Noun]:
    """Every noun of the lists by its form."""
    return {noun.text: noun for kind in _KINDS for pair in _pairs(kind) for noun in pair}


@functools.cache
def _pairs(kind: str) -> tuple[tuple[_Noun, _Noun], ...]:
    """The singular and the plural of the nouns of a kind."""
    forms = [pair.split("/") for pair in words_of_section("nouns", kind)]
    return tuple((_Noun(one, "singular", one), _Noun(one, "plural", several)) for one, several in forms)


@functools.cache
def _other_numbers() -> Mapping[str, str]:
    """By every form the form of the other number."""
    pairs = [(one.text, several.text) for kind in _KINDS for one, several in _pairs(kind)]
    return dict([*pairs, *((several, one) for one, several in pairs)])


def _noun(text: str) -> _Noun:
    """The noun of a form, of a possessive too; one that the lists lack goes by its ending."""
    bare = text.removesuffix("'s").removesuffix("'")
    known = _lexicon().get(bare)
    if known is not None:
        return known
    plural = bare.endswith("s") and not bare.endswith(("ss", "us", "is"))
    return _Noun(bare.removesuffix("s") if plural else bare, "plural" if plural else "singular", bare)


@functools.lru_cache(maxsize=8192)
def _parse(subject: str) -> _Subject:
    """The nouns of a subject: every word behind *the*, a possessor's thing, and no other."""
    words = _TOKEN.findall(subject)
    places = [place for place in range(1, len(words)) if words[place - 1] == "the" or "'" in words[place - 1]]
    nouns = tuple(_noun(words[place]) for place in places)
    if not nouns:
        raise DataError(f"the subject {subject[:60]!r} cannot be read; it should look like 'the keys to the cabinet'")
    head = sum(place < words.index(",") for place in places) if "," in words else 0
    structure: Structure = "fronted" if head else "bare" if len(nouns) == 1 else "attractors"
    if "'" in subject and head + 1 < len(nouns):
        head, structure = head + 1, "possessive"
    elif "and" in words:
        structure = "coordination"
    if head >= len(nouns):
        raise DataError(f"the subject {subject[:60]!r} has no noun behind its comma; write it as in {_FORM!r}")
    return _Subject(nouns, head, structure, words[-1])


class _Nouns:
    """Draws the nouns of one subject, none twice."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._used: set[str] = set()

    def draw(self, *, number: GrammaticalNumber | None = None, animate: bool = False) -> _Noun:
        """A noun in this number, or in either; of people and animals alone where they act."""
        kinds = _ANIMATE if animate else _KINDS
        pair = self._generator.choice(
            [pair for kind in kinds for pair in _pairs(kind) if pair[0].lemma not in self._used]
        )
        self._used.add(pair[0].lemma)
        return self._generator.choice(pair) if number is None else pair[number == "plural"]


def _draw_subject(generator: random.Random, size: int) -> str:
    """A subject of that many different nouns; half of the subjects take the plural."""
    number: GrammaticalNumber = generator.choice(("singular", "plural"))
    allowed = _STRUCTURES if number == "plural" else _STRUCTURES[:-1]
    structure: Structure = generator.choice(allowed) if size > 1 else "bare"
    nouns = _Nouns(generator)
    if structure == "fronted":
        front = f"{generator.choice(_PLACES)} the {nouns.draw().text}"
        return f"{front}, the {_head(generator, nouns, number, size - 1)}"
    if structure == "possessive":
        owner = nouns.draw(animate=True)
        ending = "'" if owner.text.endswith("s") and owner.number == "plural" else "'s"
        return f"the {owner.text}{ending} {_head(generator, nouns, number, size - 1)}"
    if structure == "coordination":
        return f"the {nouns.draw().text} and the {_head(generator, nouns, None, size - 1)}"
    return f"the {_head(generator, nouns, number, size)}"


def _head(generator: random.Random, nouns: _Nouns, number: GrammaticalNumber | None, size: int) -> str:
    """A noun with others behind it, each by a preposition or in a relative clause."""
    text = nouns.draw(number=number).text
    for _ in range(size - 1):
        if generator.random() < _RELATIVE:
            text += f" that the {nouns.draw(animate=True).text} {generator.choice(_PAST_VERBS)}"
        else:
            text += f" {generator.choice(_PREPOSITIONS)} the {nouns.draw().text}"
    return text


def _tags(prompt: str) -> Mapping[str, Tag]:
    subject = _parse(_read(prompt)[1])
    nouns, number = subject.nouns, subject.number
    attractor = "none" if len(nouns) == 1 else "match" if nouns[-1].number == number else "mismatch"
    return {
        "length": len(nouns),
        "structure": subject.structure,
        "attractor": attractor,
        "number": number,
        "group": " ".join(sorted(noun.lemma for noun in nouns)),
    }


def _by_subject(answer: Callable[[_Subject], bool]) -> Shortcut:
    """The shortcut that answers by the subject alone: for several things where this is true."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        verb, subject = _read(prompt)
        return _form(verb, "plural" if answer(_parse(subject)) else "singular")

    return shortcut


def _plurals(subject: _Subject) -> int:
    return sum(noun.number == "plural" for noun in subject.nouns)


def _same_noun(place: int) -> Shortcut:
    """The number of the seen subject that has the same noun form at this place; else of the first that was seen."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        verb, text = _read(prompt)
        own = _parse(text).nouns[place].text
        for example in seen:
            if _parse(_read(example.prompt)[1]).nouns[place].text == own:
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
    subject = _parse(text)
    joined = subject.structure == "coordination"
    for place, noun in enumerate(subject.nouns):
        # A possessor keeps its number: its apostrophe would have to move.
        if noun.text in _other_numbers() and f"{noun.text}'" not in text:
            changed = re.sub(rf"\b{noun.text}\b", _other_numbers()[noun.text], text, count=1)
            yield SAME_SURFACE if place == subject.head and not joined else OTHER_SURFACE, _prompt_of(verb, changed)
    if joined:
        yield SAME_SURFACE, _prompt_of(verb, text.replace(" and ", " by ", 1))
    used = {noun.lemma for noun in subject.nouns}
    fresh = [noun.text for noun in _lexicon().values() if noun.lemma not in used]
    if "," not in text:
        yield OTHER_SURFACE, _prompt_of(verb, f"{generator.choice(_PLACES)} the {generator.choice(fresh)}, {text}")
    yield OTHER_SURFACE, _prompt_of(verb, f"{text} {generator.choice(_PREPOSITIONS)} the {generator.choice(fresh)}")
