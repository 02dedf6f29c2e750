"""The verdict of an experiment, reached by the rule of `shoal.statistics.decide`, and how it reads."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.statistics import Control as Control, decide as decide
from shoal.textfiles import finite
from shoal.wording import aligned_rows, capital, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from shoal.statistics import Word

_SHOWN = (("held_out", "before"), ("held_out", "after"), ("seen", "after"))
"""Split and stage of the rows of a verdict's table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much better the treatment is than the baseline: positive is better, also where less is better."""

    measure: str
    """Its label, with its sense: ``exact match``, ``bits per byte saved``."""

    estimate: float
    """Mean over seeds of the paired differences; NaN where no pair has a value."""

    low: float
    """-infinity where so few seeds can exclude nothing."""

    high: float
    confidence: float
    smallest: float
    """The smallest effect that matters (d), stated before the run."""

    p_value: float
    smallest_p_value: float
    method: str
    differences: tuple[float, ...]
    """One per seed that has a value on both sides."""

    seeds: tuple[int, ...]
    difference_sd: float | None
    """Standard deviation of the differences; None of fewer than two."""

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Effect:
        """The effect that `Verdict.to_dict` wrote; what was not finite there is so again."""
        bounds = {"estimate": math.nan, "low": -math.inf, "high": math.inf}
        values = {key: value for key, value in record.items() if key not in bounds}
        for key, absent in bounds.items():
            values[key] = absent if record[key] is None else record[key]
        return cls(**values | {"differences": tuple(record["differences"]), "seeds": tuple(record["seeds"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of an experiment to its hypothesis, with every number behind it; ``print`` shows it in full."""

    verdict: Word
    sentence: str
    """The verdict in plain words."""

    hypothesis: str
    experiment: str
    preset: str
    task: str
    split: str
    treatment: str
    baseline: str
    seeds: int
    """Seeds per arm."""

    items: int
    """Held-out items."""

    seen_items: int
    effect: Effect
    controls: tuple[Control, ...]
    smallest_detectable_effect: float | None
    """What this many seeds, differing this much, find with a power of 80 %; None where nothing can be found."""

    seeds_needed: int | None
    """Seeds that would settle an underpowered experiment; None for another verdict or beyond 100,000."""

    needed: str | None
    """The same as a sentence."""

    items_view: dict[str, Any]
    """The second view, over items: McNemar's exact test for each seed, and a crossed bootstrap of seeds and items."""

    measures: dict[str, Any]
    """From measure to arm to stage (before, after) to split (seen, held_out) to mean, interval and values by seed."""

    explanations: dict[str, Any] = field(default_factory=dict)
    """What explains the answers of each arm: `shoal.attribution.TrainingsExplanation` as plain values."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_dict` gave."""
        controls = tuple(Control(**control) for control in record["controls"])
        return cls(**{**record, "effect": Effect.from_dict(record["effect"]), "controls": controls})

    def to_frame(self) -> pd.DataFrame:
        """Every measure as a table: a row per measure, arm, stage and split, with mean and interval over seeds."""
        import pandas as pd

        rows = [
            {"measure": name, "arm": arm, "stage": stage, "split": split}
            | {key: numbers[key] for key in ("mean", "low", "high", "seeds", "items")}
            for name, record in self.measures.items()
            for arm, stages in record["arms"].items()
            for stage, splits in stages.items()
            for split, numbers in splits.items()
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        lines = [
            f"{self.verdict.upper()}: {self.sentence}",
            "",
            f"hypothesis  {self.hypothesis}",
            f"task        {self.task}, split {self.split}: {self.seen_items} seen, {self.items} held out",
            self._effect_line(),
        ]
        if self.smallest_detectable_effect is not None:
            lines.append(
                f"power       smallest detectable effect at 80% power: {number_text(self.smallest_detectable_effect)}"
            )
        if self.needed:
            lines.append(f"to settle   {self.needed}")
        lines += ["", *self._table()]
        if self.explanations:
            lines += ["", "what explains the answers to held-out items"]
            lines += [f"  {arm}: {found['sentence']}" for arm, found in self.explanations.items()]
        lines += ["", "controls"]
        lines += [
            f"  {'passed' if control.passed else 'FAILED'}  {control.name}: {control.says}" for control in self.controls
        ]
        return "\n".join(lines)

    def _effect_line(self) -> str:
        effect = self.effect
        return (
            f"effect      {number_text(effect.estimate)} {effect.measure}, {self.treatment} - {self.baseline}, "
            f"{100 * effect.confidence:g}% interval {number_text(effect.low)} to {number_text(effect.high)}, "
            f"p = {effect.p_value:.2g} ({effect.method} sign flips over {plural(len(effect.seeds), 'seed')})"
        )

    def _table(self) -> list[str]:
        """Every measure, arm by arm, with intervals over seeds."""
        arms = list(next(iter(self.measures.values()))["arms"])
        head = ["measure", "items", "", *arms]
        rows = [head]
        for record in self.measures.values():
            for split, stage in _SHOWN:
                cells = [_cell(record["arms"][arm].get(stage, {}).get(split)) for arm in arms]
                if any(cells):
                    rows.append([record["label"], split.replace("_", " "), stage, *cells])
        confidence = f"{100 * self.effect.confidence:g}%"
        return [*aligned_rows(rows), f"mean over {plural(self.seeds, 'seed')} [{confidence} interval over seeds]"]


def verdict_sentence(
    word: Word, effect: Effect, *, treatment: str, baseline: str, items: int, controls: Sequence[Control]
) -> str:
    """The verdict in one sentence.

    Args:
        word: as `decide` gives it.
        effect: what was measured.
        treatment: the arm that the hypothesis calls better.
        baseline: the other one.
        items: held-out items.
        controls: all of them; those that failed are named.
    """
    basis = f"{plural(len(effect.seeds), 'seed')}, {plural(items, 'held-out item')}"
    gained = _gained(effect, treatment, baseline)
    interval = f"{100 * effect.confidence:g}% interval {number_text(effect.low)} to {number_text(effect.high)}"
    if word == "confounded":
        failed = " and ".join(control.says for control in controls if not control.passed)
        return f"The comparison cannot answer the hypothesis, since {failed} ({gained}; {interval}; {basis})."
    if word == "supported":
        return f"{capital(gained)} ({interval}; {basis}); an effect of {effect.smallest:g} matters."
    if word == "refuted":
        return (
            f"If {treatment} is better than {baseline} in {effect.measure}, it is by less than the "
            f"{effect.smallest:g} that matters: the effect is {number_text(effect.estimate)} ({interval}; {basis})."
        )
    if not math.isfinite(effect.low):
        from shoal.statistics import fewest_seeds

        return (
            f"{capital(gained)}, but {basis} cannot exclude anything: with fewer than "
            f"{fewest_seeds(alpha=1 - effect.confidence)} seeds no result reaches {100 * effect.confidence:g}%."
        )
    if effect.high < effect.smallest:
        lacking = f"{basis} that spread this much would have found an effect of {effect.smallest:g} with a power of "
        # The hypothesis names a direction, and this is the other one.
        if effect.high < 0:
            return (
                f"{capital(gained)}, the opposite of the hypothesis: the {interval} lies below 0. "
                f"It is not called refuted only because {lacking}less than 80%."
            )
        return (
            f"The result is inconclusive: {gained}, and the {interval} lies below the {effect.smallest:g} that "
            f"matters, but {lacking}less than 80%."
        )
    return (
        f"The result is inconclusive: {gained}, and the {interval} ({basis}) excludes neither an effect of "
        f"{effect.smallest:g}, which would matter, nor a smaller one."
    )


def needed_sentence(seeds: int | None, current: int, distance: float) -> str:
    """What would settle an underpowered experiment.

    Args:
        seeds: per arm, that find an effect of the distance with 80 % power; None where no number up to 100,000 does.
        current: seeds of the experiment.
        distance: the effect that has to be distinguished from none, in the units of the measure.
    """
    if seeds is None:
        return "no number of seeds up to 100,000 would settle it; state a larger smallest effect or reduce the spread"
    # By the power calculation this run should have sufficed, so that its own number is no advice.
    if seeds <= current:
        return (
            f"about twice as many seeds ({2 * current}); {current} should have given 80% power for a difference of "
            f"{number_text(distance)}"
        )
    return f"{seeds} seeds per arm, which give 80% power for a difference of {number_text(distance)}"


def _cell(record: Mapping[str, Any] | None) -> str:
    if record is None or record["mean"] is None:
        return ""
    low, high = record["low"], record["high"]
    bounds = f" [{low:.2f}, {high:.2f}]" if low is not None and math.isfinite(low) else ""
    return f"{record['mean']:.3f}{bounds}"


def _gained(effect: Effect, treatment: str, baseline: str) -> str:
    if not effect.seeds:
        return f"{effect.measure} has no value in both arms of any seed"
    if effect.estimate == 0:
        return f"{treatment} and {baseline} are equal in {effect.measure}"
    verb = "beats" if effect.estimate > 0 else "falls behind"
    return f"{treatment} {verb} {baseline} by {number_text(abs(effect.estimate))} in {effect.measure}"


def number_text(value: float) -> str:
    """A number for a person: three decimals, fewer where they are 0, more of a very small one."""
    if math.isnan(value):
        return "nothing"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    # A 0 that was turned, as of a measure of which less is better, would read as -0.
    if value == 0:
        return "0"
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.001 else f"{value:.2g}"
