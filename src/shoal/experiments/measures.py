"""What is measured of a model on a list of items. Every measure is the mean of a value that each item has, or lacks.

Some measures are of every task and stand here; others belong to a task, which brings them along
(`shoal.tasks.TaskMeasure`), and are shown for it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from shoal.experiments.tables import registered_name
from shoal.tasks import Example, known_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.experiments.records import ItemRecord
    from shoal.tasks import TaskMeasure


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

    reads_text: bool = False
    """Whether it is of the text that the model generates, which takes longer than scoring the completion."""

    axis: str = "mean over items"
    """What its axis in a figure says."""

    tasks: frozenset[str] | None = None
    """The tasks that it belongs to; None for every task."""


MEASURES: dict[str, Measure] = {}
"""Every measure by name. A new one is one more call of `register_measure`."""


def register_measure(measure: Measure) -> None:
    """Make a measure known to experiment files, verdicts and reports."""
    MEASURES[measure.name] = measure


MeasureName = Annotated[str, registered_name(lambda: MEASURES, shown=lambda: measures_of(None))]
"""The name of a registered measure; an error lists those of every task."""


def measures_of(task: str | None) -> dict[str, Measure]:
    """The measures of every task and those that belong to this one, by name.

    Args:
        task: a task by name; None for rows of a file.
    """
    return {name: measure for name, measure in MEASURES.items() if measure.tasks is None or task in measure.tasks}


def _register_task_measures() -> None:
    """Make the measures of all tasks known, each with the tasks that share it."""
    entries = known_tasks().values()
    for name, found in {name: found for entry in entries for name, found in entry.measures.items()}.items():
        item = _item_value(found)
        register_measure(
            Measure(
                name=name,
                label=found.label,
                meaning=found.meaning,
                item=item,
                right=_is_one(item) if found.binary else None,
                reads_text=found.of_divergence is None,
                axis=found.axis,
                tasks=frozenset(entry.name for entry in entries if name in entry.measures),
            )
        )


def _item_value(measure: TaskMeasure) -> Callable[[ItemRecord], float | None]:
    """The value of a record by a task's measure."""
    if measure.of_divergence is not None:
        # Where the tokens left the target; the text alone cannot tell a wrong token from a right one cut short.
        of_divergence = measure.of_divergence
        return lambda item: of_divergence(item.divergence)

    def value(item: ItemRecord) -> float | None:
        if item.greedy_text is None:
            return None
        example = Example(prompt=item.prompt, completion=item.completion, ends=item.ends, tags=item.tags)
        return measure(example, item.greedy_text)

    return value


def _is_one(value: Callable[[ItemRecord], float | None]) -> Callable[[ItemRecord], bool]:
    return lambda item: value(item) == 1


def _agreed(item: ItemRecord) -> float:
    return 1.0 if item.first_divergence is None else item.first_divergence / item.tokens


def _string_match(item: ItemRecord) -> float | None:
    return None if item.string_match is None else float(item.string_match)


register_measure(
    Measure(
        name="exact_match",
        label="exact match",
        meaning="share of items whose greedy continuation equals the completion, end token included",
        axis="share of items",
        item=lambda item: float(item.exact_match),
        right=lambda item: item.exact_match,
    )
)
# Between the two: tables show the measures in the order of their registration, exact match first.
_register_task_measures()
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
        reads_text=True,
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
        axis="bits (less is better)",
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
