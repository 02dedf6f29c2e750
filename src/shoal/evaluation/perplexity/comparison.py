"""Several models on the same texts, compared document by document in bits per byte.

Perplexities per token cannot be compared between tokenizers: fewer, longer tokens are each harder. The bytes of a text
are the same for every model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError
from shoal.statistics import percentile_ends, resampled_ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas

    from shoal.evaluation.perplexity.report import PerplexityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityDifference:
    """The first model's bits per byte minus the second's, over the same documents."""

    first: str
    second: str
    difference: float
    low: float | None
    """Ends of the paired interval over documents; None where these are too few, or all alike."""

    high: float | None

    @property
    def better(self) -> str | None:
        """The model with fewer bits, where the interval leaves out 0."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return None
        return self.second if self.difference > 0 else self.first

    def __str__(self) -> str:
        """One line."""
        found = f"{self.first} minus {self.second}: {self.difference:+.4f} bits per byte"
        if self.low is None:
            return f"{found}; documents are too few or too alike for an interval"
        verdict = "cannot be told apart" if self.better is None else f"{self.better} predicts better"
        return f"{found} [{self.low:+.4f}, {self.high:+.4f}]: {verdict}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityComparison:
    """Models on the same texts."""

    reports: tuple[PerplexityReport, ...]
    differences: tuple[PerplexityDifference, ...]
    """Of every pair, in the order of the reports."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "models": [report.to_dict() for report in self.reports],
            "differences": [{**asdict(each), "better": each.better} for each in self.differences],
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per model and unit."""
        import pandas

        return pandas.DataFrame(
            [{"model": report.model, **unit.to_dict()} for report in self.reports for unit in report.units]
        )

    def __str__(self) -> str:
        """The reports, then the models side by side with their differences."""
        lines = [f"{report}\n" for report in self.reports]
        if self.differences:
            width = max(len(report.model) for report in self.reports)
            lines.append(f"{'':{width}}  {'bits per byte':>13}  {'interval':20}  {'per word':>9}  {'per token':>9}")
            lines += [_row(report, width) for report in self.reports]
            lines.append("\npaired differences over documents (per token cannot be compared between tokenizers)")
        return "\n".join([*lines, *(f"  {each}" for each in self.differences)]).rstrip()


def _row(report: PerplexityReport, width: int) -> str:
    """A model in a line: bits per byte with its interval, and the perplexities."""
    token, word, byte = report.units
    interval = "" if byte.low is None else f"[{byte.low:.4f}, {byte.high:.4f}]"
    per_word = "-" if word.perplexity is None else f"{word.perplexity:.4g}"
    return (
        f"{report.model:{width}}  {report.bits_per_byte:13.4f}  {interval:20}  {per_word:>9}  {token.perplexity:9.4g}"
    )


def compare_perplexities(reports: Sequence[PerplexityReport]) -> PerplexityComparison:
    """Compare models document by document, with paired bootstrap intervals of the difference in bits per byte.

    Args:
        reports: of the same documents, one per model.

    Raises:
        UsageError: there are no reports, or their documents are not the same.
    """
    if not reports:
        raise UsageError("there is nothing to compare; give at least one report")
    texts = [[document.text for document in report.documents] for report in reports]
    if any(text != texts[0] for text in texts):
        raise UsageError("the reports are of different documents; read the same ones with every model")
    bytes_D = np.array([document.bytes for document in reports[0].documents], dtype=np.float64)
    found = []
    for first, second in combinations(reports, 2):
        # Paired: what is hard in a document is hard for both, and falls out of the difference.
        gap_D = first.document_bits - second.document_bits
        low = high = None
        if np.isfinite(gap_D).all():
            drawn_D = resampled_ratios(gap_D, bytes_D, seed=first.seed)
            low, high = percentile_ends(drawn_D, units=len(bytes_D), confidence=first.confidence)
        found.append(
            PerplexityDifference(
                first=first.model,
                second=second.model,
                difference=float(gap_D.sum() / bytes_D.sum()),
                low=low,
                high=high,
            )
        )
    return PerplexityComparison(reports=tuple(reports), differences=tuple(found))
