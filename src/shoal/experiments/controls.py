"""The controls: what must hold for a difference between the arms to answer the hypothesis.

A control is a subclass of `ControlCheck` and its key in the table ``[controls]``; both stand here, and so a new control
changes this file alone. One that needs a further training has `extra_arms` or `trains`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from shoal.experiments.measures import MEASURES, MeasureName, by_seed, gain, mean_of
from shoal.experiments.tables import SettingsTable
from shoal.statistics import Control

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.records import ArmItems, ItemRecord
    from shoal.tasks import Example, Task


class CeilingTable(SettingsTable):
    """The training ceiling: what each of the two arms must reach on the seen examples."""

    measure: MeasureName = "exact_match"
    # Below 1, since a few slips on the seen examples do not mean that the rule was not fitted; an arm that learned half
    # of them would be far below.
    threshold: float = 0.9
    """The mean over seeds that is at least reached (for bits per byte, at most)."""

    @model_validator(mode="after")
    def _can_fail(self) -> CeilingTable:
        measure = MEASURES[self.measure]
        if self.threshold <= 0 if measure.bounded else math.isinf(self.threshold):
            raise ValueError(
                f"training_ceiling.threshold = {self.threshold:g} is reached by every model in {self.measure}, so that "
                "the control cannot fail; state what a model that has learned the seen examples reaches, 0.9 say"
            )
        return self


class ControlsTable(SettingsTable):
    """The controls that can make a comparison worthless; those that cost no training are always on."""

    training_ceiling: CeilingTable = CeilingTable()
    shuffled_weights: bool = True
    """Train a further arm: the treatment's weights shuffled within each tensor."""

    shuffled_labels: bool = False
    """Train the treatment once on completions that were dealt to other prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What controls look at."""

    experiment: Experiment
    task: Task
    arms: Mapping[str, ArmItems]
    """Every item of every arm, those of `ControlCheck.extra_arms` among them."""

    found: bool
    """Whether the treatment beats the baseline; where it does not, there is nothing to explain away."""

    control_items: Mapping[str, Sequence[ItemRecord]] = field(default_factory=dict)
    """Held-out items of each control that trains on examples of its own, by the control's name."""

    def held_out(self, arm: str) -> dict[int, float | None]:
        """The primary measure of a trained arm on held-out items, by seed."""
        return by_seed(self.arms[arm], self.experiment.measure.primary, "after", "held_out")


class ControlCheck(ABC):
    """One control. A subclass is registered by being defined."""

    name: ClassVar[str]
    """As verdicts and reports call it."""

    registry: ClassVar[dict[str, type[ControlCheck]]] = {}

    def __init_subclass__(cls) -> None:
        ControlCheck.registry[cls.name] = cls

    trains: ClassVar[bool] = False
    """Whether the treatment is trained for it once more, on `training_examples`."""

    def is_on(self, experiment: Experiment) -> bool:  # noqa: ARG002 - one that costs no training is always on
        """Whether the experiment requests it."""
        return True

    def extra_arms(self, experiment: Experiment) -> tuple[str, ...]:  # noqa: ARG002 - most need none
        """Arms that are trained for it, from the treatment's weights shuffled within each tensor."""
        return ()

    def training_examples(self, seen: Sequence[Example], seed: int) -> list[Example]:
        """What the treatment is trained on for it, where it `trains`.

        Args:
            seen: the seen examples.
            seed: of the training.
        """
        raise NotImplementedError

    @abstractmethod
    def check(self, evidence: Evidence) -> Control:
        """Look at the evidence."""

    @property
    def place(self) -> str:
        """The folder of its own training in the run folder."""
        return f"controls/{self.name.replace(' ', '-')}"

    def result(self, says: str, *, passed: bool, **numbers: Any) -> Control:
        """What was found, as a verdict keeps it.

        Args:
            says: a clause for a person.
            passed: whether the control holds.
            numbers: what the clause rests on.
        """
        return Control(name=self.name, passed=passed, says=says, numbers=numbers)


class TrainingCeiling(ControlCheck):
    """Both arms fit the seen examples to the threshold; an arm that did not learn them shows no generalisation."""

    name = "training ceiling"

    def check(self, evidence: Evidence) -> Control:
        """Compare the mean over seeds with the threshold."""
        experiment = evidence.experiment
        wanted = experiment.controls.training_ceiling
        measure = MEASURES[wanted.measure]
        reached = {
            arm: _mean(by_seed(evidence.arms[arm], wanted.measure, "after", "seen"))
            for arm in (experiment.treatment, experiment.baseline)
        }
        short = [
            arm for arm, mean in reached.items() if mean is None or gain(wanted.measure, mean, wanted.threshold) < 0
        ]
        bound = "at least" if measure.higher_is_better else "at most"
        who = f"{' and '.join(short)} did not fit" if short else "both arms fit"
        says = f"{who} the seen examples ({measure.label} {_values(reached)}; {bound} {wanted.threshold:g} is required)"
        return self.result(says, passed=not short, threshold=wanted.threshold, **reached)


class FloorAndCeiling(ControlCheck):
    """The primary measure has room to differ: it is not 0 in both arms for every seed, nor 1, nor without a value."""

    name = "floor and ceiling"

    def check(self, evidence: Evidence) -> Control:
        """Look at the values of all seeds of both arms."""
        experiment = evidence.experiment
        measure = MEASURES[experiment.measure.primary]
        values = {arm: evidence.held_out(arm) for arm in (experiment.treatment, experiment.baseline)}
        flat = [value for column in values.values() for value in column.values()]
        means = {arm: _mean(column) for arm, column in values.items()}
        label = measure.label
        if any(value is None for value in flat):
            says = f"{label} has no value for some seed, since it applies to none of its items"
            return self.result(says, passed=False, **means)
        # All values and not the means: one seed off the floor shows that there is room.
        if measure.bounded and set(flat) in ({0.0}, {1.0}):
            where = "floor, 0" if flat[0] == 0.0 else "ceiling, 1"
            says = f"{label} on held-out items stands at its {where}, in both arms for every seed"
            return self.result(says, passed=False, **means)
        says = f"{label} on held-out items is off floor and ceiling ({_values(means)})"
        return self.result(says, passed=True, **means)


class Leakage(ControlCheck):
    """No held-out prompt stands among the seen ones, case and spacing aside.

    What the treatment answers before any training is given with it, since its pretraining cannot be searched.
    """

    name = "leakage"

    def check(self, evidence: Evidence) -> Control:
        """Search the seen prompts for the held-out ones."""
        treatment, task = evidence.experiment.treatment, evidence.task
        # A copy that differs in case or spacing alone leaks as well.
        seen = {plain_text(example.prompt) for example in task.seen}
        leaked = [example for example in task.held_out if plain_text(example.prompt) in seen]
        total = len(task.held_out)
        known = _mean(by_seed(evidence.arms[treatment], "exact_match", "before", "held_out"))
        says = (
            f"{len(leaked)} of {total} held-out prompts stand among the seen ones, such as {leaked[0].prompt[-60:]!r}"
            if leaked
            else f"none of the {total} held-out prompts stands among the seen ones; before training, "
            f"{treatment} answers {known or 0.0:.3f} of them"
        )
        return self.result(says, passed=not leaked, leaked=len(leaked), held_out=total, answered_before_training=known)


class ShuffledWeights(ControlCheck):
    """What was learned matters, and not the size of the weights: the treatment beats itself with shuffled weights."""

    name = "shuffled weights"

    def is_on(self, experiment: Experiment) -> bool:
        """Whether the experiment requests it."""
        return experiment.controls.shuffled_weights

    def extra_arms(self, experiment: Experiment) -> tuple[str, ...]:
        """The arm of the shuffled weights."""
        return (experiment.shuffled_arm,)

    def check(self, evidence: Evidence) -> Control:
        """Compare the treatment with the shuffled arm, seed by seed."""
        from shoal.statistics import sign_flip

        experiment = evidence.experiment
        name, treatment, shuffled = experiment.measure.primary, experiment.treatment, experiment.shuffled_arm
        differences = paired_differences(name, evidence.arms[treatment], evidence.arms[shuffled])
        numbers: dict[str, Any] = {shuffled: _mean(evidence.held_out(shuffled))}
        # Without an effect there is nothing to be explained away, and failing here would turn refuted into confounded.
        if not evidence.found:
            says = "there is no effect that shuffled weights would have to account for"
            return self.result(says, passed=True, **numbers)
        if not differences:
            return self.result("the shuffled weights have no value to compare with", passed=False, **numbers)
        result = sign_flip(list(differences.values()), confidence=experiment.measure.confidence)
        numbers |= {"difference": result.estimate, "low": result.low, "high": result.high, "p_value": result.p_value}
        beats = "beats" if result.low > 0 else "does not surely beat"
        interval = f"difference {result.estimate:.3f}, interval {result.low:.3f} to {result.high:.3f}"
        says = f"{treatment} {beats} the same weights shuffled within each tensor ({interval})"
        return self.result(says, passed=result.low > 0, **numbers)


class ShuffledLabels(ControlCheck):
    """The treatment learns from the completions: trained on ones dealt to other prompts, it is worse for every seed."""

    name = "shuffled labels"
    trains = True

    def is_on(self, experiment: Experiment) -> bool:
        """Whether the experiment requests it."""
        return experiment.controls.shuffled_labels

    def training_examples(self, seen: Sequence[Example], seed: int) -> list[Example]:
        """The seen examples, their completions shuffled among the prompts.

        Args:
            seen: the seen examples.
            seed: of the training.
        """
        from shoal.experiments.tasks import shuffle_labels

        return shuffle_labels(seen, seed)

    def check(self, evidence: Evidence) -> Control:
        """Compare the treatment with itself trained on shuffled completions."""
        experiment = evidence.experiment
        name, treatment = experiment.measure.primary, experiment.treatment
        value = mean_of(name, evidence.control_items[self.name])
        trained = [one for one in evidence.held_out(treatment).values() if one is not None]
        # The sign for every seed, and no test: the control is trained once, so that it has no spread of its own.
        passed = not evidence.found or (value is None or all(gain(name, one, value) > 0 for one in trained))
        says = (
            f"trained on completions dealt to other prompts, {treatment} reaches "
            f"{'no value' if value is None else f'{value:.3f}'} {MEASURES[name].label} on held-out items"
        )
        return self.result(says, passed=passed, shuffled=value, least=min(trained, default=math.nan))


def controls_of(experiment: Experiment) -> tuple[ControlCheck, ...]:
    """The controls that the experiment requests, in the order in which verdicts give them."""
    return tuple(control for kind in ControlCheck.registry.values() if (control := kind()).is_on(experiment))


def all_arms(experiment: Experiment) -> tuple[str, ...]:
    """The arms of the file, and those that controls train."""
    extra = [arm for control in controls_of(experiment) for arm in control.extra_arms(experiment)]
    return (*experiment.arms, *extra)


def paired_differences(measure: str, treatment: ArmItems, baseline: ArmItems) -> dict[int, float]:
    """By how much the treatment is better on held-out items, for each seed with a value on both sides.

    Args:
        measure: its name.
        treatment: the items of one arm.
        baseline: those of the other.
    """
    first = by_seed(treatment, measure, "after", "held_out")
    second = by_seed(baseline, measure, "after", "held_out")
    pairs = {seed: (first[seed], second.get(seed)) for seed in first}
    return {seed: gain(measure, a, b) for seed, (a, b) in pairs.items() if a is not None and b is not None}


def _mean(values: Mapping[int, float | None]) -> float | None:
    known = [value for value in values.values() if value is not None]
    return sum(known) / len(known) if known else None


def plain_text(text: str) -> str:
    """A prompt without what does not tell it from another: case and spacing."""
    return " ".join(text.split()).casefold()


def _values(means: Mapping[str, float | None]) -> str:
    return ", ".join(f"{arm} {'none' if mean is None else f'{mean:.3f}'}" for arm, mean in means.items())
