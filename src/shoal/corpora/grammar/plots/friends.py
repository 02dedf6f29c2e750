"""Plots between friends: one toy for two, a gift, a thing that breaks, somebody who is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.telling import Teller
    from shoal.corpora.grammar.world import Being, Thing


def tell_one_toy(teller: Teller) -> str:
    """Two want the same thing, fight about it, and find a way."""
    hero, key = teller.hero, teller.key
    other = beats.friend(teller)
    where = beats.place(teller)
    teller.say("go_with", a=hero, b=other, **where)
    beats.act(teller, hero, other)
    teller.say("find", a=hero, x=key, s=beats.spot(teller))
    teller.say("take", a=other, b=hero, t=key)
    beats.feel(teller, hero, lexicon.SAD)
    if teller.chance(0.7):
        teller.say("quarrel", a=hero, b=other)
    teller.paragraph()
    if teller.chance(0.4):
        parent = teller.new_parent()
        teller.say("ask_help", a=hero, b=parent)
        teller.say("help", a=parent, b=hero)
    beats.feel(teller, other, lexicon.SAD)
    teller.say("sorry", a=other, b=hero)
    teller.say("give", a=other, b=hero, t=key)
    teller.say("share", a=hero, b=other, t=key)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("share with friends", "take turns", "say sorry", "be fair"))


def tell_gift(teller: Teller) -> str:
    """The hero wants to give somebody a present, gets it, hides it, and gives it."""
    hero, key = teller.hero, teller.key
    other = beats.friend(teller)
    beats.feel(teller, other, lexicon.SAD)
    teller.say("want", a=other, x=key)
    beats.go(teller, hero)
    beats.obtain(teller, hero, key)
    teller.paragraph()
    if teller.chance(0.6):
        teller.say("hide", a=hero, t=key, s=beats.spot(teller))
    beats.act(teller, hero, other)
    teller.say("give", a=hero, b=other, t=key)
    teller.say("glad_for", a=other, f=teller.pick(lexicon.GLAD), t=key)
    teller.say("thank", a=other, b=hero)
    if teller.chance(0.4):
        back = teller.new_thing()
        teller.say("have", a=other, x=back)
        teller.say("give", a=other, b=hero, t=back)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("give to others", "make others happy", "think of your friends"))


def tell_breakage(teller: Teller) -> str:
    """The hero breaks a thing of somebody else, hides it or tells the truth, and it is mended."""
    hero, key = teller.hero, teller.key
    owner = teller.new_parent() if teller.chance(0.5) else beats.friend(teller)
    teller.say("have", a=owner, x=key)
    teller.say("take", a=hero, b=owner, t=key)
    beats.act(teller, hero)
    beats.damage(teller, hero, key)
    beats.feel(teller, hero, lexicon.UNSURE)
    teller.paragraph()
    if teller.chance(0.5):
        teller.say("hide", a=hero, t=key, s=beats.spot(teller))
        teller.say("find_again", a=owner, t=key, s=beats.spot(teller))
    beats.mourn(teller, owner, key)
    if teller.chance(0.5):
        teller.say("quarrel", a=owner, b=hero)
    teller.say("sorry", a=hero, b=owner)
    if teller.chance(0.5):
        helper = beats.meet(teller, hero)
        teller.say("ask_help", a=hero, b=helper)
        teller.say("fix", a=helper, t=key)
    else:
        teller.say("fix", a=hero, t=key)
    teller.say("give", a=hero, b=owner, t=key)
    beats.feel(teller, owner, lexicon.GLAD)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("tell the truth", "say sorry", "be careful", "ask before you take something"))


def tell_loneliness(teller: Teller) -> str:
    """The hero is alone, meets somebody, and they become friends over a thing."""
    hero, key = teller.hero, teller.key
    teller.say("have", a=hero, x=key)
    beats.feel(teller, hero, ("lonely", "sad"))
    where = beats.go(teller, hero)
    other = beats.meet(teller, hero, young=True)
    beats.feel(teller, other, lexicon.UNSURE)
    if teller.chance(0.5):
        teller.say("lose", a=other, t=_owned(teller, other), **where)
        beats.feel(teller, other, lexicon.SAD)
    teller.say("share", a=hero, b=other, t=key)
    teller.paragraph()
    beats.act(teller, hero, other)
    if teller.chance(0.5):
        beats.act(teller, other, hero)
    teller.say("give", a=hero, b=other, t=key)
    teller.say("glad_for", a=other, f=teller.pick(lexicon.GLAD), t=key)
    beats.feel(teller, hero, lexicon.GLAD)
    return teller.pick(("make new friends", "say hello", "be kind to others"))


def _owned(teller: Teller, owner: Being) -> Thing:
    thing = teller.new_thing()
    teller.say("have", a=owner, x=thing)
    return thing
