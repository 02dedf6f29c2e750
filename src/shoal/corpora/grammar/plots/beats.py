"""What plots share: beats (meeting, going, getting a thing), the opening, the trouble and the ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.world import holders

if TYPE_CHECKING:
    from shoal.corpora.grammar.realizer import Realizer
    from shoal.corpora.grammar.world import Being, Thing

_MAX_DEPTH = 2
"""How many stories may stand inside each other on the way to a thing."""

_WEATHER = ("sun", "sun", "rain", "snow")


def place(story: Realizer) -> dict[str, str]:
    """A place where the story has not been yet."""
    name = story.draw(tuple(lexicon.PLACES))
    return {"p": name, "at": lexicon.PLACES[name]}


def spot(story: Realizer) -> str:
    """Words for a spot that the story has not named yet."""
    return story.draw(lexicon.SPOTS)


def meet(story: Realizer, who: Being, *, young: bool = False) -> Being:
    """Somebody new comes into the story.

    Args:
        story: the story, which gets the events.
        who: the one who meets somebody.
        young: the new one is a child or an animal.
    """
    other = story.new_being(young=young)
    if other.trait:
        story.event("meet", a=who, b=other, r=other.trait, k=other.kind)
    return other


def friend(story: Realizer) -> Being:
    """The hero's friend, who is introduced when first called for."""
    if story.friend is None:
        story.friend = story.new_being(young=True)
        story.event("friend", a=story.hero, b=story.friend, r=story.friend.trait, k=story.friend.kind)
    return story.friend


def act(story: Realizer, who: Being, other: Being | None = None) -> None:
    """Somebody does something, alone or with another.

    Args:
        story: the story, which gets the events.
        who: the one who acts.
        other: who acts with them; None is nobody.
    """
    verb = story.pick(tuple(lexicon.VERBS))
    if other is None:
        story.event("do", a=who, v=verb, d=lexicon.VERBS[verb])
    else:
        story.event("do_with", a=who, b=other, v=verb, d=lexicon.VERBS[verb])
        if story.chance(0.3):
            moment(story, other)


def feel(story: Realizer, who: Being, feelings: tuple[str, ...]) -> None:
    """Somebody feels something, and may show it.

    Args:
        story: the story, which gets the events.
        who: the one who feels.
        feelings: one of them is drawn.
    """
    feeling = story.pick(feelings)
    story.event("feel", a=who, f=feeling)
    if story.chance(0.3):
        shown = "cheer" if feeling in lexicon.GLAD else "droop" if feeling in lexicon.SAD else "gesture"
        story.event(shown, a=who)


def damage(story: Realizer, who: Being, thing: Thing) -> None:
    """Somebody breaks a hard thing, or tears a soft one.

    Args:
        story: the story, which gets the event.
        who: the one who does it.
        thing: what is damaged.
    """
    story.event("break" if thing.noun in lexicon.HARD else "tear", a=who, t=thing)


def mourn(story: Realizer, who: Being, thing: Thing) -> None:
    """Somebody is sad about a damaged thing.

    Args:
        story: the story, which gets the event.
        who: the one who is sad.
        thing: what was damaged.
    """
    kind = "sad_broke" if thing.noun in lexicon.HARD else "sad_torn"
    story.event(kind, a=who, f=story.pick(lexicon.SAD), t=thing)


def glance(story: Realizer, who: Being) -> None:
    """Something to see on the way."""
    drawn = story.rng.random()
    if drawn < 0.6:
        moment(story, who)
    elif drawn < 0.72:
        story.event("notice", a=who, c=story.pick(lexicon.COLORS[:-4]), e=story.pick(lexicon.COLORS))
    elif drawn < 0.88:
        story.event("see", a=who, r=story.pick(lexicon.TRAITS), k=story.pick(lexicon.ANIMALS))
    else:
        food = f"{story.pick(lexicon.TASTES)} {story.draw(lexicon.FOODS)}"
        story.event("eat", a=who, o=lexicon.article(food))


def moment(story: Realizer, who: Being) -> None:
    """A small moment that changes nothing."""
    drawn = story.rng.random()
    if drawn < 0.4:
        story.event("sight", a=who, n=story.pick(lexicon.SIGHTS))
    elif drawn < 0.6:
        story.event("sound", a=who, q=story.pick(lexicon.SOUNDS), i=story.pick(lexicon.SOURCES))
    elif drawn < 0.75:
        story.event("game", a=who, j=story.pick(lexicon.CALLINGS))
    elif drawn < 0.85:
        story.event("body", a=who, w=story.pick(lexicon.BODY))
    else:
        story.event("favorite", a=who, c=story.pick(lexicon.COLORS))


def go(story: Realizer, who: Being) -> dict[str, str]:
    """Somebody goes to a new place, and may see something there."""
    where = place(story)
    story.event("go", a=who, **where)
    if story.chance(0.4):
        glance(story, who)
    return where


def obtain(story: Realizer, who: Being, thing: Thing, depth: int = 0) -> None:
    """Somebody gets a thing: finds it, is given it, earns it, or swaps it for another that must be got first.

    Args:
        story: the story, which gets the events.
        who: the one who gets it.
        thing: what they get.
        depth: how many other things this one is on the way to.
    """
    way = story.rng.random()
    if way < 0.25 or depth == _MAX_DEPTH:
        if story.chance(0.5):
            go(story, who)
        story.event("find", a=who, x=thing, s=spot(story))
        return
    other = meet(story, who)
    story.event("ask_for", a=who, b=other, x=thing)
    if way < 0.65:
        wanted = story.new_thing()
        story.event("price", a=other, x=wanted)
        obtain(story, who, wanted, depth + 1)
        story.event("swap", a=who, b=other, t=wanted, y=thing)
    else:
        if way < 0.85:
            story.event("help", a=who, b=other)
            act(story, who, other)
        story.event("give", a=other, b=who, t=thing)
    if story.chance(0.5):
        story.event("thank", a=who, b=other)


def open_story(story: Realizer) -> None:
    """The hero, the required words, the weather, and a hint at what comes."""
    hero, words = story.hero, story.words
    if story.chance(0.2):
        story.event(story.pick(_WEATHER))
    story.event("intro", a=hero, r=hero.trait, k=hero.kind)
    if words.noun in lexicon.PLACES:
        story.event("live", a=hero, p=words.noun, at=lexicon.PLACES[words.noun])
    elif story.chance(0.3):
        story.event("live", a=hero, **place(story))
    if story.chance(0.6):
        story.event("like", a=hero, v=words.verb)
    else:
        story.event("do", a=hero, v=words.verb, d=lexicon.VERBS[words.verb])
    if story.chance(0.3):
        glance(story, hero)
    if "foreshadowing" in story.requested:
        _hint(story)
    story.paragraph()
    if story.chance(0.25):
        story.event(story.pick(_WEATHER))


def trouble(story: Realizer) -> None:
    """A quarrel or a twist where it is requested, or rain for no reason."""
    hero = story.hero
    if "conflict" in story.requested and not story.has_event("quarrel"):
        other = friend(story)
        story.event("quarrel", a=hero, b=other)
        feel(story, other, lexicon.SAD)
        story.event("sorry", a=hero, b=other)
        feel(story, other, lexicon.GLAD)
    elif story.chance(0.12):
        story.event("rain")
        story.event("dry", a=hero, s=spot(story))
    if "twist" in story.requested:
        _twist(story)


def close(story: Realizer, moral: str) -> None:
    """A good end or a bad one, and the moral.

    Args:
        story: the story, which gets the events.
        moral: of the plot; written where a moral is requested.
    """
    hero = story.hero
    story.paragraph()
    if "bad ending" in story.requested:
        _end_badly(story)
    else:
        if story.chance(0.3):
            story.event("home", a=hero)
            if story.chance(0.4):
                story.event("night")
        if story.friend is not None and story.chance(0.6):
            story.event("close", a=hero, b=story.friend)
        elif story.chance(0.7):
            feel(story, hero, lexicon.GLAD)
    if "moral" in story.requested:
        story.event("moral", a=hero, m=moral)


def _hint(story: Realizer) -> None:
    story.event("hint_dream", a=story.hero, x=story.key)


def _twist(story: Realizer) -> None:
    hero, drawn = story.hero, story.rng.random()
    held = [noun for noun, names in holders(story.events).items() if names and names[-1] == hero.name]
    if drawn < 0.3 and story.key.noun in held:
        story.event("twist_thing", a=hero, t=story.key)
    elif drawn < 0.5:
        story.event("twist_who", a=hero, b=friend(story), k=story.pick(("king", "prince", "pirate", "wizard")))
    else:
        feared = story.pick(lexicon.SCARY)
        story.event("think", a=hero, k=feared, s=spot(story))
        feel(story, hero, ("afraid", "scared", "worried"))
        small = story.pick([kind for kind in lexicon.SMALL if kind != feared])
        story.event("twist", a=hero, k=feared, r=story.pick(lexicon.TRAITS), l=small)


def _end_badly(story: Realizer) -> None:
    """The hero loses or breaks what is left, or is left by a friend."""
    hero, key = story.hero, story.key
    held = holders(story.events).get(key.noun)
    drawn = story.rng.random()
    if held and held[-1] == hero.name and drawn < 0.8:
        if drawn < 0.4:
            story.event("lose", a=hero, t=key, **place(story))
            story.event("sad_for", a=hero, f=story.pick(lexicon.SAD), t=key)
        else:
            damage(story, hero, key)
            mourn(story, hero, key)
    elif drawn < 0.6:
        story.event("leave", a=friend(story))
        feel(story, hero, lexicon.SAD)
    else:
        story.event("hurt", a=hero, **place(story))
        feel(story, hero, lexicon.SAD)
    story.event("close_bad", a=hero)
