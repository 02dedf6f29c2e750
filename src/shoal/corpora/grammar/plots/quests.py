"""Plots about getting something: lost and found, a wish, a thing to make, a chain of trades, a meal on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.realizer import Realizer


def plot_loss(story: Realizer) -> str:
    """The hero loses a thing, looks for it, and finds it again."""
    hero, key = story.hero, story.key
    story.event("have", a=hero, x=key)
    where = beats.go(story, hero)
    beats.act(story, hero)
    story.event("lose", a=hero, t=key, **where)
    story.event("sad_for", a=hero, f=story.pick(lexicon.SAD), t=key)
    story.paragraph()
    for _ in range(story.rng.randrange(3)):
        story.event("search", a=hero, t=key, s=beats.spot(story))
    if story.chance(0.6):
        helper = beats.meet(story, hero)
        story.event("ask_help", a=hero, b=helper)
        if story.chance(0.4):
            price = story.new_thing()
            story.event("price", a=helper, x=price)
            beats.obtain(story, hero, price, depth=1)
            story.event("give", a=hero, b=helper, t=price)
        story.event("help", a=helper, b=hero)
    story.event("find_again", a=hero, t=key, s=beats.spot(story))
    story.event("glad_for", a=hero, f=story.pick(lexicon.GLAD), t=key)
    return story.pick(("take care of your things", "ask for help", "keep trying", "look again"))


def plot_wish(story: Realizer) -> str:
    """The hero wants a thing and gets it by a way that may be long."""
    hero, key = story.hero, story.key
    story.event("want", a=hero, x=key)
    if story.chance(0.5):
        beats.feel(story, hero, lexicon.SAD)
    beats.go(story, hero)
    beats.obtain(story, hero, key)
    story.paragraph()
    story.event("glad_for", a=hero, f=story.pick(lexicon.GLAD), t=key)
    beats.act(story, hero)
    return story.pick(("wait for good things", "work hard", "ask nicely", "say thank you"))


def plot_making(story: Realizer) -> str:
    """The hero makes a thing out of two others, which must be got first."""
    hero = story.hero
    made = story.draw([noun for noun in lexicon.RECIPES if noun != story.key.noun])
    needed = [noun for noun in lexicon.RECIPES[made] if story.is_free(noun)]
    first, second = (story.new_thing(noun=noun) for noun in (*needed, *_others(story, 2 - len(needed))))
    result = story.new_thing(noun=made)
    story.event("parts", a=hero, x=result, y=first, z=second)
    beats.obtain(story, hero, first, depth=1)
    story.paragraph()
    beats.obtain(story, hero, second, depth=1)
    story.event("make", a=hero, x=result, t=first, u=second)
    story.event("glad_for", a=hero, f=story.pick(lexicon.GLAD), t=result)
    other = beats.friend(story)
    story.event("give", a=hero, b=other, t=result)
    story.event("find", a=hero, x=story.key, s=beats.spot(story))
    return story.pick(("make things by hand", "keep trying", "work hard"))


def plot_trades(story: Realizer) -> str:
    """The hero swaps a thing for another, and that for another, until somebody has what the hero wants."""
    hero, held = story.hero, story.key
    wanted = story.new_thing()
    story.event("have", a=hero, x=held)
    story.event("want", a=hero, x=wanted)
    beats.go(story, hero)
    for _ in range(story.rng.randrange(3)):
        other, gained = beats.meet(story, hero), story.new_thing()
        story.event("swap", a=hero, b=other, t=held, y=gained)
        held = gained
        if story.chance(0.5):
            beats.feel(story, hero, lexicon.UNSURE)
    story.paragraph()
    other = beats.meet(story, hero)
    story.event("swap", a=hero, b=other, t=held, y=wanted)
    story.event("glad_for", a=hero, f=story.pick(lexicon.GLAD), t=wanted)
    return story.pick(("trade fairly", "be patient", "never give up"))


def plot_picnic(story: Realizer) -> str:
    """The hero takes food and a thing to a place, meets somebody hungry, and gets something for being kind."""
    hero, key = story.hero, story.key
    parent = story.new_parent()
    food = lexicon.article(f"{story.pick(lexicon.TASTES)} {story.draw(lexicon.FOODS)}")
    story.event("see", a=hero, r=story.pick(lexicon.TRAITS), k=story.pick(lexicon.ANIMALS))
    story.event("go_with", a=hero, b=parent, **beats.place(story))
    beats.act(story, hero, parent)
    story.event("rain" if story.chance(0.4) else "sun")
    story.paragraph()
    other = beats.meet(story, hero, young=True)
    beats.feel(story, other, lexicon.SAD)
    story.event("feed", a=hero, b=other, o=food)
    beats.feel(story, other, lexicon.GLAD)
    if story.chance(0.5):
        story.event("thank", a=other, b=hero)
    story.event("have", a=other, x=key)
    story.event("give", a=other, b=hero, t=key)
    story.event("glad_for", a=hero, f=story.pick(lexicon.GLAD), t=key)
    return story.pick(("share your food", "be kind to others", "help those who need it"))


def _others(story: Realizer, count: int) -> list[str]:
    return [story.draw(lexicon.THINGS) for _ in range(count)]
