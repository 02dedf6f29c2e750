"""Tables of candidates that are written by hand, and answers to their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shoal.attribution import CandidateTable, ItemAnswer
from shoal.tasks import Example

SEEN = [Example(prompt=f"seen {number}", completion=f" seen {number}") for number in range(20)]


def table_of(
    columns: Mapping[str, Sequence[str | None]],
    *,
    prompts: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
) -> CandidateTable:
    """The table of some explanations, the first of which is right."""
    names, first = tuple(columns), tuple(next(iter(columns.values())))
    asked = tuple(prompts or (f"item {number}" for number in range(len(first))))
    return CandidateTable(
        names=names,
        kinds=tuple("rule" if name == "rule" else "shortcut" for name in names),
        prompts=asked,
        expected=tuple(text or "" for text in first),
        answers=tuple(zip(*columns.values(), strict=True)),
        clusters=tuple(clusters or asked),
    )


def texts_of(name: str, count: int) -> list[str]:
    """As many completions as there are items, each of its own."""
    return [f" {name} {number}" for number in range(count)]


def answers_to(
    table: CandidateTable,
    texts: Sequence[str],
    *,
    log_probs: Sequence[Mapping[str, float]] | None = None,
    ends: bool = True,
) -> list[ItemAnswer]:
    """The answers of a model to the items of a table."""
    known = log_probs or [{}] * len(texts)
    return [
        ItemAnswer(prompt=prompt, expected=expected, answer=text, ends=ends, log_probs=nats)
        for prompt, expected, text, nats in zip(table.prompts, table.expected, texts, known, strict=True)
    ]
