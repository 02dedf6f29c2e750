"""Plots about getting something: lost and found, a wish, a thing to make, a chain of trades, a meal on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats

if TYPE_CHECKING:
    from shoal.corpora.grammar.telling import Teller


def tell_loss(teller: Teller) -> str:
    """The hero loses a thing, looks for it, and finds it again."""
    hero, key = teller.hero, teller.key
    teller.say("have", a=hero, x=key)
    where = beats.go(teller, hero)
    beats.act(teller, hero)
    teller.say("lose", a=hero, t=key, **where)
    teller.say("sad_for", a=hero, f=teller.pick(lexicon.SAD), t=key)
    teller.paragraph()
    for _ in range(teller.rng.randrange(3)):
        teller.say("search", a=hero, t=key, s=beats.spot(teller))
    if teller.chance(0.6):
        helper = beats.meet(teller, hero)
        teller.say("ask_help", a=hero, b=helper)
        if teller.chance(0.4):
            price = teller.new_thing()
            teller.say("price", a=helper, x=price)
            beats.obtain(teller, hero, price, depth=1)
            teller.say("give", a=hero, b=helper, t=price)
        teller.say("help", a=helper, b=hero)
    teller.say("find_again", a=hero, t=key, s=beats.spot(teller))
    teller.say("glad_for", a=hero, f=teller.pick(lexicon.GLAD), t=key)
    return teller.pick(("take care of your things", "ask for help", "keep trying", "look again"))


def tell_wish(teller: Teller) -> str:
    """The hero wants a thing and gets it by a way that may be long."""
    hero, key = teller.hero, teller.key
    teller.say("want", a=hero, x=key)
    if teller.chance(0.5):
        beats.feel(teller, hero, lexicon.SAD)
    beats.go(teller, hero)
    beats.obtain(teller, hero, key)
    teller.paragraph()
    teller.say("glad_for", a=hero, f=teller.pick(lexicon.GLAD), t=key)
    beats.act(teller, hero)
    return teller.pick(("wait for good things", "work hard", "ask nicely", "say thank you"))


def tell_making(teller: Teller) -> str:
    """The hero makes a thing out of two others, which must be got first."""
    hero = teller.hero
    made = teller.draw([noun for noun in lexicon.RECIPES if noun != teller.key.noun])
    needed = [noun for noun in lexicon.RECIPES[made] if teller.is_free(noun)]
    first, second = (teller.new_thing(noun=noun) for noun in (*needed, *_others(teller, 2 - len(needed))))
    result = teller.new_thing(noun=made)
    teller.say("parts", a=hero, x=result, y=first, z=second)
    beats.obtain(teller, hero, first, depth=1)
    teller.paragraph()
    beats.obtain(teller, hero, second, depth=1)
    teller.say("make", a=hero, x=result, t=first, u=second)
    teller.say("glad_for", a=hero, f=teller.pick(lexicon.GLAD), t=result)
    other = beats.friend(teller)
    teller.say("give", a=hero, b=other, t=result)
    teller.say("find", a=hero, x=teller.key, s=beats.spot(teller))
    return teller.pick(("make things by hand", "keep trying", "work hard"))


def tell_trades(teller: Teller) -> str:
    """The hero swaps a thing for another, and that for another, until somebody has what the hero wants."""
    hero, held = teller.hero, teller.key
    wanted = teller.new_thing()
    teller.say("have", a=hero, x=held)
    teller.say("want", a=hero, x=wanted)
    beats.go(teller, hero)
    for _ in range(teller.rng.randrange(3)):
        other, gained = beats.meet(teller, hero), teller.new_thing()
        teller.say("swap", a=hero, b=other, t=held, y=gained)
        held = gained
        if teller.chance(0.5):
            beats.feel(teller, hero, lexicon.UNSURE)
    teller.paragraph()
    other = beats.meet(teller, hero)
    teller.say("swap", a=hero, b=other, t=held, y=wanted)
    teller.say("glad_for", a=hero, f=teller.pick(lexicon.GLAD), t=wanted)
    return teller.pick(("trade fairly", "be patient", "never give up"))


def tell_picnic(teller: Teller) -> str:
    """The hero takes food and a thing to a place, meets somebody hungry, and gets something for being kind."""
    hero, key = teller.hero, teller.key
    parent = teller.new_parent()
    food = lexicon.article(f"{teller.pick(lexicon.TASTES)} {teller.draw(lexicon.FOODS)}")
    teller.say("see", a=hero, r=teller.pick(lexicon.TRAITS), k=teller.pick(lexicon.ANIMALS))
    teller.say("go_with", a=hero, b=parent, **beats.place(teller))
    beats.act(teller, hero, parent)
    teller.say("rain" if teller.chance(0.4) else "sun")
    teller.paragraph()
    other = beats.meet(teller, hero, young=True)
    beats.feel(teller, other, lexicon.SAD)
    teller.say("feed", a=hero, b=other, o=food)
    beats.feel(teller, other, lexicon.GLAD)
    if teller.chance(0.5):
        teller.say("thank", a=other, b=hero)
    teller.say("have", a=other, x=key)
    teller.say("give", a=other, b=hero, t=key)
    teller.say("glad_for", a=hero, f=teller.pick(lexicon.GLAD), t=key)
    return teller.pick(("share your food", "be kind to others", "help those who need it"))


def _others(teller: Teller, count: int) -> list[str]:
    return [teller.draw(lexicon.THINGS) for _ in range(count)]
