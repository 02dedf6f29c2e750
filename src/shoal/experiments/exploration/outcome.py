"""Whether a prediction held: the changed run against the base run, seed by seed, by one written rule."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import StoreError, UsageError
from shoal.experiments.measures import by_seed, gain
from shoal.experiments.run_folder import open_run
from shoal.experiments.settings_file import differing
from shoal.experiments.tables import as_table
from shoal.statistics import sign_flip
from shoal.textfiles import finite

if TYPE_CHECKING:
    import os

    import pandas

    from shoal.experiments.exploration.prediction import ChangePrediction, Direction
    from shoal.experiments.run_folder import Run

Decision = Literal["held", "failed", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionOutcome:
    """What `judge_prediction` found."""

    prediction: ChangePrediction
    decision: Decision
    changed: tuple[str, ...]
    """The keys in which the two runs differ; one, if the exploration was followed."""

    measure: str
    smallest: float
    """The smallest effect that matters, from the experiment."""

    base: float
    """Mean over seeds of the quantity in the base run: of an arm in units of the measure, of the effect the gain."""

    now: float
    """Likewise in the changed run."""

    estimate: float
    """The mean difference: changed minus base, positive being better."""

    low: float
    high: float
    confidence: float
    differences: tuple[float, ...]
    """One per seed."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def to_frame(self) -> pandas.DataFrame:
        """A row per seed: the difference."""
        import pandas

        return pandas.DataFrame({"difference": self.differences})

    def __str__(self) -> str:
        words = {
            "held": "The prediction held",
            "failed": "The prediction failed",
            "undecided": "The runs do not decide the prediction",
        }
        lines = [f"{words[self.decision]}: {self.prediction}."]
        shown = f"the effect on {self.measure}" if self.prediction.quantity == "effect" else self.measure
        lines.append(
            f"{shown} went from {self.base:.3f} to {self.now:.3f}: "
            f"difference {self.estimate:+.3f} (positive is better), {100 * self.confidence:g}% interval "
            f"[{self.low:+.3f}, {self.high:+.3f}] over {len(self.differences)} seeds; "
            f"the smallest effect that matters is {self.smallest:g}."
        )
        if len(self.changed) > 1:
            named = ", ".join(self.changed)
            lines.append(f"{len(self.changed)} things were changed ({named}), so that the difference has many causes.")
        return "\n".join(lines)


def judge_prediction(
    prediction: ChangePrediction, base: str | os.PathLike[str], changed: str | os.PathLike[str]
) -> PredictionOutcome:
    """Compare two runs by a prediction.

    With the interval [L, U] of the difference (changed minus base) and the smallest effect that matters d, *higher*
    held if L > 0 and the estimate is at least d, and failed if U < d; *lower* is its mirror image; *same* held if the
    interval lies within (-d, d), and failed if it lies outside. Otherwise the runs do not decide it. Seeds are paired.

    Args:
        prediction: made before the changed run.
        base: a run that has come to its end.
        changed: another one of the same experiment with one thing changed.

    Raises:
        StoreError: a run has not come to its end.
        UsageError: the runs differ in their measure or their seeds.
    """
    runs = [_finished(folder) for folder in (base, changed)]
    plans = [as_table(run.experiment) for run in runs]
    differences = [
        key for key, _, _ in differing(plans[0], plans[1]) if key.split(".")[0] not in ("name", "hypothesis", "preset")
    ]
    for key in differences:
        if key.split(".")[0] in ("measure", "seeds", "treatment", "baseline"):
            raise UsageError(f"the runs differ in {key}, so that they cannot be compared; run both with the same")
    measure = runs[0].experiment.measure
    values = [_by_seed(run, prediction, measure.primary) for run in runs]
    paired = [seed for seed in values[0] if seed in values[1]]
    if not paired:
        raise UsageError(f"{measure.primary} has no value in both runs for any seed; choose another measure")
    found = sign_flip([values[1][seed] - values[0][seed] for seed in paired], confidence=measure.confidence)
    smallest = measure.smallest_effect
    # A mean is shown as the measure has it; an effect is a gain already, of which more is better.
    sign = 1.0 if prediction.quantity == "effect" else gain(measure.primary, 1.0, 0.0)
    return PredictionOutcome(
        prediction=prediction,
        decision=decide_prediction(prediction.direction, found.estimate, found.low, found.high, smallest),
        changed=tuple(differences),
        measure=runs[0].experiment.task.measures[measure.primary].label,
        smallest=smallest,
        base=sign * sum(values[0][seed] for seed in paired) / len(paired),
        now=sign * sum(values[1][seed] for seed in paired) / len(paired),
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        confidence=found.confidence,
        differences=tuple(values[1][seed] - values[0][seed] for seed in paired),
    )


def decide_prediction(direction: Direction, estimate: float, low: float, high: float, smallest: float) -> Decision:
    """The rule of `judge_prediction`.

    Args:
        direction: that was predicted.
        estimate: of the difference.
        low: end of its interval.
        high: the other end.
        smallest: the smallest effect that matters (d).
    """
    if direction == "lower":
        return decide_prediction("higher", -estimate, -high, -low, smallest)
    if direction == "higher":
        if low > 0 and estimate >= smallest:
            return "held"
        return "failed" if high < smallest else "undecided"
    if -smallest < low and high < smallest:
        return "held"
    return "failed" if low >= smallest or high <= -smallest else "undecided"


def _finished(folder: str | os.PathLike[str]) -> Run:
    run = open_run(folder)
    if run.verdict is None:
        raise StoreError(f"the run in {folder} has not come to its end; run it to its end first")
    return run


def _by_seed(run: Run, prediction: ChangePrediction, measure: str) -> dict[int, float]:
    """The quantity of each seed that has it; higher is better."""
    plan = run.experiment
    arms = {arm: by_seed(run.items_of(arm), measure, "after", "held_out") for arm in (plan.treatment, plan.baseline)}
    found = {}
    for seed in plan.seeds:
        treatment, baseline = arms[plan.treatment][seed], arms[plan.baseline][seed]
        value = treatment if prediction.quantity == "treatment" else baseline
        if prediction.quantity == "effect":
            if treatment is not None and baseline is not None:
                found[seed] = gain(measure, treatment, baseline)
        elif value is not None:
            found[seed] = gain(measure, value, 0.0)
    return found
