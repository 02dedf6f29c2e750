"""Plots between friends: one toy for two, a gift, a thing that breaks, somebody who is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.realizer import Realizer
    from shoal.corpora.grammar.world import Being, Thing


def plot_one_toy(story: Realizer) -> str:
    """Two want the same thing, fight about it, and find a way."""
    hero, key = story.hero, story.key
    other = beats.friend(story)
    where = beats.place(story)
    story.event("go_with", a=hero, b=other, **where)
    beats.act(story, hero, other)
    story.event("find", a=hero, x=key, s=beats.spot(story))
    story.event("take", a=other, b=hero, t=key)
    beats.feel(story, hero, lexicon.SAD)
    if story.chance(0.7):
        story.event("quarrel", a=hero, b=other)
    story.paragraph()
    if story.chance(0.4):
        parent = story.new_parent()
        story.event("ask_help", a=hero, b=parent)
        story.event("help", a=parent, b=hero)
    beats.feel(story, other, lexicon.SAD)
    story.event("sorry", a=other, b=hero)
    story.event("give", a=other, b=hero, t=key)
    story.event("share", a=hero, b=other, t=key)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("share with friends", "take turns", "say sorry", "be fair"))


def plot_gift(story: Realizer) -> str:
    """The hero wants to give somebody a present, gets it, hides it, and gives it."""
    hero, key = story.hero, story.key
    other = beats.friend(story)
    beats.feel(story, other, lexicon.SAD)
    story.event("want", a=other, x=key)
    beats.go(story, hero)
    beats.obtain(story, hero, key)
    story.paragraph()
    if story.chance(0.6):
        story.event("hide", a=hero, t=key, s=beats.spot(story))
    beats.act(story, hero, other)
    story.event("give", a=hero, b=other, t=key)
    story.event("glad_for", a=other, f=story.pick(lexicon.GLAD), t=key)
    story.event("thank", a=other, b=hero)
    if story.chance(0.4):
        back = story.new_thing()
        story.event("have", a=other, x=back)
        story.event("give", a=other, b=hero, t=back)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("give to others", "make others happy", "think of your friends"))


def plot_breakage(story: Realizer) -> str:
    """The hero breaks a thing of somebody else, hides it or tells the truth, and it is mended."""
    hero, key = story.hero, story.key
    owner = story.new_parent() if story.chance(0.5) else beats.friend(story)
    story.event("have", a=owner, x=key)
    story.event("take", a=hero, b=owner, t=key)
    beats.act(story, hero)
    beats.damage(story, hero, key)
    beats.feel(story, hero, lexicon.UNSURE)
    story.paragraph()
    if story.chance(0.5):
        story.event("hide", a=hero, t=key, s=beats.spot(story))
        story.event("find_again", a=owner, t=key, s=beats.spot(story))
    beats.mourn(story, owner, key)
    if story.chance(0.5):
        story.event("quarrel", a=owner, b=hero)
    story.event("sorry", a=hero, b=owner)
    if story.chance(0.5):
        helper = beats.meet(story, hero)
        story.event("ask_help", a=hero, b=helper)
        story.event("fix", a=helper, t=key)
    else:
        story.event("fix", a=hero, t=key)
    story.event("give", a=hero, b=owner, t=key)
    beats.feel(story, owner, lexicon.GLAD)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("tell the truth", "say sorry", "be careful", "ask before you take something"))


def plot_loneliness(story: Realizer) -> str:
    """The hero is alone, meets somebody, and they become friends over a thing."""
    hero, key = story.hero, story.key
    story.event("have", a=hero, x=key)
    beats.feel(story, hero, ("lonely", "sad"))
    where = beats.go(story, hero)
    other = beats.meet(story, hero, young=True)
    beats.feel(story, other, lexicon.UNSURE)
    if story.chance(0.5):
        story.event("lose", a=other, t=_owned(story, other), **where)
        beats.feel(story, other, lexicon.SAD)
    story.event("share", a=hero, b=other, t=key)
    story.paragraph()
    beats.act(story, hero, other)
    if story.chance(0.5):
        beats.act(story, other, hero)
    story.event("give", a=hero, b=other, t=key)
    story.event("glad_for", a=other, f=story.pick(lexicon.GLAD), t=key)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("make new friends", "say hello", "be kind to others"))


def _owned(story: Realizer, owner: Being) -> Thing:
    thing = story.new_thing()
    story.event("have", a=owner, x=thing)
    return thing
