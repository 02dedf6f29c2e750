"""Generated texts scored against references by every text metric, with intervals over the texts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, UnknownNameError
from shoal.evaluation.text_metrics import TextMetric
from shoal.statistics import check_confidence, percentile_ends, resampled_ratios
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pandas
    from numpy.typing import NDArray

METRICS = tuple(TextMetric.registry)
"""The names of all metrics, in the order of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScore:
    """One metric over all texts, 0 to 100."""

    name: str
    value: float | None
    """None where no text has a value."""

    low: float | None
    """Ends of the interval; None where the texts (groups) are too few or too alike for one."""

    high: float | None
    confidence: float
    texts: int
    """How many texts have a value; the others have nothing to find again and do not count, but that in BLEU, as in
    sacrebleu, what was generated for them counts as words too many."""

    units: int
    """How many texts, or groups of texts, the interval is over."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The value with its interval."""
        if self.value is None:
            return "not defined"
        if self.low is None:
            units = plural(self.units, "group" if self.units < self.texts else "text")
            return f"{self.value:.4f}, {units}: too few or too alike for an interval"
        return f"{self.value:.4f}, {100 * self.confidence:g}% interval [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScores:
    """Every metric over all texts, and of each text."""

    scores: tuple[TextScore, ...]
    items: dict[str, tuple[float | None, ...]]
    """By metric: the score of each text by itself, None where it is not defined."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"scores": [score.to_dict() for score in self.scores], "items": self.items}

    def to_frame(self) -> pandas.DataFrame:
        """One row per text, one column per metric."""
        import pandas

        return pandas.DataFrame(self.items)

    def __str__(self) -> str:
        """One line per metric."""
        return "\n".join(f"{score.name:12}{score}" for score in self.scores)


def score_texts(
    predictions: Sequence[str],
    references: Sequence[str],
    *,
    metrics: Sequence[str] = METRICS,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> TextScores:
    """Score texts by BLEU, chrF, ROUGE and the F1 of tokens, each text and all of them, with bootstrap intervals.

    BLEU and chrF of all texts come from their summed counts, ROUGE and F1 are means over the texts.

    Args:
        predictions: what the model generated.
        references: the texts that are due, in the same order.
        metrics: names of metrics.
        groups: what each text belongs to (a prompt, a document); the interval is then over groups.
        confidence: of the intervals.
        seed: of the bootstrap.

    Raises:
        DataError: there are no texts, or not as many of each kind.
        UnknownNameError: no metric has that name.
    """
    check_confidence(confidence)
    if not predictions or len(predictions) != len(references):
        raise DataError(f"{len(predictions)} texts and {len(references)} references; give one reference per text")
    if groups is not None and len(groups) != len(references):
        raise DataError(f"{len(groups)} groups for {len(references)} texts; give one per text")
    for name in metrics:
        if name not in TextMetric.registry:
            raise UnknownNameError("metric", name, TextMetric.registry)
    labels = range(len(references)) if groups is None else groups
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    unit_N = np.array([places[label] for label in labels])
    scores, items = [], {}
    for name in metrics:
        metric = TextMetric.registry[name]
        counts_NK = np.array(
            [metric.statistics(one, due) for one, due in zip(predictions, references, strict=True)], dtype=np.float64
        )
        per_text_N = metric.score(counts_NK)
        items[name] = tuple(map(_defined, per_text_N.round(9).tolist()))
        sums_UK = np.zeros((len(places), counts_NK.shape[1]))
        # Not by indexing, which would add once where a group occurs several times.
        np.add.at(sums_UK, unit_N, counts_NK)
        low, high = _interval(metric, sums_UK, confidence, seed)
        scores.append(
            TextScore(
                name=name,
                value=_defined(round(float(metric.score(counts_NK.sum(axis=0, keepdims=True))[0]), 9)),
                low=low,
                high=high,
                confidence=confidence,
                texts=int(np.isfinite(per_text_N).sum()),
                units=len(places),
            )
        )
    return TextScores(scores=tuple(scores), items=items)


def _interval(
    metric: TextMetric, sums_UK: NDArray[np.float64], confidence: float, seed: int
) -> tuple[float, float] | tuple[None, None]:
    """The percentile interval over units; none where they are too few or too alike, or no sample has a score."""
    units = len(sums_UK)
    # Back from means to sums: smoothing and the brevity penalty depend on counts.
    drawn_D = metric.score(resampled_ratios(sums_UK.T, np.ones(units), seed=seed) * units)
    # A sample of empty texts alone has no score.
    return percentile_ends(drawn_D[np.isfinite(drawn_D)], units=units, confidence=confidence)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
