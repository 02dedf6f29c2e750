"""Summaries that the command line gives: numbers for ``--json``, and the same in words for a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.evaluation import Scores


def exact_share(scores: Scores) -> dict[str, float]:
    """Exact matches: their count, the rows, the share, and the ends of Wilson's interval with its confidence."""
    from shoal.statistics import wilson_interval

    interval = wilson_interval(scores.exact_matches, len(scores.items))
    return {
        "count": scores.exact_matches,
        "rows": len(scores.items),
        "share": scores.accuracy,
        "low": interval.low,
        "high": interval.high,
        "confidence": interval.confidence,
    }


def print_numbers(summary: Mapping[str, object], *, as_json: bool) -> None:
    """Print a summary whose values are numbers, names, or what `exact_share` gives."""
    from shoal.cli.console import print_json, print_summary
    from shoal.experiments import finite

    if as_json:
        print_json(finite(dict(summary)))
    else:
        print_summary({name: _in_words(value) for name, value in summary.items()})


def _in_words(value: object) -> object:
    if isinstance(value, dict):
        return (
            f"{value['count']} of {value['rows']} = {value['share']:.3f}, {value['confidence']:.0%} Wilson interval "
            f"[{value['low']:.3f}, {value['high']:.3f}]"
        )
    if isinstance(value, float):
        return "not defined" if math.isnan(value) else f"{value:.4f}"
    return value
