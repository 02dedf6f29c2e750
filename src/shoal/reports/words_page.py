"""The words of a text as one HTML page: word by word, lemmas with their forms, and where stems and lemmas disagree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import (
    Section,
    TokenBox,
    TokenMeasure,
    document,
    table,
    token_data,
    token_script,
    token_style,
    token_view,
)
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.words import WordRow, WordTable

# Boxes with facts of their own; a page of more is slow to scroll.
_BOXES = 3000
_ROWS = 300
_LEMMAS = 100
# Examples of a disagreement, not a list to be read to its end.
_PAIRS = 40
_OPENING = 10


def words_page(found: WordTable) -> str:
    """A whole document that opens offline.

    Args:
        found: the words of a text.
    """
    boxes, measures = _boxes(found), _measures(found)
    sections = [
        Section("text", "The text", _text(found, boxes, measures)),
        Section("words", "Word by word", _rows(found)),
        Section("lemmas", "Lemmas and their forms", _lemmas(found)),
    ]
    if found.counts.divided_by_stems or found.counts.joined_by_stems:
        sections.append(Section("stems", "Where stems and lemmas disagree", _disagreements(found)))
    if found.counts.classes:
        sections.append(Section("classes", "Parts of speech", _classes(found)))
    documents = len({row.document for row in found.rows})
    of = f"{plural(documents, 'document')}, which begin with " if documents > 1 else ""
    return document(
        f"Words of {of}{_opening(found.rows)}",
        _result(found),
        sections,
        details=_details(found),
        style=token_style(),
        script=token_script(),
        data={"tokens-words": token_data(boxes, measures)},
    )


def _opening(rows: Sequence[WordRow]) -> str:
    """The first words as the text has them: a mark follows the word before it without a space."""
    shown = [row for row in rows[:_OPENING] if row.document == rows[0].document]
    text = ""
    for row, before in zip(shown, [None, *shown], strict=False):
        text += (" " if before is not None and row.start > before.stop else "") + row.text
    return f"“{text}{' …' if len(rows) > len(shown) else ''}”"


def _result(found: WordTable) -> str:
    """How many words come from how many lemmas, and the lemma with the most forms."""
    counts = found.counts
    if counts.lemmas is None:
        return f"{plural(counts.words, 'word')} of the text are {plural(counts.types, 'type')}."
    # Among the frequent ones: a rare word with many forms would be an odd first sentence.
    richest = max(counts.frequent, key=lambda each: len(each.forms))
    forms = joined([f"“{form}”" for form in list(richest.forms)[:6]])
    example = f"; {forms} are forms of “{richest.lemma}”" if len(richest.forms) > 1 else ""
    return (
        f"{plural(counts.words, 'word')} of the text are {plural(counts.types, 'type')} of "
        f"{plural(counts.lemmas, 'lemma')}{example}."
    )


def _details(found: WordTable) -> str:
    counts = found.counts
    sources = "; ".join(f"{name}s by {source}" for name, source in found.sources.items())
    tokens = [f"{count / counts.words:.2f} tokens per word by {name}" for name, count in counts.tokens.items()]
    parts = [f"Language {found.language}; {sources}", f"{counts.ratio:.2f} types per word", *tokens, *found.notes]
    return f"{'; '.join(parts)}."


def _boxes(found: WordTable) -> list[TokenBox]:
    """A box per word with what is known of it."""
    boxes = []
    for row in found.rows[:_BOXES]:
        facts = {"lemma": row.lemma, "stem": row.stem, "part of speech": row.word_class}
        facts |= {name: "|".join(parts) for name, parts in row.tokens.items()}
        boxes.append(
            TokenBox(
                text=row.text,
                kind="text" if row.is_word else "special",
                facts={name: value for name, value in facts.items() if value},
            )
        )
    return boxes


def _measures(found: WordTable) -> list[TokenMeasure]:
    """How often the lemma of each word occurs, and how many tokens each word takes."""
    often = Counter(_group(row) for row in found.rows if row.is_word)
    rows = found.rows[:_BOXES]
    measures = [TokenMeasure(name="frequency of the lemma", values=[often.get(_group(row)) for row in rows])]
    return [
        *measures,
        *(
            TokenMeasure(
                name=f"tokens by {name}", values=[len(row.tokens[name]) if row.is_word else None for row in rows]
            )
            for name in found.tokenizers
        ),
    ]


def _group(row: WordRow) -> tuple[str, str | None]:
    return (row.text.lower() if row.lemma is None else row.lemma, row.word_class)


def _text(found: WordTable, boxes: Sequence[TokenBox], measures: Sequence[TokenMeasure]) -> Markup:
    reading = "The bluer a word, the more often its lemma occurs. Point at a word to see its forms."
    return Markup("<p>{}{}</p>{}").format(
        reading,
        _only(len(boxes), len(found.rows), "words and marks"),
        token_view("words", boxes, label="the words of the text", measures=measures),
    )


def _only(shown: int, total: int, what: str) -> str:
    return f" The first {shown:,} of {total:,} {what} are shown." if shown < total else ""


def _rows(found: WordTable) -> Markup:
    """The table that the command prints."""
    rows = [found.cells(row) for row in found.rows[:_ROWS]]
    head = [name.capitalize() if name not in found.tokenizers else f"Tokens, {name}" for name in found.columns()]
    note = _only(len(rows), len(found.rows), "words and marks")
    return Markup("<p>{}</p>").format(note.strip()) * bool(note) + table(head, rows, caption="The words in their order")


def _lemmas(found: WordTable) -> Markup:
    counts = found.counts
    rows = [
        (
            each.lemma,
            each.word_class or "-",
            each.count,
            ", ".join(f"{form} {count}" for form, count in each.forms.items()),
        )
        for each in counts.frequent[:_LEMMAS]
    ]
    note = _only(len(rows), len(counts.frequent), "lemmas")
    head = ("Lemma", "Part of speech", "Count", "Forms")
    listed = table(head, rows, caption="The most frequent lemmas first", numeric=(2,))
    return Markup("<p>{}</p>").format(note.strip()) * bool(note) + listed


def _disagreements(found: WordTable) -> Markup:
    """Lemmas with several stems, and stems with several lemmas."""
    counts = found.counts
    stems = {row.text.lower(): row.stem or "" for row in found.rows}
    reading = "A stem is what a rule leaves of a word; a lemma is the word of a dictionary."
    blocks = [Markup("<p>{}</p>").format(reading)]
    if counts.divided_by_stems:
        rows = [
            (each.lemma, ", ".join(f"{form} → {stems[form]}" for form in each.forms))
            for each in counts.divided_by_stems[:_PAIRS]
        ]
        blocks.append(table(("Lemma", "Forms and their stems"), rows, caption="One lemma, several stems"))
    if counts.joined_by_stems:
        pairs = [(stem, ", ".join(lemmas)) for stem, lemmas in list(counts.joined_by_stems.items())[:_PAIRS]]
        blocks.append(table(("Stem", "Lemmas"), pairs, caption="One stem, several lemmas"))
    return Markup("").join(blocks)


def _classes(found: WordTable) -> Markup:
    counts = found.counts
    total = sum(counts.classes.values())
    rows = [(name, count, f"{count / total:.1%}") for name, count in counts.classes.items()]
    return table(("Part of speech", "Words", "Share"), rows, caption="Words by part of speech", numeric=(1, 2))
