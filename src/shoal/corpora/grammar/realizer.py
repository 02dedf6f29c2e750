"""The story: turns events into sentences, with paraphrase, pronouns, openers and joined sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.forms import NARRATED, OPENERS, SPOKEN, STATES
from shoal.corpora.grammar.world import Being, Event, RequiredWords, Thing
from shoal.wording import capital, uncapital

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

# Shares of the sentences that could have it. None is near 1: a model that reads only one surface form of an event would
# learn the form in place of the event.
_OPENED = 0.22
_JOINED = 0.3
_SPOKEN = 0.45
_PRONOUN = 0.75
_WITH_LOOK = 0.3
_NEW = ("x", "y", "z")
"""Slots of things that are named for the first time, which get their look and an article."""


class _Form(NamedTuple):
    """A form and what may be done with it."""

    text: str
    slots: tuple[str, ...]
    """The slots whose plain values are facts."""

    may_open: bool
    may_refer: bool
    """Whether a pronoun may stand at its head."""

    may_join: bool
    """Whether it may be joined to the next sentence by ``and``."""


def _analyse(kind: str, text: str) -> _Form:
    letters = dict.fromkeys(part.partition("}")[0].lower() for part in text.split("{")[1:])
    slots = tuple(letter for letter in letters if len(letter) == 1)
    heads = text.startswith("{A} ")
    refers = heads and not text.startswith("{A} and")
    joins = refers and text.endswith(".") and not any(part in text for part in ('"', ",", " and ", "because"))
    return _Form(text, slots, heads and kind not in STATES, refers, joins)


_PLAIN = {kind: tuple(_analyse(kind, form) for form in forms) for kind, forms in NARRATED.items()}
_DIALOGUE = {kind: tuple(_analyse(kind, form) for form in forms) for kind, forms in SPOKEN.items()}


class Realizer:
    """Writes one story, event by event; plots call it.

    Attributes:
        rng: the story's generator of random numbers.
        requested: the features that must be there.
        words: the words that must occur.
        hero: whom the story is about.
        key: the thing that it turns on.
    """

    def __init__(self, rng: random.Random, words: RequiredWords, requested: frozenset[str], *, talks: bool) -> None:
        self.rng = rng
        self.words = words
        self.requested = requested
        self.events: list[Event] = []
        self._talks = talks
        self._parts: list[str] = []
        self._focus: Being | None = None
        self._rivals: tuple[Being, ...] = ()
        self._joinable = False
        self._used: set[str] = {words.noun}
        self.hero = self._draw_hero()
        self.key = self._draw_key()
        self.friend: Being | None = None

    def pick(self, options: Sequence[str]) -> str:
        """One of the options; quicker than ``random.choice``."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.rng.random() < share

    def draw(self, options: Sequence[str]) -> str:
        """One of the options that the story has not used yet."""
        while True:
            word = self.pick(options)
            # Questions name a thing by its noun alone, so no noun may stand for two.
            if word not in self._used:
                self._used.add(word)
                return word

    def new_thing(self, nouns: Sequence[str] = lexicon.THINGS, noun: str | None = None) -> Thing:
        """A thing that the story has not named yet.

        Args:
            nouns: one of them is drawn.
            noun: this one instead.
        """
        noun = noun or self.draw(nouns)
        look = self.pick(lexicon.COLORS if self.chance(0.4) else lexicon.LOOKS)
        return Thing(noun, look, lexicon.article(f"{look} {noun}"))

    def is_free(self, noun: str) -> bool:
        """Whether the story has not named this yet; if so, it counts as named from now on."""
        free = noun not in self._used
        self._used.add(noun)
        return free

    def new_being(self, *, young: bool = False) -> Being:
        """Somebody who has not been in the story yet."""
        drawn = self.rng.random()
        if drawn < 0.2 and not young:
            name = self.draw(tuple(lexicon.GROWN))
            return Being(name, name.removeprefix("the "), lexicon.GROWN[name] == "she")
        kind = None if drawn < 0.65 else self.draw(lexicon.ANIMALS)
        return self._being(kind)

    def new_parent(self) -> Being:
        """Somebody of the family."""
        name = self.draw(lexicon.FAMILY)
        return Being(name, name, lexicon.GROWN[name] == "she")

    def event(self, kind: str, **slots: Being | Thing | str) -> None:
        """Add an event, written in one of its forms.

        Args:
            kind: a kind of event of `shoal.corpora.grammar.forms`.
            slots: what its slots hold.
        """
        spoken = _DIALOGUE[kind]
        forms = spoken if spoken and self._talks and self.rng.random() < _SPOKEN else _PLAIN[kind]
        form = forms[int(self.rng.random() * len(forms))]
        filled, facts = self._fill(form, slots)
        self.events.append(Event(kind, facts))
        actor = slots.get("a") if "a" in form.slots else None
        self._add(form, filled, actor if isinstance(actor, Being) else None)
        other = slots.get("b") if "b" in form.slots else None
        if isinstance(actor, Being):
            self._focus = actor
        self._rivals = (other,) if isinstance(other, Being) else ()

    def paragraph(self) -> None:
        """Begin a new paragraph."""
        if self._parts and self._parts[-1] != "\n":
            self._parts.append("\n")
        self._joinable = False

    def text(self) -> str:
        """The whole story."""
        # Paragraph marks are parts of their own, so the blanks that joining puts around them are taken off again.
        return " ".join(self._parts).replace(" \n ", "\n").strip()

    def has_event(self, kind: str) -> bool:
        """Whether the story has an event of this kind already."""
        return any(event.kind == kind for event in self.events)

    def _add(self, form: _Form, filled: Mapping[str, str], actor: Being | None) -> None:
        """Put the sentence behind the others: joined to the one before, opened by a word of time, or plain."""
        if form.may_join and self._joinable and actor is self._focus and self.rng.random() < _JOINED:
            self._parts[-1] = f"{self._parts[-1][:-1]} and {form.text[4:].format_map(filled)}"
            self._joinable = False
            return
        text, head = form.text, self._head(form, actor)
        if form.may_open and self._parts and self.rng.random() < _OPENED:
            opener = self.pick(OPENERS)
            lowered = head if head[:2] not in ("He", "Sh", "Th") or head in _NAMES else uncapital(head)
            text = f"{opener}{',' if ' ' in opener else ''} {text}"
            filled = {**filled, "A": lowered}
        else:
            filled = {**filled, "A": head}
        self._parts.append(text.format_map(filled))
        self._joinable = form.may_join

    def _head(self, form: _Form, actor: Being | None) -> str:
        """A pronoun where the one who acts also acted before and nobody else could be meant; else the name."""
        # The parser lets a pronoun stand for the last actor, so it may only be written where that is who is meant.
        if actor is None:
            return ""
        clear = actor is self._focus and all(rival.female != actor.female for rival in self._rivals)
        if form.may_refer and clear and self._parts and self.rng.random() < _PRONOUN:
            return "She" if actor.female else "He"
        return capital(actor.name)

    def _fill(self, form: _Form, slots: Mapping[str, Being | Thing | str]) -> tuple[dict[str, str], dict[str, str]]:
        """What stands in the slots, and the plain values for the record."""
        filled: dict[str, str] = {}
        facts: dict[str, str] = {}
        for slot, value in slots.items():
            if isinstance(value, str):
                filled[slot] = plain = value
            elif isinstance(value, Being):
                filled[slot] = plain = value.name
                self._fill_pronouns(filled, slot, value)
            elif slot in _NEW:
                filled[slot], plain = value.phrase, f"{value.look} {value.noun}"
            else:
                filled[slot] = f"{value.look} {value.noun}" if self.rng.random() < _WITH_LOOK else value.noun
                plain = value.noun
            if slot in form.slots:
                facts[slot] = plain
        return filled, facts

    @staticmethod
    def _fill_pronouns(filled: dict[str, str], slot: str, being: Being) -> None:
        prefix = "" if slot == "a" else "b"
        filled[prefix + "he"], filled[prefix + "his"], filled[prefix + "him"] = (
            ("she", "her", "her") if being.female else ("he", "his", "him")
        )
        if slot == "b":
            filled["B"] = capital(being.name)

    def _being(self, kind: str | None) -> Being:
        female = self.chance(0.5)
        child = kind is None
        name = self.draw((lexicon.GIRLS if female else lexicon.BOYS) if child or self.chance(0.6) else lexicon.PETS)
        return Being(name, kind or ("girl" if female else "boy"), female, self.pick(lexicon.TRAITS))

    def _draw_hero(self) -> Being:
        noun, adjective = self.words.noun, self.words.adjective
        is_animal = noun in lexicon.ANIMALS
        hero = self._being(noun if is_animal else self.draw(lexicon.ANIMALS) if self.chance(0.4) else None)
        return hero._replace(trait=adjective) if adjective in lexicon.TRAITS else hero

    def _draw_key(self) -> Thing:
        noun, adjective = self.words.noun, self.words.adjective
        key = self.new_thing(noun=noun if noun in lexicon.THINGS else None)
        if adjective in lexicon.TRAITS or adjective not in (*lexicon.LOOKS, *lexicon.COLORS):
            return key
        return Thing(key.noun, adjective, lexicon.article(f"{adjective} {key.noun}"))


_NAMES = frozenset((*lexicon.GIRLS, *lexicon.BOYS, *lexicon.PETS))
