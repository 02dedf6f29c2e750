"""Stories as rows for a file: the text, also in the form of TinyStories-Instruct, and on request the plot facts.

TinyStories-Instruct puts what is requested, in any order, before the story. The parts are those of Eldan & Li 2023
(arXiv:2305.07759, section 3.1): words, features, a summary, a sentence of the story; a random part of them stands
before each story.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from shoal.corpora.grammar.lexicon import article
from shoal.corpora.grammar.questions import ask_questions
from shoal.wording import capital

if TYPE_CHECKING:
    from shoal.corpora.grammar.world import Event, Story

_CLAUSES = {
    "twist": "meets a {r} {l} that seemed to be {a_k}",
    "break": "breaks the {t}",
    "tear": "tears the {t}",
    "lose": "loses the {t}",
    "find_again": "finds the {t} again {s}",
    "make": "makes {x}",
    "swap": "swaps the {t} with {b}",
    "quarrel": "has a fight with {b}",
    "win": "wins a race against {b}",
    "free": "frees {b} with the {t}",
    "fix": "fixes the {t}",
    "feed": "gives food to {b}",
    "brave": "is brave at last",
    "hurt": "gets hurt",
    "find": "finds {x} {s}",
    "give": "gives the {t} to {b}",
    "leave": "goes away",
    "want": "wants {x}",
    "share": "shares the {t} with {b}",
}
_ORDER = tuple(_CLAUSES)
_MAX_CLAUSES = 3
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])|\n")


def story_row(story: Story, *, instructed: bool = False, facts: bool = False) -> dict[str, Any]:
    """The row of a story.

    Args:
        story: the story.
        instructed: give it the form of TinyStories-Instruct.
        facts: add the summary, the events and the questions with their answers.
    """
    words = story.words
    row: dict[str, Any] = {
        "text": instruct(story) if instructed else story.text,
        "words": [words.verb, words.noun, words.adjective],
        "features": list(story.features),
        "plot": story.plot,
        "seed": story.seed,
        "index": story.index,
    }
    if facts:
        row["summary"] = summarize(story)
        row["events"] = [{"kind": event.kind, "slots": event.slots} for event in story.events]
        row["questions"] = [question._asdict() for question in ask_questions(story.events)]
    return row


def row_schema(*, facts: bool = False) -> Any:
    """The columns of the rows as a ``pyarrow.Schema``."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    columns = {"text": text, "words": texts, "features": texts, "plot": text, "seed": pa.int64(), "index": pa.int64()}
    if facts:
        question = pa.struct({"kind": text, "question": text, "answer": text})
        event = pa.struct({"kind": text, "slots": pa.map_(text, text)})
        columns |= {"summary": text, "events": pa.list_(event), "questions": pa.list_(question)}
    return pa.schema(columns)


def summarize(story: Story) -> str:
    """Who the story is about and the few things that matter most in it, in their order."""
    intro = next(event.slots for event in story.events if event.kind == "intro")
    known = [(place, event) for place, event in enumerate(story.events) if event.kind in _CLAUSES]
    chosen = sorted(sorted(known, key=lambda pair: _ORDER.index(pair[1].kind))[:_MAX_CLAUSES], key=lambda pair: pair[0])
    clauses = list(dict.fromkeys(_clause(event, intro["a"]) for _, event in chosen))
    head = f"A {intro['r']} {intro['k']} named {intro['a']}"
    if not clauses:
        return f"{head} has a day like no other."
    first = clauses[0].removeprefix(f"{intro['a']} ")
    about = f"This is about {intro['a']}, {article(intro['k'])}. {clauses[0]}."
    opening = f"{head} {first}." if first != clauses[0] else about
    return " ".join([opening, *(f"{capital(clause)}." for clause in clauses[1:])])


def instruct(story: Story) -> str:
    """The story with a random part of what could be requested before it, drawn by the story's seed and index."""
    # A stream of its own, so that the story is the same with and without its instruction.
    rng = random.Random((story.seed << 48) + story.index + (1 << 47))
    words = story.words
    # Speech is left out: cut at a full stop inside quotation marks it would be half a sentence.
    sentences = [part for part in _SENTENCE_END.split(story.text) if '"' not in part]
    parts = {
        "Words": f"{words.verb}, {words.noun}, {words.adjective}",
        "Features": ", ".join(name.title().replace("Bad Ending", "BadEnding") for name in story.features),
        "Summary": summarize(story),
        "Random sentence": rng.choice(sentences) if sentences else "",
    }
    there = [name for name, value in parts.items() if value]
    chosen = rng.sample(there, rng.randint(1, len(there)))
    return "\n".join([*(f"{name}: {parts[name]}" for name in chosen), f"Story:\n\n{story.text}"])


def _clause(event: Event, hero: str) -> str:
    slots = {slot: event.slots.get(slot, "") for slot in "abtxskrl"}
    slots["x"] = article(slots["x"]) if slots["x"] else ""
    slots["a_k"] = article(slots["k"]) if slots["k"] else ""
    return f"{slots['a'] or hero} {_CLAUSES[event.kind].format_map(slots)}"
