"""The diff of two tokenizations of one text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError

if TYPE_CHECKING:
    import pandas

    from shoal.insight.tokens.reading import TokenReading


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentSpan:
    """A shortest possible span of the text that the two tokenizers divide differently."""

    start: int
    stop: int
    """The range of its characters."""

    text: str
    first: tuple[str, ...]
    """The tokens of the span by the first tokenizer, as in its vocabulary."""

    second: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizationDiff:
    """The agreement of two tokenizations, and the spans in which they differ."""

    first: str
    second: str
    """Names of the tokenizers."""

    shared: int
    """Number of boundaries inside the text that both have."""

    only_first: int
    only_second: int
    """Number of boundaries that only one of them has."""

    spans: tuple[DifferentSpan, ...]

    @property
    def agreement(self) -> float:
        """Jaccard index of the boundaries: shared among all, 0 to 1; 1 where neither has any."""
        every = self.shared + self.only_first + self.only_second
        return self.shared / every if every else 1.0

    def __str__(self) -> str:
        title = (
            f"{self.first} and {self.second} share {self.shared} boundaries, {self.only_first} are of the first alone "
            f"and {self.only_second} of the second alone (agreement {self.agreement:.2f})"
        )
        rows = [
            f"  {span.start:5}  {span.text!r}: {' '.join(map(repr, span.first))} | {' '.join(map(repr, span.second))}"
            for span in self.spans
        ]
        return "\n".join([title, *rows])

    def to_frame(self) -> pandas.DataFrame:
        """A row per span that is divided differently."""
        import pandas

        return pandas.DataFrame([asdict(span) for span in self.spans])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "agreement": self.agreement}


def compare_tokenizations(first: TokenReading, second: TokenReading) -> TokenizationDiff:
    """Compare the token boundaries of two tokenizers in the same text.

    Args:
        first: the text by one tokenizer.
        second: the same text by another.

    Raises:
        UsageError: the readings are of two texts.
    """
    if first.text != second.text:
        raise UsageError("two readings are compared on one text; these are of different texts: read the same one twice")
    length = len(first.text)
    ends_first, ends_second = _boundaries(first), _boundaries(second)
    # Between two shared boundaries the two can differ without touching what lies outside.
    both = sorted(ends_first & ends_second | {0, length})
    unshared = sorted(ends_first ^ ends_second)
    spans = [
        DifferentSpan(
            start=start,
            stop=stop,
            text=first.text[start:stop],
            first=_inside(first, start, stop),
            second=_inside(second, start, stop),
        )
        for start, stop in pairwise(both)
        if bisect_right(unshared, start) < bisect_left(unshared, stop)  # a boundary of one alone lies within
    ]
    inner = {0, length}
    return TokenizationDiff(
        first=first.model,
        second=second.model,
        shared=len((ends_first & ends_second) - inner),
        only_first=len(ends_first - ends_second - inner),
        only_second=len(ends_second - ends_first - inner),
        spans=tuple(spans),
    )


def _boundaries(reading: TokenReading) -> set[int]:
    """The places between characters at which a token ends; a character that is spread over tokens counts once."""
    return {piece.stop for piece in reading.plain}


def _inside(reading: TokenReading, start: int, stop: int) -> tuple[str, ...]:
    """The tokens of a span."""
    return tuple(piece.token for piece in reading.plain if start <= piece.start < stop)
