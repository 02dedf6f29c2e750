"""What is measured of a model on a list of items. Every measure is the mean of a value that each item has, or lacks.

*Counting* and *stopping* are kept apart, since a model may know one and not the other. An item goes wrong at its
first divergence only once: by the end token coming early or not coming when due (a stopping error), or by another
token (a counting error). Then exact match = counting x stopping, both being shares:

- counting: of all items, the share without a counting error;
- stopping: of the items without a counting error, the share that ends where it should. With no such item it has no
  value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]
"""An item's record: the fields of `shoal.evaluation.results.ItemScore` and its split, prompt and completion."""

MeasureName = Literal[
    "exact_match", "counting", "stopping", "agreed_prefix", "string_match", "token_accuracy", "bits_per_byte"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure."""

    label: str
    """How a report calls it."""

    meaning: str
    """A sentence."""

    item: Callable[[Row], float | None]
    """The value of an item; None where the measure does not apply to it."""

    higher_is_better: bool = True
    bounded: bool = True
    """Whether it lies between 0 and 1, so that it can stand at a floor or a ceiling."""

    right: Callable[[Row], bool] | None = None
    """Whether an item is right, for tests over items; None where the value is not one of right and wrong."""


def _exact(row: Row) -> bool:
    return bool(row["exact_match"])


def _counts(row: Row) -> bool:
    return bool(row["divergence"] != "other")


def _stops(row: Row) -> float | None:
    return float(_exact(row)) if _counts(row) else None


def _agreed(row: Row) -> float:
    return 1.0 if row["first_divergence"] is None else row["first_divergence"] / row["tokens"]


def _string_match(row: Row) -> float | None:
    return None if row["string_match"] is None else float(row["string_match"])


MEASURES: Mapping[MeasureName, Measure] = {
    "exact_match": Measure(
        label="exact match",
        meaning="share of items whose greedy continuation equals the completion, end token included",
        item=lambda row: float(_exact(row)),
        right=_exact,
    ),
    "counting": Measure(
        label="counting",
        meaning="share of items whose first divergence, if any, is about where to stop and not about what comes next",
        item=lambda row: float(_counts(row)),
        right=_counts,
    ),
    "stopping": Measure(
        label="stopping",
        meaning="share that ends where it should, of the items without a counting error",
        item=_stops,
    ),
    "agreed_prefix": Measure(
        label="agreed prefix",
        meaning="share of the completion's tokens before the first divergence, averaged over items",
        item=_agreed,
    ),
    "string_match": Measure(
        label="string match",
        meaning="share of items whose greedy continuation equals the completion as text",
        item=_string_match,
        right=lambda row: bool(row["string_match"]),
    ),
    "token_accuracy": Measure(
        label="token accuracy",
        meaning="share of tokens whose argmax is the target given the gold prefix, averaged over items",
        item=lambda row: row["token_accuracy"],
    ),
    "bits_per_byte": Measure(
        label="bits per byte",
        meaning="information needed to say the completion, in bits for each of its bytes, averaged over items",
        item=lambda row: row["bits_per_byte"],
        higher_is_better=False,
        bounded=False,
    ),
}


def mean_of(measure: MeasureName, rows: Sequence[Row]) -> float | None:
    """The measure over items; None where it applies to none of them."""
    values = [value for row in rows if (value := MEASURES[measure].item(row)) is not None]
    return sum(values) / len(values) if values else None


def gain(measure: MeasureName, treatment: float, baseline: float) -> float:
    """How much better the treatment is: its value minus the baseline's, turned round where lower is better."""
    return treatment - baseline if MEASURES[measure].higher_is_better else baseline - treatment
