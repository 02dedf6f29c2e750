"""Beats that plots share: meeting somebody, going somewhere, getting a thing, which may be a story of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon

if TYPE_CHECKING:
    from shoal.corpora.grammar.telling import Teller
    from shoal.corpora.grammar.world import Being, Thing

_DEEPEST = 2
"""How many stories may stand inside each other on the way to a thing."""


def place(teller: Teller) -> dict[str, str]:
    """A place where the story has not been yet."""
    name = teller.draw(tuple(lexicon.PLACES))
    return {"p": name, "at": lexicon.PLACES[name]}


def spot(teller: Teller) -> str:
    """Words for a spot that the story has not named yet."""
    return teller.draw(lexicon.SPOTS)


def meet(teller: Teller, who: Being, *, young: bool = False) -> Being:
    """Somebody new comes into the story."""
    other = teller.new_being(young=young)
    if other.trait:
        teller.say("meet", a=who, b=other, r=other.trait, k=other.kind)
    return other


def friend(teller: Teller) -> Being:
    """The hero's friend, who is introduced when first called for."""
    if teller.friend is None:
        teller.friend = teller.new_being(young=True)
        teller.say("friend", a=teller.hero, b=teller.friend, r=teller.friend.trait, k=teller.friend.kind)
    return teller.friend


def act(teller: Teller, who: Being, other: Being | None = None) -> None:
    """Somebody does something, alone or with another."""
    verb = teller.pick(tuple(lexicon.VERBS))
    if other is None:
        teller.say("do", a=who, v=verb, d=lexicon.VERBS[verb])
    else:
        teller.say("do_with", a=who, b=other, v=verb, d=lexicon.VERBS[verb])
        if teller.chance(0.3):
            moment(teller, other)


def feel(teller: Teller, who: Being, feelings: tuple[str, ...]) -> None:
    """Somebody feels something, and may show it."""
    feeling = teller.pick(feelings)
    teller.say("feel", a=who, f=feeling)
    if teller.chance(0.3):
        shown = "cheer" if feeling in lexicon.GLAD else "droop" if feeling in lexicon.SAD else "gesture"
        teller.say(shown, a=who)


def damage(teller: Teller, who: Being, thing: Thing) -> None:
    """Somebody breaks a hard thing, or tears a soft one."""
    teller.say("break" if thing.noun in lexicon.HARD else "tear", a=who, t=thing)


def mourn(teller: Teller, who: Being, thing: Thing) -> None:
    """Somebody is sad about a damaged thing."""
    kind = "sad_broke" if thing.noun in lexicon.HARD else "sad_torn"
    teller.say(kind, a=who, f=teller.pick(lexicon.SAD), t=thing)


def glance(teller: Teller, who: Being) -> None:
    """Something to see on the way."""
    drawn = teller.rng.random()
    if drawn < 0.6:
        moment(teller, who)
    elif drawn < 0.72:
        teller.say("notice", a=who, c=teller.pick(lexicon.COLORS[:-4]), e=teller.pick(lexicon.COLORS))
    elif drawn < 0.88:
        teller.say("see", a=who, r=teller.pick(lexicon.TRAITS), k=teller.pick(lexicon.ANIMALS))
    else:
        food = f"{teller.pick(lexicon.TASTES)} {teller.draw(lexicon.FOODS)}"
        teller.say("eat", a=who, o=lexicon.article(food))


def moment(teller: Teller, who: Being) -> None:
    """A small moment that changes nothing."""
    drawn = teller.rng.random()
    if drawn < 0.4:
        teller.say("sight", a=who, n=teller.pick(lexicon.SIGHTS))
    elif drawn < 0.6:
        teller.say("sound", a=who, q=teller.pick(lexicon.SOUNDS), i=teller.pick(lexicon.SOURCES))
    elif drawn < 0.75:
        teller.say("game", a=who, j=teller.pick(lexicon.CALLINGS))
    elif drawn < 0.85:
        teller.say("body", a=who, w=teller.pick(lexicon.BODY))
    else:
        teller.say("favorite", a=who, c=teller.pick(lexicon.COLORS))


def go(teller: Teller, who: Being) -> dict[str, str]:
    """Somebody goes to a new place, and may see something there."""
    where = place(teller)
    teller.say("go", a=who, **where)
    if teller.chance(0.4):
        glance(teller, who)
    return where


def obtain(teller: Teller, who: Being, thing: Thing, depth: int = 0) -> None:
    """Somebody gets a thing: finds it, is given it, earns it, or swaps it for another that must be got first."""
    way = teller.rng.random()
    if way < 0.25 or depth == _DEEPEST:
        if teller.chance(0.5):
            go(teller, who)
        teller.say("find", a=who, x=thing, s=spot(teller))
        return
    other = meet(teller, who)
    teller.say("ask_for", a=who, b=other, x=thing)
    if way < 0.65:
        wanted = teller.new_thing()
        teller.say("price", a=other, x=wanted)
        obtain(teller, who, wanted, depth + 1)
        teller.say("swap", a=who, b=other, t=wanted, y=thing)
    else:
        if way < 0.85:
            teller.say("help", a=who, b=other)
            act(teller, who, other)
        teller.say("give", a=other, b=who, t=thing)
    if teller.chance(0.5):
        teller.say("thank", a=who, b=other)
