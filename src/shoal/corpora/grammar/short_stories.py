"""Stories of a few sentences about a few children and animals: what happens, and nothing around it.

A whole story takes some 200 tokens before anything can be asked about it; these fit the context of the smallest models.
They are written in the same forms, so that `read_events` and `answer_question` read them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.realizer import Realizer
from shoal.corpora.grammar.world import RequiredWords

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from shoal.corpora.grammar.world import Being, Thing

_CAST = 3
"""Enough that the only name, or the other one, is no answer to who."""

_FOODS = tuple(food for food in lexicon.FOODS if food not in lexicon.COLORS)
"""Without the orange: a word of a short story is of one kind."""

# Any words: nothing is required of a short story, but the realizer draws its own hero and thing from them.
_NO_WORDS = RequiredWords(noun="day", verb="be", adjective="new")


def write_short_story(generator: random.Random, events: int) -> str:
    """A story in which so many things happen, one sentence or half of one for each.

    Args:
        generator: draws it.
        events: how many things happen, at least 1.
    """
    story = Realizer(generator, _NO_WORDS, frozenset(), talks=False)
    plot = _Plot(story)
    for _ in range(events):
        plot.step()
    return story.text()


def entity_words() -> Mapping[str, tuple[str, ...]]:
    """The words for what short stories are about, by kind; those of ``girl``, ``boy`` and ``pet`` are names."""
    return {
        "girl": lexicon.GIRLS,
        "boy": lexicon.BOYS,
        "pet": lexicon.PETS,
        "thing": lexicon.THINGS,
        "food": _FOODS,
        "place": tuple(lexicon.PLACES),
        "spot": lexicon.SPOTS,
    }


class _Plot:
    """What may happen next, and who has what."""

    def __init__(self, story: Realizer) -> None:
        self._story = story
        self._cast = [story.new_being(young=True) for _ in range(_CAST)]
        self._owned: list[tuple[Being, Thing]] = []
        self._broken: list[Thing] = []

    def step(self) -> None:
        """One of the things that can happen now; with an owned thing, most often something is done with it."""
        always: list[Callable[[], None]] = [self._find, self._find, self._go, self._want, self._eat]
        owned: list[Callable[[], None]] = [self._give, self._give, self._give, self._lose, self._hide, self._break]
        possible = always + (owned if self._owned else []) + ([self._fix] * 3 if self._broken else [])
        self._story.rng.choice(possible)()

    def _someone(self, *, other_than: Being | None = None) -> Being:
        return self._story.rng.choice([being for being in self._cast if being != other_than])

    def _take_owned(self) -> tuple[Being, Thing]:
        return self._owned.pop(self._story.rng.randrange(len(self._owned)))

    def _place(self) -> dict[str, str]:
        place = self._story.draw(tuple(lexicon.PLACES))
        return {"p": place, "at": lexicon.PLACES[place]}

    def _find(self) -> None:
        being, thing = self._someone(), self._story.new_thing()
        self._story.event("find", a=being, x=thing, s=self._story.draw(lexicon.SPOTS))
        self._owned.append((being, thing))

    def _go(self) -> None:
        self._story.event("go", a=self._someone(), **self._place())

    def _want(self) -> None:
        self._story.event("want", a=self._someone(), x=self._story.new_thing())

    def _eat(self) -> None:
        food = f"{self._story.pick(lexicon.TASTES)} {self._story.draw(_FOODS)}"
        self._story.event("eat", a=self._someone(), o=lexicon.article(food))

    def _give(self) -> None:
        giver, thing = self._take_owned()
        receiver = self._someone(other_than=giver)
        self._story.event("give", a=giver, b=receiver, t=thing)
        self._owned.append((receiver, thing))

    def _lose(self) -> None:
        being, thing = self._take_owned()
        self._story.event("lose", a=being, t=thing, **self._place())

    def _hide(self) -> None:
        being, thing = self._take_owned()
        self._story.event("hide", a=being, t=thing, s=self._story.draw(lexicon.SPOTS))

    def _break(self) -> None:
        being, thing = self._take_owned()
        self._story.event("break", a=being, t=thing)
        self._broken.append(thing)

    def _fix(self) -> None:
        thing = self._broken.pop()
        being = self._someone()
        self._story.event("fix", a=being, t=thing)
        self._owned.append((being, thing))
