"""The table of a text's words, and how it is printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shoal.insight.words.counts import WINDOW, WordCounts, count_words
from shoal.wording import aligned_rows, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

LISTED_WORDS = 60
LISTED_LEMMAS = 12
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRow:
    """One word, number or mark of a text."""

    document: int
    sentence: int
    """Within the document; both count from 0."""

    start: int
    stop: int
    """Its characters in the document."""

    text: str
    is_word: bool
    """Whether it has a letter or a digit."""

    tokens: Mapping[str, tuple[str, ...]]
    """By tokenizer: the part of each token that lies within the word."""

    stem: str | None
    lemma: str | None
    tag: str | None
    """The tag of the tagger; None where the text was not tagged."""

    word_class: str | None


@dataclass(frozen=True, kw_only=True)
class WordTable:
    """The words of a text side by side."""

    language: str
    rows: tuple[WordRow, ...]
    tokenizers: tuple[str, ...]
    sources: Mapping[str, str]
    """Where stems, lemmas and tags come from; what is missing was not to be had."""

    notes: tuple[str, ...]
    """What a reader must know of the table, such as a column that the language does not have."""

    @cached_property
    def counts(self) -> WordCounts:
        """Words, types, stems, lemmas and their frequencies."""
        return count_words(self.rows, self.tokenizers)

    def to_frame(self) -> pandas.DataFrame:
        """A row per word; of each tokenizer a column with the number of tokens."""
        import pandas

        rows = []
        for row in self.rows:
            cells = asdict(row)
            tokens = cells.pop("tokens")
            rows.append({**cells, **{f"tokens {name}": len(found) for name, found in tokens.items()}})
        return pandas.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "language": self.language,
            "tokenizers": list(self.tokenizers),
            "sources": dict(self.sources),
            "notes": list(self.notes),
            "counts": self.counts.to_dict(),
            "words": [asdict(row) for row in self.rows],
        }

    def to_text(self, *, words: int = LISTED_WORDS, lemmas: int = LISTED_LEMMAS) -> str:
        """The table as the command prints it.

        Args:
            words: how many words are listed, from the beginning of the text.
            lemmas: how many of the most frequent lemmas are listed.
        """
        blocks = [self._title(), self._listed(words), self._frequent(lemmas), self._disagreements(), self._figures()]
        return "\n\n".join(block for block in blocks if block)

    def __str__(self) -> str:
        return self.to_text()

    def columns(self) -> list[str]:
        """The columns of the printed table, those that the language has."""
        forms = [name for name in ("stem", "lemma") if name in self.sources]
        tags = ["class", "tag"] if "tag" in self.sources else []
        return ["word", *forms, *tags, *self.tokenizers]

    def cells(self, row: WordRow) -> list[str]:
        """A row under `columns`.

        Args:
            row: of the table.
        """
        values = {"word": row.text, "stem": row.stem, "lemma": row.lemma, "class": row.word_class, "tag": row.tag}
        return [
            "|".join(row.tokens[name]) if name in row.tokens and name not in values else values[name] or ""
            for name in self.columns()
        ]

    def _title(self) -> str:
        found = self.counts
        parts = [plural(found.words, "word"), plural(found.types, "type")]
        parts += [plural(found.stems, "stem")] if found.stems is not None else []
        parts += [plural(found.lemmas, "lemma")] if found.lemmas is not None else []
        sources = "; ".join(f"{name}s by {source}" for name, source in self.sources.items())
        return "\n".join(
            [f"{', '.join(parts)} ({self.language})", f"  {sources}", *(f"  note: {note}" for note in self.notes)]
        )

    def _listed(self, limit: int) -> str:
        listed = [self.cells(row) for row in self.rows[:limit]]
        lines = [f"  {line}" for line in aligned_rows([self.columns(), *listed])] if listed else []
        more = len(self.rows) - len(listed)
        return "\n".join([*lines, *([f"  and {more:,} more"] if more and listed else [])])

    def _frequent(self, limit: int) -> str:
        if not limit:
            return ""
        kind = "types" if self.counts.lemmas is None else "lemmas, with their forms"
        return "\n".join(
            [f"  most frequent {kind}", *(f"  {each.count:6}  {each}" for each in self.counts.frequent[:limit])]
        )

    def _disagreements(self) -> str:
        """Where stems and lemmas disagree, a few examples."""
        found, lines = self.counts, []
        if found.divided_by_stems:
            shown = "; ".join(f"{each.lemma}: {', '.join(each.forms)}" for each in found.divided_by_stems[:_EXAMPLES])
            lines.append(f"  one lemma, several stems ({len(found.divided_by_stems)}): {shown}")
        if found.joined_by_stems:
            shown = "; ".join(
                f"{stem}: {', '.join(lemmas)}" for stem, lemmas in list(found.joined_by_stems.items())[:_EXAMPLES]
            )
            lines.append(f"  one stem, several lemmas ({len(found.joined_by_stems)}): {shown}")
        return "\n".join(lines)

    def _figures(self) -> str:
        found = self.counts
        lines = [
            f"  types per word {found.ratio:.3f} (falls with the length of a text); {found.once:,} types occur once"
        ]
        if found.moving_ratio is not None:
            lines.append(f"  types per word in windows of {WINDOW} words {found.moving_ratio:.3f}")
        lines += [f"  tokens per word {count / found.words:.3f} by {name}" for name, count in found.tokens.items()]
        return "\n".join(lines)
