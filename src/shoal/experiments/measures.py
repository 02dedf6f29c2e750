"""What is measured of a model on a list of items. Every measure is the mean of a value that each item has, or lacks.

*Counting* and *stopping* are separate, since a model may know one and not the other. An item goes wrong at its
first divergence only once: by the end token coming early or not coming when due (a stopping error), or by another
token (a counting error). Then exact match = counting x stopping, both being shares:

- counting: of all items, the share without a counting error;
- stopping: of the items without a counting error, the share that ends where it should. With no such item it has no
  value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from shoal.experiments.tables import registered_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.experiments.records import ItemRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure."""

    name: str
    """Its key in files."""

    label: str
    """How a report calls it."""

    meaning: str
    """A sentence."""

    item: Callable[[ItemRecord], float | None]
    """The value of an item; None where the measure does not apply to it."""

    higher_is_better: bool = True
    bounded: bool = True
    """Whether it lies between 0 and 1, so that it can stand at a floor or a ceiling."""

    right: Callable[[ItemRecord], bool] | None = None
    """Whether an item is right, for tests over items; None where the value is not one of right and wrong."""


MEASURES: dict[str, Measure] = {}
"""Every measure by name. A new one is one more call of `register_measure`."""


def register_measure(measure: Measure) -> None:
    """Make a measure known to experiment files, verdicts and reports."""
    MEASURES[measure.name] = measure


MeasureName = Annotated[str, registered_name(lambda: MEASURES)]
"""The name of a registered measure."""


def _no_counting_error(item: ItemRecord) -> bool:
    return item.divergence != "other"


def _stops(item: ItemRecord) -> float | None:
    return float(item.exact_match) if _no_counting_error(item) else None


def _agreed(item: ItemRecord) -> float:
    return 1.0 if item.first_divergence is None else item.first_divergence / item.tokens


def _string_match(item: ItemRecord) -> float | None:
    return None if item.string_match is None else float(item.string_match)


register_measure(
    Measure(
        name="exact_match",
        label="exact match",
        meaning="share of items whose greedy continuation equals the completion, end token included",
        item=lambda item: float(item.exact_match),
        right=lambda item: item.exact_match,
    )
)
register_measure(
    Measure(
        name="counting",
        label="counting",
        meaning="share of items whose first divergence, if any, is about where to stop and not about what comes next",
        item=lambda item: float(_no_counting_error(item)),
        right=_no_counting_error,
    )
)
register_measure(
    Measure(
        name="stopping",
        label="stopping",
        meaning="share that ends where it should, of the items without a counting error",
        item=_stops,
    )
)
register_measure(
    Measure(
        name="agreed_prefix",
        label="agreed prefix",
        meaning="share of the completion's tokens before the first divergence, averaged over items",
        item=_agreed,
    )
)
register_measure(
    Measure(
        name="string_match",
        label="string match",
        meaning="share of items whose greedy continuation equals the completion as text",
        item=_string_match,
        right=lambda item: bool(item.string_match),
    )
)
register_measure(
    Measure(
        name="token_accuracy",
        label="token accuracy",
        meaning="share of tokens whose argmax is the target given the gold prefix, averaged over items",
        item=lambda item: item.token_accuracy,
    )
)
register_measure(
    Measure(
        name="bits_per_byte",
        label="bits per byte",
        meaning="information needed to encode the completion, in bits for each of its bytes, averaged over items",
        item=lambda item: item.bits_per_byte,
        higher_is_better=False,
        bounded=False,
    )
)


def mean_of(measure: str, items: Sequence[ItemRecord]) -> float | None:
    """The mean of a measure over items; None where it applies to none of them.

    Args:
        measure: its name.
        items: of one arm, seed, stage and split.
    """
    values = [value for item in items if (value := MEASURES[measure].item(item)) is not None]
    return sum(values) / len(values) if values else None


def by_seed(
    items: Mapping[int, Mapping[tuple[str, str], Sequence[ItemRecord]]], measure: str, stage: str, split: str
) -> dict[int, float | None]:
    """A measure for each seed; None where it applies to no item.

    Args:
        items: of one arm, as `Run.items_of` gives them.
        measure: its name.
        stage: ``before`` or ``after`` training.
        split: ``seen`` or ``held_out``.
    """
    return {seed: mean_of(measure, parts[stage, split]) for seed, parts in items.items()}


def gain(measure: str, treatment: float, baseline: float) -> float:
    """How much better the treatment is: its value minus the baseline's, negated where lower is better.

    Args:
        measure: its name.
        treatment: its value of the measure.
        baseline: that of the baseline.
    """
    return treatment - baseline if MEASURES[measure].higher_is_better else baseline - treatment
