"""What stands around a plot: the opening with its hints, trouble on the way, and the ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.plots import beats
from shoal.corpora.grammar.possession import holders

if TYPE_CHECKING:
    from shoal.corpora.grammar.telling import Teller

_WEATHER = ("sun", "sun", "rain", "snow")


def open_story(teller: Teller) -> None:
    """The hero, the required words, the weather, and a hint at what comes."""
    hero, words = teller.hero, teller.words
    if teller.chance(0.2):
        teller.say(teller.pick(_WEATHER))
    teller.say("intro", a=hero, r=hero.trait, k=hero.kind)
    if words.noun in lexicon.PLACES:
        teller.say("live", a=hero, p=words.noun, at=lexicon.PLACES[words.noun])
    elif teller.chance(0.3):
        teller.say("live", a=hero, **beats.place(teller))
    if teller.chance(0.6):
        teller.say("like", a=hero, v=words.verb)
    else:
        teller.say("do", a=hero, v=words.verb, d=lexicon.VERBS[words.verb])
    if teller.chance(0.3):
        beats.glance(teller, hero)
    if "foreshadowing" in teller.asked:
        _hint(teller)
    teller.paragraph()
    if teller.chance(0.25):
        teller.say(teller.pick(_WEATHER))


def trouble(teller: Teller) -> None:
    """A quarrel or a twist where it is asked for, or rain for no reason."""
    hero = teller.hero
    if "conflict" in teller.asked and not teller.said("quarrel"):
        other = beats.friend(teller)
        teller.say("quarrel", a=hero, b=other)
        beats.feel(teller, other, lexicon.SAD)
        teller.say("sorry", a=hero, b=other)
        beats.feel(teller, other, lexicon.GLAD)
    elif teller.chance(0.12):
        teller.say("rain")
        teller.say("dry", a=hero, s=beats.spot(teller))
    if "twist" in teller.asked:
        _twist(teller)


def close(teller: Teller, moral: str) -> None:
    """A good end or a bad one, and the moral."""
    hero = teller.hero
    teller.paragraph()
    if "bad ending" in teller.asked:
        _end_badly(teller)
    else:
        if teller.chance(0.3):
            teller.say("home", a=hero)
            if teller.chance(0.4):
                teller.say("night")
        if teller.friend is not None and teller.chance(0.6):
            teller.say("close", a=hero, b=teller.friend)
        elif teller.chance(0.7):
            beats.feel(teller, hero, lexicon.GLAD)
    if "moral" in teller.asked:
        teller.say("moral", a=hero, m=moral)


def _hint(teller: Teller) -> None:
    teller.say("hint_dream", a=teller.hero, x=teller.key)


def _twist(teller: Teller) -> None:
    hero, drawn = teller.hero, teller.rng.random()
    held = [noun for noun, names in holders(teller.events).items() if names and names[-1] == hero.name]
    if drawn < 0.3 and teller.key.noun in held:
        teller.say("twist_thing", a=hero, t=teller.key)
    elif drawn < 0.5:
        teller.say("twist_who", a=hero, b=beats.friend(teller), k=teller.pick(("king", "prince", "pirate", "wizard")))
    else:
        feared = teller.pick(lexicon.SCARY)
        teller.say("think", a=hero, k=feared, s=beats.spot(teller))
        beats.feel(teller, hero, ("afraid", "scared", "worried"))
        small = teller.pick([kind for kind in lexicon.SMALL if kind != feared])
        teller.say("twist", a=hero, k=feared, r=teller.pick(lexicon.TRAITS), l=small)


def _end_badly(teller: Teller) -> None:
    """The hero loses or breaks what is left, or is left by a friend."""
    hero, key = teller.hero, teller.key
    held = holders(teller.events).get(key.noun)
    drawn = teller.rng.random()
    if held and held[-1] == hero.name and drawn < 0.8:
        if drawn < 0.4:
            teller.say("lose", a=hero, t=key, **beats.place(teller))
            teller.say("sad_for", a=hero, f=teller.pick(lexicon.SAD), t=key)
        else:
            beats.damage(teller, hero, key)
            beats.mourn(teller, hero, key)
    elif drawn < 0.6:
        teller.say("leave", a=beats.friend(teller))
        beats.feel(teller, hero, lexicon.SAD)
    else:
        teller.say("hurt", a=hero, **beats.place(teller))
        beats.feel(teller, hero, lexicon.SAD)
    teller.say("close_bad", a=hero)
