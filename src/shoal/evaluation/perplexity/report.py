"""What is found of a model on plain texts, and how it is printed.

Shapes: D documents, T tokens of a document.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.statistics import percentile_ends, resampled_ratios
from shoal.wording import plural

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray

UNITS = ("token", "word", "byte")
_AROUND = 30
"""Characters that are shown before a surprising token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredDocument:
    """One document with the log-probability of each of its tokens."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """The characters of each token, from start to stop; tokens that share a character's bytes overlap."""

    nats: NDArray[np.float64]
    """log p of each token (T), given what stands before it."""

    @property
    def words(self) -> int:
        """Runs without white space."""
        return len(self.text.split())

    @property
    def bytes(self) -> int:
        """Of the text in UTF-8."""
        return len(self.text.encode())

    def size(self, unit: str) -> int:
        """How many tokens, words or bytes it has.

        Args:
            unit: ``token``, ``word`` or ``byte``.
        """
        return {"token": len(self.nats), "word": self.words, "byte": self.bytes}[unit]

    def piece(self, place: int) -> str:
        """The text of a token; empty where it has less than a character of its own."""
        start, stop = self.spans[place]
        return self.text[start:stop]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityUnit:
    """Perplexity by one unit of the text."""

    unit: str
    """``token``, ``word`` or ``byte``."""

    count: int
    bits: float | None
    """-log2 p of all texts for each unit; None where the texts hold none, infinite where one is impossible."""

    low: float | None
    """Ends of the interval of ``bits`` over documents; None where there are too few."""

    high: float | None

    @property
    def perplexity(self) -> float | None:
        """2 to the power of the bits: how many equally likely choices each unit would be."""
        return None if self.bits is None else _power(self.bits)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Ends of the perplexity's interval."""
        return None if self.low is None or self.high is None else (_power(self.low), _power(self.high))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "perplexity": self.perplexity, "perplexity_interval": self.interval}


@dataclass(frozen=True, slots=True, kw_only=True)
class SurprisingToken:
    """A token of low probability, and what the model expected in its place."""

    document: int
    """Counted from 0."""

    place: int
    """Among the tokens of the document, from 0."""

    id: int
    text: str
    nats: float
    """log p of the token."""

    expected: str | None
    """The most likely token there; None where it is this one."""

    expected_nats: float | None

    @property
    def bits(self) -> float:
        """Its surprisal."""
        return -self.nats / math.log(2)


@dataclass(frozen=True, kw_only=True)
class PerplexityReport:
    """The perplexity of a model on plain texts."""

    model: str
    digest: str
    parameters: int
    opening: tuple[str, ...]
    """The tokens that each document stands behind."""

    context: int | None
    """Tokens that a window reads; None where the model has no limit."""

    stride: int | None
    documents: tuple[ScoredDocument, ...]
    longer_documents: int
    """How many are longer than the context, and so are read in several windows."""

    nats_without_overlap: float | None
    """-log p of all texts where windows stand side by side; None where none overlap."""

    surprising: tuple[SurprisingToken, ...]
    confidence: float
    seed: int

    @cached_property
    def units(self) -> tuple[PerplexityUnit, ...]:
        """Perplexity per token, per word and per byte."""
        return tuple(self._by_unit(unit) for unit in UNITS)

    @property
    def document_bits(self) -> NDArray[np.float64]:
        """-log2 p of each document."""
        return np.array([-math.fsum(each.nats) / math.log(2) for each in self.documents])

    @property
    def bits_per_byte(self) -> float:
        """Of all texts; comparable between models with different tokenizers."""
        return float(self.document_bits.sum() / sum(each.bytes for each in self.documents))

    @property
    def bits_per_byte_without_overlap(self) -> float | None:
        """The same where windows stand side by side; None where no text needs two, or none overlap."""
        if self.nats_without_overlap is None:
            return None
        return self.nats_without_overlap / math.log(2) / sum(each.bytes for each in self.documents)

    def _by_unit(self, unit: str) -> PerplexityUnit:
        bits_D, sizes_D = self.document_bits, np.array([each.size(unit) for each in self.documents], dtype=np.float64)
        if not sizes_D.sum():
            return PerplexityUnit(unit=unit, count=0, bits=None, low=None, high=None)
        low = high = None
        if np.isfinite(bits_D).all():
            drawn_D = resampled_ratios(bits_D, sizes_D, seed=self.seed)
            low, high = percentile_ends(drawn_D, units=len(bits_D), confidence=self.confidence)
        total = int(sizes_D.sum())
        return PerplexityUnit(unit=unit, count=total, bits=float(bits_D.sum()) / total, low=low, high=high)

    def to_frame(self) -> pandas.DataFrame:
        """A row per document: its tokens, words, bytes, bits, and bits per byte."""
        import pandas

        rows = [
            {
                "document": place,
                "tokens": len(each.nats),
                "words": each.words,
                "bytes": each.bytes,
                "bits": bits,
                "bits_per_byte": bits / each.bytes,
            }
            for place, (each, bits) in enumerate(zip(self.documents, self.document_bits.tolist(), strict=True))
        ]
        return pandas.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the summary, a record per document, and the most surprising tokens."""
        return {
            "model": self.model,
            "digest": self.digest,
            "parameters": self.parameters,
            "opening": list(self.opening),
            "context": self.context,
            "stride": self.stride,
            "longer_documents": self.longer_documents,
            "bits_per_byte_without_overlap": self.bits_per_byte_without_overlap,
            "confidence": self.confidence,
            "units": [unit.to_dict() for unit in self.units],
            "documents": self.to_frame().to_dict("records"),
            "surprising": [{**asdict(token), "bits": token.bits} for token in self.surprising],
        }

    def __str__(self) -> str:
        """The figures, what the windows do, and the most surprising tokens."""
        return "\n".join([self._title(), *self._unit_lines(), *self.notes(), "", *self._surprising_lines()])

    def _title(self) -> str:
        sizes = ", ".join(plural(unit.count, unit.unit) for unit in self.units)
        return (
            f"{self.model} ({self.parameters:,} parameters, digest {self.digest[:16]})\n"
            f"  {plural(len(self.documents), 'document')}: {sizes}"
        )

    def _unit_lines(self) -> list[str]:
        level = f"{100 * self.confidence:g}% interval"
        lines = [f"\n  {'':10}{'perplexity':>12}  {level:24}{'bits':>8}"]
        for unit in self.units:
            if unit.bits is None:
                lines.append(f"  per {unit.unit:6}{'not defined':>12}  the text has none")
                continue
            interval = "" if unit.interval is None else f"[{unit.interval[0]:.4g}, {unit.interval[1]:.4g}]"
            lines.append(f"  per {unit.unit:6}{unit.perplexity:12.5g}  {interval:24}{unit.bits:8.4f}")
        return lines

    def notes(self) -> list[str]:
        """What a reader must know of the figures, a line each."""
        lines = [f"  each document stands behind {' '.join(map(repr, self.opening))}; its end is not scored"]
        if self.units[0].interval is None:
            lines.append(
                f"  {plural(len(self.documents), 'document')}: too few or too alike for an interval, which is over "
                "documents"
            )
        if self.longer_documents:
            lines.append(self._window_line())
        return lines

    def _window_line(self) -> str:
        """How long documents are read, and what that does."""
        assert self.context is not None
        assert self.stride is not None
        longer = f"  {plural(self.longer_documents, 'document')} longer than the context of {self.context} tokens: "
        apart = self.bits_per_byte_without_overlap
        if apart is None:
            return f"{longer}read in windows side by side (--stride {self.stride}), each with one token before it"
        return (
            f"{longer}read in windows of which {self.stride} tokens are new (--stride), each predicted from at least "
            f"{self.context + 1 - self.stride} before it; without overlap {apart:.4f} bits per byte instead of "
            f"{self.bits_per_byte:.4f}"
        )

    def _surprising_lines(self) -> list[str]:
        if not self.surprising:
            return []
        lines = ["  most surprising tokens"]
        for token in self.surprising:
            document = self.documents[token.document]
            start = document.spans[token.place][0]
            before = document.text[max(0, start - _AROUND) : start]
            where = f"document {token.document + 1}, " if len(self.documents) > 1 else ""
            expected = (
                "the likeliest one all the same"
                if token.expected is None or token.expected_nats is None
                else f"{token.expected!r} expected, p = {math.exp(token.expected_nats):.2g}"
            )
            lines.append(f"  {token.bits:6.2f} bits  {token.text!r} after {before!r} ({where}{expected})")
        return lines


def _power(bits: float) -> float:
    # 2 to the 1024 overflows a double.
    return math.inf if bits > 1000 else 2.0**bits
