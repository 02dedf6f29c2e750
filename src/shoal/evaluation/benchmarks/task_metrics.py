"""What a task is judged by: the value of each document, and how the values of all become one figure.

Names, options and aggregations are those of lm-evaluation-harness 0.4.13. A document's value is a number, or the pair
that its aggregation needs (log-likelihood and length, gold and predicted, reference and text).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Value = Any
"""A number, or a pair of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One entry of ``metric_list``."""

    name: str
    aggregation: str
    higher_is_better: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of ``exact_match``: what is ignored."""

    function: Callable[[Sequence[Any]], Any] | None = None
    """Of a task that needs Python: its own aggregation."""


def _mean(values: Sequence[Value]) -> float:
    return math.fsum(map(float, values)) / len(values)


def _median(values: Sequence[Value]) -> float:
    # The upper one of two middle values, as lm-evaluation-harness has it.
    return float(sorted(values)[len(values) // 2])


def _nan_mean(values: Sequence[Value]) -> float:
    numbers = [float(value) for value in values if not math.isnan(value)]
    return _mean(numbers) if numbers else math.nan


def _exp(value: float) -> float:
    # The exponential of 710 overflows a double.
    return math.inf if value > 700 else math.exp(value)


def _perplexity(values: Sequence[Value]) -> float:
    return _exp(-_mean(values))


def _weighted(values: Sequence[Value]) -> float:
    return math.fsum(nats for nats, _ in values) / math.fsum(size for _, size in values)


def _weighted_perplexity(values: Sequence[Value]) -> float:
    return _exp(-_weighted(values))


def _bits_per_byte(values: Sequence[Value]) -> float:
    return -_weighted(values) / math.log(2)


def _f1(values: Sequence[Value]) -> float:
    """Of the label 1 against the label 0."""
    golds, predicted = zip(*values, strict=True)
    labels = {*golds, *predicted}
    if not labels <= {0, 1}:
        raise DataError(f"f1 is defined for two choices, numbered 0 and 1; the task has the labels {sorted(labels)}")
    hits = sum(gold == guess == 1 for gold, guess in values)
    named = sum(golds) + sum(predicted)
    return 2 * hits / named if named else 0.0


def _matthews(values: Sequence[Value]) -> float:
    """Matthews' correlation for any number of classes (Gorodkin 2004, equation 8)."""
    golds, predicted = zip(*values, strict=True)
    labels = sorted({*golds, *predicted})
    count, right = len(values), sum(gold == guess for gold, guess in values)
    true = [golds.count(label) for label in labels]
    guessed = [predicted.count(label) for label in labels]
    covariance = right * count - sum(t * g for t, g in zip(true, guessed, strict=True))
    spread = (count**2 - sum(t * t for t in true)) * (count**2 - sum(g * g for g in guessed))
    return covariance / math.sqrt(spread) if spread else 0.0


def _brier(values: Sequence[Value]) -> float:
    """Squared distance of the probabilities of the choices from the gold one, summed over choices."""
    sizes = {len(shares) for _, shares in values}
    if len(sizes) > 1:
        raise DataError(f"brier_score needs as many choices in every document; there are {sorted(sizes)}")
    return fmean(
        math.fsum((share - (place == gold)) ** 2 for place, share in enumerate(shares)) for gold, shares in values
    )


def _spearman(values: Sequence[Value]) -> float:
    """The rank correlation of what the model gives and what people gave; equal values have their mean rank."""
    import numpy as np

    ranks = []
    for side in zip(*values, strict=True):
        _, place, count = np.unique(np.array(side, dtype=np.float64), return_inverse=True, return_counts=True)
        ranks.append((count.cumsum() - (count - 1) / 2)[place])
    one, other = (rank - rank.mean() for rank in ranks)
    spread = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / spread if spread else math.nan


def _sacrebleu(name: str) -> Callable[[Sequence[Value]], float]:
    def score(values: Sequence[Value]) -> float:
        import sacrebleu

        references, texts = zip(*values, strict=True)
        lists = [each if isinstance(each, list) else [each] for each in references]
        if len(sizes := {len(each) for each in lists}) > 1:
            raise DataError(f"{name} needs as many references for every document; there are {sorted(sizes)}")
        measure = getattr(sacrebleu, f"corpus_{name}")
        return float(measure(list(texts), [list(column) for column in zip(*lists, strict=True)]).score)

    return score


AGGREGATIONS: dict[str, Callable[[Sequence[Value]], float]] = {
    "mean": _mean,
    "median": _median,
    "nanmean": _nan_mean,
    "perplexity": _perplexity,
    "weighted_perplexity": _weighted_perplexity,
    "bits_per_byte": _bits_per_byte,
    "f1": _f1,
    "matthews_corrcoef": _matthews,
    "brier_score": _brier,
    "spearman": _spearman,
    "bleu": _sacrebleu("bleu"),
    "chrf": _sacrebleu("chrf"),
    "ter": _sacrebleu("ter"),
}

_KNOWN: dict[str, tuple[str, bool]] = {
    "acc": ("mean", True),
    "acc_norm": ("mean", True),
    "acc_bytes": ("mean", True),
    "acc_mutual_info": ("mean", True),
    "exact_match": ("mean", True),
    "f1": ("f1", True),
    "mcc": ("matthews_corrcoef", True),
    "brier_score": ("brier_score", False),
    "likelihood": ("mean", True),
    "correlation": ("spearman", True),
    "perplexity": ("perplexity", False),
    "word_perplexity": ("weighted_perplexity", False),
    "byte_perplexity": ("weighted_perplexity", False),
    "bits_per_byte": ("bits_per_byte", False),
    "bleu": ("bleu", True),
    "chrf": ("chrf", True),
    "ter": ("ter", False),
    "accuracy": ("mean", True),
}
"""The aggregation of each metric, and whether more is better."""

_DEFAULTS = {
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
}
_NOT_OPTIONS = ("metric", "aggregation", "higher_is_better", "hf_evaluate")
_EXACT_MATCH = ("ignore_case", "ignore_punctuation", "ignore_numbers", "regexes_to_ignore")


def default_metrics(output_type: str) -> tuple[MetricSpec, ...]:
    """The metrics of a task whose file names none."""
    return tuple(
        MetricSpec(name=name, aggregation=_KNOWN[name][0], higher_is_better=_KNOWN[name][1])
        for name in _DEFAULTS[output_type]
    )


def make_metric(entry: Mapping[str, Any], where: str) -> MetricSpec:
    """A metric from its entry in a task file.

    Args:
        entry: with ``metric``, and perhaps ``aggregation``, ``higher_is_better`` and options.
        where: the task, for messages.

    Raises:
        UsageError: the metric, its aggregation or an option is unknown.
    """
    name = str(entry["metric"])
    if name not in _KNOWN:
        raise UnknownNameError(f"metric of {where}", name, _KNOWN)
    options = {key: value for key, value in entry.items() if key not in _NOT_OPTIONS}
    # Other metrics of the original take options and leave them unread.
    if name == "exact_match" and (unknown := sorted(set(options) - set(_EXACT_MATCH))):
        raise UnknownNameError(f"option of exact_match of {where}", unknown[0], _EXACT_MATCH)
    if name == "exact_match":
        _check_patterns(options.get("regexes_to_ignore"), where)
    aggregation = entry.get("aggregation") or _KNOWN[name][0]
    if aggregation not in AGGREGATIONS:
        raise UnknownNameError(f"aggregation of {where}", str(aggregation), AGGREGATIONS)
    better = entry.get("higher_is_better", _KNOWN[name][1])
    if not isinstance(better, bool):
        raise UsageError(f"higher_is_better of {name} of {where} must be true or false, not {better!r}")
    return MetricSpec(name=name, aggregation=aggregation, higher_is_better=better, options=options)


def _check_patterns(patterns: Any, where: str) -> None:
    if patterns is not None and not isinstance(patterns, (list, str)):
        raise UsageError(f"regexes_to_ignore of {where} must be a list of regular expressions, not {patterns!r}")
    for pattern in patterns or ():
        try:
            re.compile(pattern)
        except (TypeError, re.error) as error:
            raise UsageError(f"regexes_to_ignore of {where} has {pattern!r}, no regular expression: {error}") from error


def aggregate(spec: MetricSpec, values: Sequence[Value]) -> float:
    """One figure from the values of all documents.

    Args:
        spec: of the metric.
        values: one per document; at least one.

    Raises:
        DataError: the values are not of the form that the aggregation needs.
    """
    try:
        return float(spec.function(values)) if spec.function is not None else AGGREGATIONS[spec.aggregation](values)
    except (TypeError, ValueError) as error:
        raise DataError(f"the values of {spec.name} cannot be aggregated by {spec.aggregation}: {error}") from error
