"""Plots with danger in them: somebody stuck, a forbidden place, a fear, a race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.realizer import Realizer


def plot_rescue(story: Realizer) -> str:
    """Somebody is stuck; the hero must get a tool to free them."""
    hero, tool = story.hero, story.key
    beats.go(story, hero)
    other = beats.meet(story, hero, young=True)
    story.event("stuck", a=other, s=beats.spot(story))
    beats.feel(story, other, ("afraid", "scared", "sad"))
    story.event("want", a=hero, x=tool)
    story.paragraph()
    beats.obtain(story, hero, tool, depth=1)
    story.event("free", a=hero, b=other, t=tool)
    story.event("thank", a=other, b=hero)
    if story.chance(0.5):
        present = story.new_thing()
        story.event("have", a=other, x=present)
        story.event("give", a=other, b=hero, t=present)
    beats.feel(story, other, lexicon.GLAD)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("help those who need it", "be brave", "help each other"))


def plot_forbidden(story: Realizer) -> str:
    """The hero goes where a grown-up said not to go, comes to harm, and loses a thing there."""
    hero, key = story.hero, story.key
    parent = story.new_parent()
    where = beats.place(story)
    story.event("have", a=hero, x=key)
    story.event("warn", a=hero, b=parent, **where)
    beats.feel(story, hero, ("curious", "cross", "sad"))
    story.event("go", a=hero, **where)
    beats.act(story, hero)
    story.event("hurt", a=hero, **where)
    story.event("lose", a=hero, t=key, **where)
    beats.feel(story, hero, ("scared", "afraid", "sorry", "sad"))
    story.paragraph()
    helper = beats.meet(story, hero) if story.chance(0.5) else parent
    story.event("help", a=helper, b=hero)
    if story.chance(0.6):
        story.event("find_again", a=helper, t=key, s=beats.spot(story))
        story.event("give", a=helper, b=hero, t=key)
    story.event("sorry", a=hero, b=parent)
    beats.feel(story, hero, lexicon.GLAD)
    return story.pick(("listen to Mom and Dad", "be careful", "stay where it is safe"))


def plot_fear(story: Realizer) -> str:
    """The hero is afraid to do something, and dares with the help of a friend."""
    hero, key = story.hero, story.key
    other = beats.friend(story)
    verb = story.pick(tuple(lexicon.VERBS))
    story.event("go_with", a=hero, b=other, **beats.place(story))
    story.event("afraid", a=hero, v=verb)
    beats.feel(story, hero, lexicon.UNSURE)
    story.event("do", a=other, v=verb, d=lexicon.VERBS[verb])
    if story.chance(0.5):
        beats.glance(story, hero)
    story.event("ask_help", a=hero, b=other)
    story.paragraph()
    story.event("have", a=other, x=key)
    story.event("give", a=other, b=hero, t=key)
    if story.chance(0.5):
        story.event("glad_for", a=hero, f="calm", t=key)
    story.event("brave", a=hero, b=other, v=verb, d=lexicon.VERBS[verb])
    beats.feel(story, hero, lexicon.GLAD)
    if story.chance(0.5):
        story.event("thank", a=hero, b=other)
    return story.pick(("be brave", "try new things", "believe in yourself"))


def plot_race(story: Realizer) -> str:
    """Two run a race for a thing; who trains wins it."""
    hero, key = story.hero, story.key
    other = beats.friend(story)
    first, second = (hero, other) if story.chance(0.6) else (other, hero)
    giver = beats.meet(story, hero)
    story.event("have", a=giver, x=key)
    story.event("race", a=hero, b=other, **beats.place(story))
    beats.feel(story, hero, (*lexicon.UNSURE, "excited"))
    for _ in range(story.rng.randrange(1, 3)):
        beats.act(story, first)
    if story.chance(0.5):
        story.event("take", a=second, b=giver, t=key)
        story.event("quarrel", a=first, b=second)
        story.event("give", a=second, b=giver, t=key)
    story.paragraph()
    story.event("win", a=first, b=second)
    story.event("give", a=giver, b=first, t=key)
    story.event("glad_for", a=first, f=story.pick(lexicon.GLAD), t=key)
    beats.feel(story, second, lexicon.SAD)
    story.event("share", a=first, b=second, t=key)
    beats.feel(story, second, lexicon.GLAD)
    return story.pick(("never give up", "play fair", "be a good friend"))
