"""Questions about the plot of a story, and the program that answers them from the text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.corpora.grammar.lexicon import article
from shoal.corpora.grammar.possession import holders
from shoal.corpora.grammar.reading import read_events
from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shoal.corpora.grammar.world import Event

NOBODY = "nobody"
"""The answer where a thing was lost."""

_SAD_STATES = {"sad_for": "gone", "sad_broke": "broken", "sad_torn": "torn"}


class Question(NamedTuple):
    """A question about a story, of one of the kinds who, where, what, how, why and order."""

    kind: str
    question: str
    answer: str


def ask_questions(events: Sequence[Event]) -> tuple[Question, ...]:
    """The questions that a story answers, each with its one answer.

    A question to which the story gives two answers (somebody found two things) is left out.
    """
    answers: dict[tuple[str, str], set[str]] = {}
    for part in (_of_beings, _of_things, _of_feelings, _of_possession):
        for kind, question, answer in part(events):
            answers.setdefault((kind, question), set()).add(answer)
    return tuple(
        Question(kind, question, next(iter(given))) for (kind, question), given in answers.items() if len(given) == 1
    )


def answer_question(text: str, question: str) -> str:
    """The answer to a question about a story, from its text alone.

    Raises:
        DataError: the story does not answer this question, or is no story of the grammar.
    """
    for known in ask_questions(read_events(text)):
        if known.question == question:
            return known.answer
    raise DataError(f"the story does not answer {question!r}; ask one of the questions of ask_questions")


def _of_beings(events: Iterable[Event]) -> Iterator[Question]:
    """Who they are, and where they live and go."""
    trips: dict[str, list[str]] = {}
    for kind, slots in events:
        if kind in ("intro", "friend", "meet"):
            name = slots["a" if kind == "intro" else "b"]
            yield Question("who", f"What is {name}?", article(slots["k"]))
            yield Question("how", f"What is {name} like?", slots["r"])
        elif kind == "live":
            yield Question("where", f"Where does {slots['a']} live?", f"the {slots['p']}")
        elif kind in ("go", "go_with"):
            trips.setdefault(slots["a"], []).append(slots["p"])
        elif kind == "favorite":
            yield Question("what", f"What is {slots['a']}'s favorite color?", slots["c"])
        elif kind == "win":
            yield Question("who", "Who won the race?", slots["a"])
        elif kind == "stuck":
            yield Question("where", f"Where was {slots['a']} stuck?", slots["s"])
        elif kind == "twist":
            yield Question("what", f"What was the {slots['k']} really?", f"a {slots['r']} {slots['l']}")
    for name, places in trips.items():
        yield Question("where", f"Where did {name} go first?", f"the {places[0]}")
        yield Question("where", f"Where did {name} go last?", f"the {places[-1]}")


def _of_things(events: Iterable[Event]) -> Iterator[Question]:
    """What happened with what."""
    for event in events:
        kind, slots = event
        name = slots.get("a", "")
        for slot in {"x", "y", "z"} & slots.keys():
            look, _, noun = slots[slot].rpartition(" ")
            yield Question("how", f"What does the {noun} look like?", look)
        if kind == "want":
            yield Question("what", f"What did {name} want?", article(event.noun("x") or ""))
        elif kind in ("find", "find_again"):
            found = event.noun("x") or event.noun("t")
            yield Question("where", f"Where did {name} find the {found}?", slots["s"])
        elif kind == "lose":
            yield Question("where", f"Where did {name} lose the {slots['t']}?", f"the {slots['p']}")
        elif kind == "hide":
            yield Question("where", f"Where did {name} hide the {slots['t']}?", slots["s"])
        elif kind == "give":
            yield Question("what", f"What did {name} give to {slots['b']}?", f"the {slots['t']}")
            yield Question("who", f"Who gave the {slots['t']} to {slots['b']}?", name)
        elif kind == "swap":
            yield Question("what", f"What did {name} get for the {slots['t']}?", f"the {event.noun('y')}")
        elif kind in ("break", "tear"):
            yield Question("who", f"Who {'broke' if kind == 'break' else 'tore'} the {slots['t']}?", name)
        elif kind == "fix":
            yield Question("who", f"Who fixed the {slots['t']}?", name)
        elif kind == "make":
            yield Question("what", f"What did {name} make?", article(event.noun("x") or ""))
        elif kind in ("eat", "feed"):
            yield Question("what", f"What did {slots.get('b', name)} eat?", slots["o"])


def _of_feelings(events: Iterable[Event]) -> Iterator[Question]:
    """How somebody felt at last, and why."""
    last: dict[str, str] = {}
    for kind, slots in events:
        if "f" not in slots:
            continue
        name, feeling = slots["a"], slots["f"]
        last[name] = feeling
        if kind in _SAD_STATES:
            yield Question("why", f"Why was {name} {feeling}?", f"the {slots['t']} was {_SAD_STATES[kind]}")
        elif kind == "glad_for":
            yield Question("why", f"Why was {name} {feeling}?", f"{name} had the {slots['t']}")
    for name, feeling in last.items():
        yield Question("how", f"How did {name} feel at the end?", feeling)


def _of_possession(events: Iterable[Event]) -> Iterator[Question]:
    """Who had what, first, last and in order."""
    for noun, names in holders(events).items():
        said = [name or NOBODY for name in names]
        yield Question("order", f"Who had the {noun} first?", said[0])
        yield Question("order", f"Who had the {noun} at the end?", said[-1])
        yield Question("order", f"Who had the {noun}, in order?", ", ".join(said))
