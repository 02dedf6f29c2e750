"""Plots with danger in them: somebody stuck, a forbidden place, a fear, a race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.telling import Teller


def tell_rescue(teller: Teller) -> str:
    """Somebody is stuck; the hero must get a tool to free them."""
    hero, tool = teller.hero, teller.key
    beats.go(teller, hero)
    other = beats.meet(teller, hero, young=True)
    teller.say("stuck", a=other, s=beats.spot(teller))
    beats.feel(teller, other, ("afraid", "scared", "sad"))
    teller.say("want", a=hero, x=tool)
    teller.paragraph()
    beats.obtain(teller, hero, tool, depth=1)
    teller.say("free", a=hero, b=other, t=tool)
    teller.say("thank", a=other, b=hero)
    if teller.chance(0.5):
        present = teller.new_thing()
        teller.say("have", a=other, x=present)
        teller.say("give", a=other, b=hero, t=present)
    beats.feel(teller, other, lexicon.GLAD)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("help those who need it", "be brave", "help each other"))


def tell_forbidden(teller: Teller) -> str:
    """The hero goes where a grown-up said not to go, comes to harm, and loses a thing there."""
    hero, key = teller.hero, teller.key
    parent = teller.new_parent()
    where = beats.place(teller)
    teller.say("have", a=hero, x=key)
    teller.say("warn", a=hero, b=parent, **where)
    beats.feel(teller, hero, ("curious", "cross", "sad"))
    teller.say("go", a=hero, **where)
    beats.act(teller, hero)
    teller.say("hurt", a=hero, **where)
    teller.say("lose", a=hero, t=key, **where)
    beats.feel(teller, hero, ("scared", "afraid", "sorry", "sad"))
    teller.paragraph()
    helper = beats.meet(teller, hero) if teller.chance(0.5) else parent
    teller.say("help", a=helper, b=hero)
    if teller.chance(0.6):
        teller.say("find_again", a=helper, t=key, s=beats.spot(teller))
        teller.say("give", a=helper, b=hero, t=key)
    teller.say("sorry", a=hero, b=parent)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("listen to Mom and Dad", "be careful", "stay where it is safe"))


def tell_fear(teller: Teller) -> str:
    """The hero is afraid to do something, and dares with the help of a friend."""
    hero, key = teller.hero, teller.key
    other = beats.friend(teller)
    verb = teller.pick(tuple(lexicon.VERBS))
    teller.say("go_with", a=hero, b=other, **beats.place(teller))
    teller.say("afraid", a=hero, v=verb)
    beats.feel(teller, hero, lexicon.UNSURE)
    teller.say("do", a=other, v=verb, d=lexicon.VERBS[verb])
    if teller.chance(0.5):
        beats.glance(teller, hero)
    teller.say("ask_help", a=hero, b=other)
    teller.paragraph()
    teller.say("have", a=other, x=key)
    teller.say("give", a=other, b=hero, t=key)
    if teller.chance(0.5):
        teller.say("glad_for", a=hero, f="calm", t=key)
    teller.say("brave", a=hero, b=other, v=verb, d=lexicon.VERBS[verb])
    beats.feel(teller, hero, lexicon.GLAD)
    if teller.chance(0.5):
        teller.say("thank", a=hero, b=other)
    return teller.pick(("be brave", "try new things", "believe in yourself"))


def tell_race(teller: Teller) -> str:
    """Two run a race for a thing; who trains wins it."""
    hero, key = teller.hero, teller.key
    other = beats.friend(teller)
    first, second = (hero, other) if teller.chance(0.6) else (other, hero)
    giver = beats.meet(teller, hero)
    teller.say("have", a=giver, x=key)
    teller.say("race", a=hero, b=other, **beats.place(teller))
    beats.feel(teller, hero, (*lexicon.UNSURE, "excited"))
    for _ in range(teller.rng.randrange(1, 3)):
        beats.act(teller, first)
    if teller.chance(0.5):
        teller.say("take", a=second, b=giver, t=key)
        teller.say("quarrel", a=first, b=second)
        teller.say("give", a=second, b=giver, t=key)
    teller.paragraph()
    teller.say("win", a=first, b=second)
    teller.say("give", a=giver, b=first, t=key)
    teller.say("glad_for", a=first, f=teller.pick(lexicon.GLAD), t=key)
    beats.feel(teller, second, lexicon.SAD)
    teller.say("share", a=first, b=second, t=key)
    beats.feel(teller, second, lexicon.GLAD)
    return teller.pick(("never give up", "play fair", "be a good friend"))
