"""The card of a curation: what went and why, examples of it, and scores before and after."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.textfiles import finite
from shoal.wording import aligned_rows, plural

if TYPE_CHECKING:
    import pandas

    from shoal.curation.tally import RemovedExample, ScoreSpread


_NUMBERS = range(1, 5)
"""The columns of the tables that hold numbers, which are flush right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSize:
    """How much text there is."""

    documents: int
    words: int
    """Runs of characters without white space."""

    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterFinding:
    """What a quality filter did."""

    name: str
    measures: str
    """What its score is."""

    limits: str
    """Which scores stay."""

    source: str
    scored: int
    """Documents; a filter that runs a model scores those that passed the filters before it."""

    failed: int
    """Documents outside of its limits, whatever the other filters did."""

    removed: int
    """Documents that it was the first to remove."""

    before: ScoreSpread | None
    """The scores of all documents that it scored."""

    after: ScoreSpread | None
    """The scores of the documents that stay; None where none does."""

    examples: tuple[RemovedExample, ...]
    """Random ones of those that it was the first to remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFinding:
    """What a line filter did."""

    name: str
    measures: str
    source: str
    seen: int
    """Lines that it was given: those that the line filters before it left."""

    removed: int
    edited: int
    examples: tuple[str, ...]
    """The first few lines that it removed or edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationCard:
    """What went and why; printed, it is a table."""

    source: str
    before: CorpusSize
    after: CorpusSize
    filters: tuple[FilterFinding, ...]
    """In the order in which they ran."""

    lines: tuple[LineFinding, ...] = ()
    without_lines: int = 0
    """Documents that went since all of their lines were removed."""

    @property
    def removed(self) -> int:
        """Documents that went."""
        return self.before.documents - self.after.documents

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a score that is no number is None."""
        plain = finite(asdict(self))
        assert isinstance(plain, dict)
        return {**plain, "removed": self.removed}

    def to_frame(self) -> pandas.DataFrame:
        """A row per quality filter: its counts, and its scores before and after."""
        import pandas as pd

        rows = []
        for one in self.filters:
            row: dict[str, Any] = {
                name: getattr(one, name) for name in ("name", "limits", "scored", "failed", "removed")
            }
            for part, spread in (("before", one.before), ("after", one.after)):
                row |= {f"{part}_{name}": value for name, value in ({} if spread is None else asdict(spread)).items()}
            rows.append(row)
        return pd.DataFrame(rows)

    def result(self) -> str:
        """What was found, in one sentence."""
        share = self.after.documents / self.before.documents
        words = self.after.words / max(self.before.words, 1)
        if self.after.documents == self.before.documents:
            whole = "The only document stays"
            if self.before.documents > 1:
                whole = f"All {self.before.documents:,} documents stay"
            return f"{whole}, with {words:.1%} of the words."
        return (
            f"{self.after.documents:,} of {plural(self.before.documents, 'document')} stay ({share:.1%}), "
            f"with {words:.1%} of the words."
        )

    def note(self) -> str:
        """What a reader should know of filters without effect; empty where there is nothing."""
        idle = [one.name for one in self.filters if not one.failed]
        if self.filters and len(idle) == len(self.filters):
            return "No filter removes a document: all of them lie within its limits."
        return ""

    def __str__(self) -> str:
        """The sentence, and what each filter removed."""
        rows: list[tuple[str, ...]] = [
            ("removed by", "documents", "share", "also outside", "median score", "stays where")
        ]
        for one in self.filters:
            median = "" if one.before is None else f"{one.before.median:,.4g}"
            share = f"{one.removed / self.before.documents:.1%}"
            rows.append((one.name, f"{one.removed:,}", share, f"{one.failed - one.removed:,}", median, one.limits))
        if self.without_lines:
            share = f"{self.without_lines / self.before.documents:.1%}"
            rows.append(("no line left", f"{self.without_lines:,}", share, "", "", ""))
        parts = [
            f"{self.source}: {self.result()}",
            *filter(None, [self.note()]),
            "",
            *aligned_rows(rows, right=_NUMBERS),
        ]
        if self.lines:
            lines: list[tuple[str, ...]] = [("lines", "removed", "edited", "of", "", "where a line has")]
            lines += [
                (one.name, f"{one.removed:,}", f"{one.edited:,}", f"{one.seen:,}", "", one.measures)
                for one in self.lines
            ]
            parts += ["", *aligned_rows(lines, right=_NUMBERS)]
        return "\n".join(parts)
