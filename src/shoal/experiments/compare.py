"""Two runs compared, item by item and seed by seed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError, UnknownNameError, UsageError
from shoal.experiments.controls import all_arms, paired_differences
from shoal.experiments.measures import by_seed
from shoal.experiments.records import arm_place, group_items, read_items
from shoal.experiments.run_folder import open_run
from shoal.experiments.settings_file import differing
from shoal.experiments.tables import as_table
from shoal.textfiles import finite

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd

    from shoal.experiments.records import ItemRecord

Sides = dict[int, dict[tuple[str, str], list["ItemRecord"]]]
"""The items of one side: from seed to (stage, split) to items."""

_MUST_AGREE = ("task", "split", "training", "evaluation", "seeds")
"""What two runs must share for their items to be comparable; the arms' models are what is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One measure: the first run's arm minus the second's, positive being better."""

    measure: str
    first: float
    """Mean over seeds."""

    second: float
    estimate: float
    low: float
    high: float
    p_value: float
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between an arm of one run and an arm of another, on the held-out items of both."""

    first: str
    """The run's folder and the arm."""

    second: str
    seeds: int
    items: int
    confidence: float
    differences: tuple[Difference, ...]
    mcnemar: dict[str, Any]
    """From seed to McNemar's exact test of exact match: items right in one alone, and the p-value."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def to_frame(self) -> pd.DataFrame:
        """A row per measure: both means, the difference with its interval, and the p-value."""
        import pandas as pd

        return pd.DataFrame([asdict(difference) for difference in self.differences])

    def __str__(self) -> str:
        lines = [
            f"{self.first} against {self.second}: {self.seeds} seeds, {self.items} held-out items",
            "",
            f"{'measure':16}{'first':>9}{'second':>9}{'difference':>12}  {100 * self.confidence:g}% interval      p",
        ]
        lines += [
            f"{row.measure:16}{row.first:9.3f}{row.second:9.3f}{row.estimate:+12.3f}"
            f"  [{row.low:+.3f}, {row.high:+.3f}]  {row.p_value:.4f}"
            for row in self.differences
        ]
        lines += ["", "exact match, seed by seed (McNemar's exact test)"]
        lines += [
            f"seed {seed}: {test['only_first']} right in the first alone, {test['only_second']} in the second alone, "
            f"p {test['p_value']:.4f}"
            for seed, test in self.mcnemar.items()
        ]
        return "\n".join(lines)


def compare_runs(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    first_arm: str | None = None,
    second_arm: str | None = None,
) -> Comparison:
    """Compare an arm of one run with an arm of another, on the same items and seeds.

    Items are paired by a hash of prompt and completion, seeds by number; the seed is the unit.

    Args:
        first: a run folder that has come to its end.
        second: another one, or the same with another arm.
        first_arm: an arm of the first run; None for its treatment.
        second_arm: an arm of the second run; None for its treatment.

    Raises:
        StoreError: a folder is no finished run.
        UnknownNameError: a run has no such arm.
        UsageError: the runs are not comparable: the message names the first setting that differs.
    """
    from shoal.statistics import mcnemar_exact

    one, two = (_Side(Path(folder), arm) for folder, arm in ((first, first_arm), (second, second_arm)))
    _check_comparable(one, two)
    if one.name == two.name:
        raise UsageError(
            f"{one.name} was given twice; give two runs, or two arms of one with --first-arm and --second-arm"
        )
    left, right = one.items(), two.items()
    _pair_items(left, right, one, two)
    key = ("after", "held_out")
    tests = {
        str(seed): mcnemar_exact(
            [item.exact_match for item in left[seed][key]], [item.exact_match for item in right[seed][key]]
        )
        for seed in left
    }
    # The first run's: the level is no part of what the two must share.
    confidence = one.experiment.measure.confidence
    return Comparison(
        first=one.name,
        second=two.name,
        seeds=len(left),
        items=len(next(iter(left.values()))[key]),
        confidence=confidence,
        differences=tuple(
            found
            for name in one.experiment.task.measures
            if (found := _difference(name, left, right, confidence)) is not None
        ),
        mcnemar={
            seed: {"only_first": test.only_first, "only_second": test.only_second, "p_value": test.p_value}
            for seed, test in tests.items()
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlippedItem:
    """A held-out item that one side has right in more seeds than the other."""

    prompt: str
    completion: str
    first_right: int
    """Seeds in which the first side has it right."""

    second_right: int
    seeds: int
    first_answer: str | None
    """What the first side answers where it is wrong, in the first such seed; None where it never is."""

    second_answer: str | None

    @property
    def change(self) -> int:
        """Seeds that the second side has right beyond those of the first."""
        return self.second_right - self.first_right


def flipped_items(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    first_arm: str | None = None,
    second_arm: str | None = None,
) -> tuple[FlippedItem, ...]:
    """The held-out items on which two arms differ, those that most seeds flip first.

    Args:
        first: a run folder that has come to its end.
        second: another one, or the same with another arm.
        first_arm: an arm of the first run; None for its treatment.
        second_arm: an arm of the second run; None for its treatment.

    Raises:
        StoreError: a folder is no finished run.
        UnknownNameError: a run has no such arm.
        UsageError: the runs are not comparable.
    """
    one, two = (_Side(Path(folder), arm) for folder, arm in ((first, first_arm), (second, second_arm)))
    _check_comparable(one, two)
    left, right = one.items(), two.items()
    _pair_items(left, right, one, two)
    key = ("after", "held_out")
    rows = zip(*(left[seed][key] for seed in left), strict=True), zip(*(right[seed][key] for seed in left), strict=True)
    pairs = (_flipped(mine, others) for mine, others in zip(*rows, strict=True))
    # By the number of seeds: an item that flips in one seed each way has changed nothing.
    found = [item for item in pairs if item.change]
    return tuple(sorted(found, key=lambda item: -abs(item.change)))


def _flipped(mine: Sequence[ItemRecord], others: Sequence[ItemRecord]) -> FlippedItem:
    """One item by the seeds of both sides."""
    return FlippedItem(
        prompt=mine[0].prompt,
        completion=mine[0].completion,
        first_right=sum(item.exact_match for item in mine),
        second_right=sum(item.exact_match for item in others),
        seeds=len(mine),
        first_answer=next((item.greedy_text for item in mine if not item.exact_match), None),
        second_answer=next((item.greedy_text for item in others if not item.exact_match), None),
    )


class _Side:
    """One of the two runs, and the arm that was chosen of it."""

    def __init__(self, folder: Path, arm: str | None) -> None:
        self.folder = folder
        self.experiment = open_run(folder).experiment
        arms = all_arms(self.experiment)
        self.arm = arm or self.experiment.treatment
        if self.arm not in arms:
            raise UnknownNameError(f"arm of {folder}", self.arm, arms)
        if not (folder / "verdict.json").is_file():
            raise StoreError(f"the run in {folder} has not come to its end; give its `shoal run` command again first")

    @property
    def name(self) -> str:
        return f"{self.folder} ({self.arm})"

    def items(self) -> Sides:
        """The items after training."""
        found: Sides = {}
        for seed in self.experiment.seeds:
            items = read_items(self.folder / arm_place(self.arm, seed) / "after.jsonl", required=True)
            found[seed] = group_items((), items)
        return found


def _check_comparable(one: _Side, two: _Side) -> None:
    tables = [as_table(side.experiment) for side in (one, two)]
    for key in _MUST_AGREE:
        for place, before, now in differing({key: tables[0][key]}, {key: tables[1][key]}):
            raise UsageError(
                f"the runs are not comparable: {place} is {before!r} in {one.folder} and {now!r} in {two.folder}; "
                "run both with the same settings"
            )


def _pair_items(left: Sides, right: Sides, one: _Side, two: _Side) -> None:
    """Put the second run's held-out items into the order of the first's."""
    key = ("after", "held_out")
    for seed in left:
        places = {_item_hash(item): item for item in right[seed][key]}
        wanted = [_item_hash(item) for item in left[seed][key]]
        # As sets: two equal items of a task are one by their hash, and score the same.
        if set(wanted) != set(places):
            raise UsageError(
                f"the runs are not comparable: {one.folder} has {len(wanted)} held-out items and {two.folder} "
                f"{len(places)}, and they share {len(set(wanted) & set(places))}"
            )
        right[seed][key] = [places[item] for item in wanted]


def _item_hash(item: ItemRecord) -> str:
    return hashlib.sha256(f"{item.prompt}\0{item.completion}\0{item.ends}".encode()).hexdigest()


def _difference(name: str, left: Sides, right: Sides, confidence: float) -> Difference | None:
    from shoal.statistics import sign_flip

    differences = paired_differences(name, left, right)
    if not differences:
        return None
    result = sign_flip(list(differences.values()), confidence=confidence)
    means = [
        sum(
            value
            for seed, value in by_seed(rows, name, "after", "held_out").items()
            # Over the seeds of the difference alone, or the two means would not differ by it.
            if seed in differences and value is not None
        )
        / len(differences)
        for rows in (left, right)
    ]
    return Difference(
        measure=name,
        first=means[0],
        second=means[1],
        estimate=result.estimate,
        low=result.low,
        high=result.high,
        p_value=result.p_value,
        seeds=len(differences),
    )
