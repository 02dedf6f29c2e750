"""Two runs beside each other, item by item and seed by seed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError, UnknownNameError, UsageError
from shoal.experiments.controls import paired
from shoal.experiments.loading import experiment_from
from shoal.experiments.measures import MEASURES, MeasureName, Row
from shoal.experiments.settings_file import as_table, differing, read_table
from shoal.experiments.summary import SPLITS, STAGES, all_arms, arm_place
from shoal.experiments.writing import finite, read_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.experiment import Experiment

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


def compare_runs(
    first: Path | str, second: Path | str, *, first_arm: str | None = None, second_arm: str | None = None
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
    left, right = one.rows(), two.rows()
    _pair_items(left, right, one, two)
    key = ("after", "held_out")
    tests = {
        str(seed): mcnemar_exact(
            [row["exact_match"] for row in left[seed][key]], [row["exact_match"] for row in right[seed][key]]
        )
        for seed in left
    }
    confidence = one.experiment.measure.confidence
    return Comparison(
        first=one.name,
        second=two.name,
        seeds=len(left),
        items=len(next(iter(left.values()))[key]),
        confidence=confidence,
        differences=tuple(
            found for name in MEASURES if (found := _difference(name, left, right, confidence)) is not None
        ),
        mcnemar={
            seed: {"only_first": test.only_first, "only_second": test.only_second, "p_value": test.p_value}
            for seed, test in tests.items()
        },
    )


class _Side:
    """One of the two runs, and the arm that was chosen of it."""

    def __init__(self, folder: Path, arm: str | None) -> None:
        plan = folder / "experiment.toml"
        if not plan.is_file():
            raise StoreError(
                f"{folder} is not a run: it has no experiment.toml; give the folder that `shoal run` printed"
            )
        self.folder = folder
        self.experiment: Experiment = experiment_from(read_table(plan), str(plan))
        arms = all_arms(self.experiment)
        self.arm = arm or self.experiment.treatment
        if self.arm not in arms:
            raise UnknownNameError(f"arm of {folder}", self.arm, arms)
        if not (folder / "verdict.json").is_file():
            raise StoreError(f"the run in {folder} has not come to its end; give its `shoal run` command again first")

    @property
    def name(self) -> str:
        return f"{self.folder} ({self.arm})"

    def rows(self) -> dict[int, dict[tuple[str, str], list[Row]]]:
        found: dict[int, dict[tuple[str, str], list[Row]]] = {}
        for seed in self.experiment.seeds:
            parts: dict[tuple[str, str], list[Row]] = {(stage, split): [] for stage in STAGES for split in SPLITS}
            for row in read_jsonl(self.folder / arm_place(self.arm, seed) / "after.jsonl"):
                parts["after", row["split"]].append(row)
            found[seed] = parts
        return found


def _check_comparable(one: _Side, two: _Side) -> None:
    tables = [as_table(side.experiment) for side in (one, two)]
    for key in _MUST_AGREE:
        for place, before, now in differing({key: tables[0][key]}, {key: tables[1][key]}):
            raise UsageError(
                f"the runs are not comparable: {place} is {before!r} in {one.folder} and {now!r} in {two.folder}; "
                "run both with the same settings"
            )


def _pair_items(left: Mapping[int, Any], right: Mapping[int, Any], one: _Side, two: _Side) -> None:
    """Put the second run's held-out items into the order of the first's."""
    key = ("after", "held_out")
    for seed in left:
        places = {_item_hash(row): row for row in right[seed][key]}
        wanted = [_item_hash(row) for row in left[seed][key]]
        if set(wanted) != set(places):
            raise UsageError(
                f"the runs are not comparable: {one.folder} has {len(wanted)} held-out items and {two.folder} "
                f"{len(places)}, and they share {len(set(wanted) & set(places))}"
            )
        right[seed][key] = [places[item] for item in wanted]


def _item_hash(row: Row) -> str:
    return hashlib.sha256(f"{row['prompt']}\0{row['completion']}".encode()).hexdigest()


def _difference(
    name: MeasureName, left: Mapping[int, Any], right: Mapping[int, Any], confidence: float
) -> Difference | None:
    from shoal.experiments.summary import by_seed
    from shoal.statistics import sign_flip

    differences = paired(name, left, right)
    if not differences:
        return None
    result = sign_flip(list(differences.values()), confidence=confidence)
    means = [
        sum(
            value
            for seed, value in by_seed(rows, name, "after", "held_out").items()
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
