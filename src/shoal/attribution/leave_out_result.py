"""What the groups of a leave-out teach: changes with intervals over seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.statistics import fewest_seeds, sign_flip
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas

    from shoal.attribution.leave_out_records import TrainedWithout
    from shoal.tasks import Task

ACCURACY = "accuracy"

_SHOWN_SHARE = 0.05
"""Explanations that reach this mean share in no training are left out of the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOutChange:
    """The change of one quantity, seed by seed."""

    estimate: float
    """The mean over seeds."""

    low: float
    """-infinity where so few seeds can never exclude anything."""

    high: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEffect:
    """What changes where a group is left out of training."""

    group: str
    examples: int
    changes: Mapping[str, LeaveOutChange]
    """Of ``accuracy`` and of each explanation's share, without the group minus with all examples."""

    beyond_chance: Mapping[str, LeaveOutChange]
    """Without the group minus without as many examples at random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOutResult:
    """Which training examples teach what; ``print`` shows it in full."""

    task: str
    seeds: tuple[int, ...]
    confidence: float
    held_out: int
    """Examples that were answered."""

    all_examples: Mapping[str, float]
    """Accuracy and shares with all examples, means over seeds."""

    groups: tuple[GroupEffect, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ends that cannot be bounded become None."""
        record = asdict(self)
        for group in record["groups"]:
            for kind in ("changes", "beyond_chance"):
                for change in group[kind].values():
                    change.update({end: None for end in ("low", "high") if abs(change[end]) == float("inf")})
        return record

    def to_frame(self) -> pandas.DataFrame:
        """A row for each group and quantity."""
        import pandas

        return pandas.DataFrame(
            {
                "group": effect.group,
                "examples": effect.examples,
                "quantity": name,
                "with_all": self.all_examples[name],
                "change": change.estimate,
                "low": change.low,
                "high": change.high,
                "change_beyond_chance": effect.beyond_chance[name].estimate,
                "low_beyond_chance": effect.beyond_chance[name].low,
                "high_beyond_chance": effect.beyond_chance[name].high,
            }
            for effect in self.groups
            for name, change in effect.changes.items()
        )

    def __str__(self) -> str:
        percent = f"{100 * self.confidence:g}%"
        lines = [
            (
                f"Trained without each group; {plural(len(self.seeds), 'seed')}, "
                f"{plural(self.held_out, 'held-out example')}:"
            ),
            f"change, [{percent} interval over seeds], and the change beyond leaving out as many at random",
        ]
        for effect in self.groups:
            lines += ["", f"without {effect.group} ({plural(effect.examples, 'example')})"]
            lines += [
                f"  {name}: {self.all_examples[name]:.2f} {_change(change)}; beyond chance "
                f"{_change(effect.beyond_chance[name])}"
                for name, change in effect.changes.items()
            ]
        needed = fewest_seeds(alpha=1 - self.confidence)
        if len(self.seeds) < needed:
            lines += ["", f"An interval of {percent} needs {needed} seeds or more."]
        return "\n".join(lines)


def summarize_leave_out(task: Task, records: Sequence[TrainedWithout], confidence: float) -> LeaveOutResult:
    """Changes by group, each with an interval over seeds.

    Args:
        task: that was trained on.
        records: of all trainings; those of a group are paired by seed.
        confidence: of the intervals.
    """
    names = dict.fromkeys(name for record in records for name in record.shares)
    by_unit = {(record.group, record.control, record.seed): _quantities(record, names) for record in records}
    seeds = tuple(dict.fromkeys(record.seed for record in records))
    sizes = {record.group: record.removed for record in records if record.group is not None}
    units = [(None, False), *((group, control) for group in sizes for control in (False, True))]
    means = [_mean([by_unit[group, control, seed] for seed in seeds]) for group, control in units]
    # By the largest mean of all trainings: a shortcut that is followed only without a group is what is looked for.
    shown = [name for name in means[0] if name == ACCURACY or max(mean[name] for mean in means) >= _SHOWN_SHARE]

    def changes(group: str, reference: tuple[str | None, bool]) -> dict[str, LeaveOutChange]:
        return {
            name: _over_seeds(
                [by_unit[group, False, seed][name] - by_unit[(*reference, seed)][name] for seed in seeds], confidence
            )
            for name in shown
        }

    return LeaveOutResult(
        task=task.name,
        seeds=seeds,
        confidence=confidence,
        held_out=len(task.held_out),
        all_examples={name: means[0][name] for name in shown},
        groups=tuple(
            GroupEffect(
                group=group,
                examples=size,
                changes=changes(group, (None, False)),
                beyond_chance=changes(group, (group, True)),
            )
            for group, size in sizes.items()
        ),
    )


def _quantities(record: TrainedWithout, names: Iterable[str]) -> dict[str, float]:
    # An explanation that has no answer to any item after these examples has no share of them.
    return {ACCURACY: record.accuracy, **{name: record.shares.get(name, 0.0) for name in names}}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _over_seeds(differences: Sequence[float], confidence: float) -> LeaveOutChange:
    found = sign_flip(differences, confidence=confidence)
    return LeaveOutChange(estimate=found.estimate, low=found.low, high=found.high, by_seed=tuple(differences))


def _change(change: LeaveOutChange) -> str:
    return f"{change.estimate:+.2f} [{change.low:+.2f}, {change.high:+.2f}]"
