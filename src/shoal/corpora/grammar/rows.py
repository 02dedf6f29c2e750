"""Stories as rows for a file: the text, what was asked for, and on request the plot facts with their questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.corpora.grammar.instructions import instruct, summarize
from shoal.corpora.grammar.questions import ask_questions

if TYPE_CHECKING:
    from shoal.corpora.grammar.world import Story


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
