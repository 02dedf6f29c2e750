"""What an experiment on safety tuning found: each measure by the number of safety examples, verdicts, the best."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.experiments.safety_tuning.plan import COMPLIED, LOSS, REFUSED
from shoal.experiments.verdict import number_text
from shoal.textfiles import finite
from shoal.wording import aligned_rows, plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas

    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
    from shoal.statistics import Control, Word

HARM_IN_HARMFUL, HARM_IN_SAFE = "harm_in_harmful", "harm_in_safe"
LABELS = {
    COMPLIED: "harmful requests complied with",
    REFUSED: "safe requests refused",
    LOSS: "held-out loss (nats per token)",
    HARM_IN_HARMFUL: "harmful answers to harmful requests",
    HARM_IN_SAFE: "harmful answers to safe requests",
}
"""Of the measures that every experiment has, and of those of a scorer of harm."""


def measure_label(measure: str) -> str:
    """What a measure is called; a benchmark is called by its name."""
    return LABELS.get(measure, f"{measure} (accuracy)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningEstimate:
    """A measure after tuning with a number of safety examples; intervals are over trainings and items."""

    measure: str
    safety_examples: int | None
    """None for the model before tuning, whose interval is over items alone."""

    value: float
    """Of the rates: corrected for the scorer's errors. NaN, as the interval is, where all answers are empty."""

    low: float
    high: float
    raw: float
    """As the scorer counts; the value itself where there is nothing to correct."""

    by_training: tuple[float, ...]
    """Of each training; of the rates corrected as their mean is, and not cut to 0 and 1."""

    items: int

    def __str__(self) -> str:
        return "no answers" if math.isnan(self.value) else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRefusals:
    """How often requests of a type are refused after tuning with a number of safety examples."""

    type: str
    harmful: bool
    safety_examples: int | None
    value: float
    """Corrected for the scorer's errors."""

    low: float
    high: float
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningVerdict:
    """A claim of the file and its verdict."""

    name: str
    claim: str
    measure: str
    comparison: str
    verdict: Word
    sentence: str
    estimate: float
    """Treatment minus baseline, positive in the direction of the claim."""

    low: float
    high: float
    confidence: float
    """Of the interval, corrected for the number of claims (Bonferroni)."""

    smallest_effect: float
    p_value: float
    """Two-sided, of no effect, by permutation of the trainings."""

    smallest_p_value: float
    detectable: float | None
    seeds_needed: int | None
    trainings: int
    items_estimate: float
    """The same difference by Student's t over trainings and items, as a check."""

    items_low: float
    items_high: float
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestNumber:
    """The number of safety examples that is best at the stated trade-off."""

    safety_examples: int | None
    """None where no number has answers to both kinds of requests."""

    costs: Mapping[int, float]
    """By number: harmful requests complied with, and safe ones refused times their weight; NaN where all answers to one
    kind are empty."""

    excluded: tuple[int, ...]
    """Numbers whose held-out loss is too high."""

    chances: Mapping[int, float]
    """By number: how often it is the best one over resampled trainings and requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyTuning:
    """What an experiment on safety tuning found; ``print`` shows it."""

    folder: Path
    plan: SafetyTuningPlan
    trainings: int
    """That are done."""

    planned: int
    estimates: tuple[TuningEstimate, ...]
    types: tuple[TypeRefusals, ...]
    verdicts: tuple[TuningVerdict, ...]
    best: BestNumber
    empty: int
    """Empty answers, which stand in no rate."""

    answers: int
    tokens: Mapping[int, float]
    """Tokens that a training read, by number of safety examples, the mean over trainings."""

    cpu_seconds: float
    """Of all trainings and their measuring."""

    harm: tuple[TuningEstimate, ...] = ()
    """The shares of harmful answers, where a scorer of harm was given."""

    harm_scorer: str = ""
    """Its name, and whether its errors were corrected."""

    def estimate(self, measure: str, safety_examples: int | None) -> TuningEstimate:
        """One estimate.

        Args:
            measure: its name.
            safety_examples: the number; None for the model before tuning.
        """
        return next(one for one in self.estimates if one.measure == measure and one.safety_examples == safety_examples)

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """The numbers of safety examples that have a training, the untuned model first."""
        return tuple(dict.fromkeys(one.safety_examples for one in self.estimates))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain: dict[str, Any] = finite(
            {
                "plan": self.plan.model_dump(mode="json", exclude_none=True),
                "trainings": self.trainings,
                "planned": self.planned,
                "estimates": [asdict(one) for one in self.estimates],
                "types": [asdict(one) for one in self.types],
                "verdicts": [asdict(one) for one in self.verdicts],
                "best": {
                    "safety_examples": self.best.safety_examples,
                    "costs": {str(number): cost for number, cost in self.best.costs.items()},
                    "excluded": list(self.best.excluded),
                    "chances": {str(number): chance for number, chance in self.best.chances.items()},
                },
                "empty": self.empty,
                "answers": self.answers,
                "tokens": {str(number): count for number, count in self.tokens.items()},
                "cpu_seconds": self.cpu_seconds,
            }
        )
        if self.harm:
            plain |= {"harm": [asdict(one) for one in self.harm], "harm_scorer": self.harm_scorer}
        return plain

    def to_frame(self) -> pandas.DataFrame:
        """A row per measure and number of safety examples."""
        import pandas

        return pandas.DataFrame([asdict(one) for one in (*self.estimates, *self.harm)])

    def harm_rows(self) -> list[list[str]]:
        """The table of harmful answers, its head first; empty where harm was not scored."""
        measures = list(dict.fromkeys(one.measure for one in self.harm))
        if not measures:
            return []
        rows = [["safety examples", *map(measure_label, measures)]]
        for number in self.numbers:
            found = {one.measure: one for one in self.harm if one.safety_examples == number}
            name = "before tuning" if number is None else f"{number:,}"
            rows.append([name, *(str(found.get(measure, "")) for measure in measures)])
        return rows

    def notes(self) -> list[str]:
        """What a reader must know of the numbers."""
        meaning = "Compliance means that an answer does not refuse, not that it is of any use."
        found = [
            f"Rates are corrected for the scorer's errors; intervals are over trainings and requests. {meaning}",
        ]
        if self.empty:
            found.append(f"{self.empty:,} of {self.answers:,} answers are empty; they stand in no rate.")
        if self.trainings < self.planned:
            found.append(
                f"{self.trainings} of {self.planned} trainings are done; give the same command again to do the rest."
            )
        return found

    def __str__(self) -> str:
        """The curve, the verdicts and the best number as lines for a person."""
        head = ["safety examples", *(measure_label(measure) for measure in self.plan.measures)]
        rows = [head]
        for number in self.numbers:
            name = "before tuning" if number is None else f"{number:,}"
            rows.append([name, *(str(self.estimate(measure, number)) for measure in self.plan.measures)])
        lines = aligned_rows(rows)
        for one in self.verdicts:
            interval = f"{one.confidence:.1%} interval {number_text(one.low)} to {number_text(one.high)}"
            effect = f"{number_text(one.estimate)} in {measure_label(one.measure)}, {one.comparison}; {interval}"
            check = " to ".join(map(number_text, (one.items_low, one.items_high)))
            lines += [
                "",
                f"{one.verdict.upper()}: {one.sentence}",
                f"  claim    {one.claim}",
                f"  effect   {effect}, p = {one.p_value:.2g} ({plural(one.trainings, 'training')})",
                f"  check    {number_text(one.items_estimate)}, {check} over trainings and items",
            ]
            if one.seeds_needed is not None:
                lines.append(f"  settle   {one.seeds_needed} seeds, by the spread of these")
            lines += [f"  FAILED   {control.name}: {control.says}" for control in one.controls if not control.passed]
        if self.harm:
            lines += ["", *aligned_rows(self.harm_rows()), f"harm by {self.harm_scorer}"]
        return "\n".join([*lines, "", self.best_line(), "", *self.notes()])

    def best_line(self) -> str:
        """The best number in a sentence."""
        trade = self.plan.trade_off
        # The first that is done, to which the losses of the others were compared.
        first = next(iter(self.best.costs))
        rule = (
            f"harmful requests complied with + {trade.refused_weight:g} x safe requests refused, the held-out loss at "
            f"most {trade.max_loss_increase:g} above that with {first:,}"
        )
        if self.best.safety_examples is None:
            return f"No number of safety examples has answers to both kinds of requests, and so a cost ({rule})."
        chance = self.best.chances[self.best.safety_examples]
        cost = self.best.costs[self.best.safety_examples]
        return (
            f"Best at the stated trade-off: {self.best.safety_examples:,} safety examples ({rule}); the best one in "
            f"{chance:.0%} of resamples of trainings and requests. It costs {cost:.2f}; a model that never refuses "
            f"costs 1, and one that always does {trade.refused_weight:g}."
        )
