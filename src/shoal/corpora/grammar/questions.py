"""Questions about the plot of a story, and the program that answers them from the text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.corpora.grammar.lexicon import article
from shoal.corpora.grammar.parser import read_events
from shoal.corpora.grammar.world import holders
from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shoal.corpora.grammar.world import Event

NOBODY = "nobody"
"""The answer where a thing was lost."""

_Template = tuple[str, str, str]
"""The kind of a question, the question and its answer, with the slots of an event in braces."""


def _introduced(slot: str) -> tuple[_Template, ...]:
    return ("who", f"What is {{{slot}}}?", "{a_k}"), ("how", f"What is {{{slot}}} like?", "{r}")


_ABOUT_BEINGS: dict[str, tuple[_Template, ...]] = {
    "intro": _introduced("a"),
    "friend": _introduced("b"),
    "meet": _introduced("b"),
    "live": (("where", "Where does {a} live?", "the {p}"),),
    "favorite": (("what", "What is {a}'s favorite color?", "{c}"),),
    "win": (("who", "Who won the race?", "{a}"),),
    "stuck": (("where", "Where was {a} stuck?", "{s}"),),
    "twist": (("what", "What was the {k} really?", "a {r} {l}"),),
}
"""By kind of event; ``{a_k}`` is the slot ``k`` with its article."""

_ABOUT_THINGS: dict[str, tuple[_Template, ...]] = {
    "want": (("what", "What did {a} want?", "{a_noun_x}"),),
    "find": (("where", "Where did {a} find the {noun_x}?", "{s}"),),
    "find_again": (("where", "Where did {a} find the {t}?", "{s}"),),
    "lose": (("where", "Where did {a} lose the {t}?", "the {p}"),),
    "hide": (("where", "Where did {a} hide the {t}?", "{s}"),),
    "give": (("what", "What did {a} give to {b}?", "the {t}"), ("who", "Who gave the {t} to {b}?", "{a}")),
    "swap": (("what", "What did {a} get for the {t}?", "the {noun_y}"),),
    "break": (("who", "Who broke the {t}?", "{a}"),),
    "tear": (("who", "Who tore the {t}?", "{a}"),),
    "fix": (("who", "Who fixed the {t}?", "{a}"),),
    "make": (("what", "What did {a} make?", "{a_noun_x}"),),
    "eat": (("what", "What did {a} eat?", "{o}"),),
    "feed": (("what", "What did {b} eat?", "{o}"),),
}
"""By kind of event; ``{noun_x}`` is the noun in the slot ``x`` without its look."""

_SAD_STATES = {"sad_for": "gone", "sad_broke": "broken", "sad_torn": "torn"}


class StoryQuestion(NamedTuple):
    """A question about a story, of one of the kinds who, where, what, how, why and order."""

    kind: str
    question: str
    answer: str


def ask_questions(events: Sequence[Event]) -> tuple[StoryQuestion, ...]:
    """The questions that a story answers, each with its one answer.

    A question to which the story gives two answers (somebody found two things) is left out.

    Args:
        events: the events of a story, in order.
    """
    answers: dict[tuple[str, str], set[str]] = {}  # a set, since one answer may be given by several events
    for part in (_of_beings, _of_things, _of_feelings, _of_possession):
        for kind, question, answer in part(events):
            answers.setdefault((kind, question), set()).add(answer)
    return tuple(
        StoryQuestion(kind, question, next(iter(given)))
        for (kind, question), given in answers.items()
        if len(given) == 1
    )


def answer_question(text: str, question: str) -> str:
    """The answer to a question about a story, from its text alone.

    Args:
        text: the story.
        question: one of the questions that `ask_questions` gives for it.

    Raises:
        DataError: the story does not answer this question, or is no story of the grammar.
    """
    for known in ask_questions(read_events(text)):
        if known.question == question:
            return known.answer
    raise DataError(f"the story does not answer {question!r}; ask one of the questions of ask_questions")


def _of_beings(events: Iterable[Event]) -> Iterator[StoryQuestion]:
    """Who they are, and where they live and go."""
    trips: dict[str, list[str]] = {}
    for event in events:
        yield from _fill(_ABOUT_BEINGS.get(event.kind, ()), event)
        if event.kind in ("go", "go_with"):
            trips.setdefault(event.slots["a"], []).append(event.slots["p"])
    for name, places in trips.items():
        yield StoryQuestion("where", f"Where did {name} go first?", f"the {places[0]}")
        yield StoryQuestion("where", f"Where did {name} go last?", f"the {places[-1]}")


def _of_things(events: Iterable[Event]) -> Iterator[StoryQuestion]:
    """What happened with what."""
    for event in events:
        for slot in "xyz":
            if slot in event.slots:
                look, _, noun = event.slots[slot].rpartition(" ")
                yield StoryQuestion("how", f"What does the {noun} look like?", look)
        yield from _fill(_ABOUT_THINGS.get(event.kind, ()), event)


def _fill(templates: Iterable[_Template], event: Event) -> Iterator[StoryQuestion]:
    """The questions of an event, its slots in the place of their names."""
    values = _Values(event)
    for kind, question, answer in templates:
        yield StoryQuestion(kind, question.format_map(values), answer.format_map(values))


class _Values(dict[str, str]):
    """The slots of an event, and what is derived from them by the prefixes ``a_`` and ``noun_``."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.slots)

    def __missing__(self, name: str) -> str:
        prefix, _, slot = name.partition("_")
        if prefix == "a" and slot:
            return article(self[slot])
        if prefix == "noun":
            return self[slot].rpartition(" ")[2]
        if name == "a":  # a form may leave out who acts
            return ""
        raise KeyError(name)


def _of_feelings(events: Iterable[Event]) -> Iterator[StoryQuestion]:
    """How somebody felt at last, and why."""
    last: dict[str, str] = {}
    for kind, slots in events:
        if "f" not in slots:
            continue
        name, feeling = slots["a"], slots["f"]
        last[name] = feeling
        if kind in _SAD_STATES:
            yield StoryQuestion("why", f"Why was {name} {feeling}?", f"the {slots['t']} was {_SAD_STATES[kind]}")
        elif kind == "glad_for":
            yield StoryQuestion("why", f"Why was {name} {feeling}?", f"{name} had the {slots['t']}")
    for name, feeling in last.items():
        yield StoryQuestion("how", f"How did {name} feel at the end?", feeling)


def _of_possession(events: Iterable[Event]) -> Iterator[StoryQuestion]:
    """Who had what, first, last and in order."""
    for noun, names in holders(events).items():
        owners = [name or NOBODY for name in names]
        yield StoryQuestion("order", f"Who had the {noun} first?", owners[0])
        yield StoryQuestion("order", f"Who had the {noun} at the end?", owners[-1])
        yield StoryQuestion("order", f"Who had the {noun}, in order?", ", ".join(owners))
