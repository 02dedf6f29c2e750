"""What an experiment file holds: frozen models in which every key is known and every value has its range."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from shoal.errors import ShoalError
from shoal.experiments.controls import ControlsTable
from shoal.experiments.measures import MEASURES, Measure, MeasureName, measures_of
from shoal.experiments.tables import (
    Confidence,
    Count,
    LearningTable,
    Name,
    NotNegative,
    Positive,
    SettingsTable,
    Share,
    ShareOrZero,
)


def _known_augmenters(specs: tuple[str | dict[str, Any], ...]) -> tuple[str | dict[str, Any], ...]:
    """The methods, if all of them can be used while training."""
    from shoal.curation.augmentation import make_augmenter

    for spec in specs:
        try:
            method = make_augmenter(spec)
        except ShoalError as error:
            raise ValueError(f"training.augment: {error}") from error
        if method.needs_endpoint:
            raise ValueError(
                f"training.augment: {method.name} asks an endpoint and cannot be a part of a training; write the "
                "augmented rows with shoal task --augment, and train on them by task.rows"
            )
    return specs


Augmenters = Annotated[tuple[str | dict[str, Any], ...], Field(strict=False), AfterValidator(_known_augmenters)]
"""Methods of augmentation: names with parameters in brackets, or tables with ``name`` and parameters."""


class TaskTable(SettingsTable):
    """Where the examples come from."""

    name: Name
    """A task by name: ``counting``; with ``rows``, what reports call it."""

    options: dict[str, Any] = Field(default_factory=dict)
    """The task's own options, as `make_task` takes them."""

    rows: str | None = None
    """A file of your own rows instead: JSONL or Parquet with the columns prompt and completion."""

    rule: str | None = None
    """The rule of your rows, as ``FILE.py:FUNCTION``: it gives the completion of a prompt."""

    shortcuts: dict[Name, str | dict[str, Any]] = Field(default_factory=dict)
    """Shortcuts of your own by name: ``FILE.py:FUNCTION``, or a table such as ``{ word = -1 }``."""

    @model_validator(mode="after")
    def _either(self) -> TaskTable:
        if self.rows is not None and self.options:
            raise ValueError("task.options belong to a task by name, and task.rows names a file; give one of them")
        if self.rule is not None and self.rows is None:
            raise ValueError("task.rule is the rule of task.rows; a task by name has its own rule")
        return self

    @property
    def measures(self) -> dict[str, Measure]:
        """The measures that apply to the task, by name."""
        return measures_of(self.name if self.rows is None else None)


class SplitTable(SettingsTable):
    """Which examples are held out."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class TrainingTable(LearningTable):
    """How every arm is trained, the seed being the run's."""

    learning_rate: Positive = 1e-3
    """Used as it stands only where ``[tuning]`` names no learning rates."""

    epochs: Positive = 10.0
    batch_tokens: Count = 2048
    beta2: ShareOrZero = 0.999
    weight_decay: NotNegative = 0.0
    warmup: ShareOrZero = 0.05
    augment: Augmenters | None = None
    """Methods that make further training examples of the seen ones: ``["spelling-noise", "counterfactuals"]``. The
    number of training steps stays as it is without them."""

    augment_copies: Count | None = None
    """Examples that each method makes of each seen one; None for 1."""

    augment_unchecked: bool | None = None
    """Whether examples may be added though the task has no rule that could check them; None for no."""

    @model_validator(mode="after")
    def _stops_by_no_held_out_part(self) -> TrainingTable:
        for name in ("early_stopping_patience", "keep_best"):
            if getattr(self, name):
                raise ValueError(
                    f"training.{name} would choose weights by the held-out part, which decides the hypothesis; leave "
                    "it out, and choose training.epochs by [tuning] instead"
                )
        return self


class TuningTable(SettingsTable):
    """The learning rates that each arm tries, with an equal budget, on a part of the seen examples."""

    learning_rates: Annotated[tuple[Positive, ...], Field(strict=False)] = ()
    """Empty: every arm takes the learning rate of ``[training]``."""

    validation: Share = 0.2
    """Share of the seen examples that a trial does not train on and is scored on."""

    epochs: Positive | None = None
    """Passes of a trial; None for as many as in training."""

    seeds: Count = 1
    """Trials for each learning rate; their mean score decides."""

    # Of a few validation examples exact match is 0 or 1 for most rates; bits per byte still tell them apart.
    score: MeasureName = "bits_per_byte"

    @model_validator(mode="after")
    def _distinct(self) -> TuningTable:
        if len(set(self.learning_rates)) != len(self.learning_rates):
            raise ValueError("a rate stands twice in tuning.learning_rates; each may stand once")
        return self


class MeasureTable(SettingsTable):
    """What the verdict rests on."""

    primary: MeasureName
    # Without a default: what matters is a judgement about the task, and must be made before the result is known.
    smallest_effect: Positive
    """The smallest difference between the arms that would matter, in the units of the measure."""

    confidence: Confidence = 0.95
    """Confidence of every interval."""


class EvaluationTable(SettingsTable):
    """How models are evaluated."""

    token_budget: Count = 4096
    """Tokens per batch, padding counted."""


class Experiment(SettingsTable):
    """One experiment, its preset resolved."""

    name: Name
    preset: Name = "default"
    hypothesis: str
    """A sentence that the verdict supports or refutes."""

    treatment: Name
    """The arm that the hypothesis says is better."""

    baseline: Name
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)]
    """In the file a list, or a number n for 0 to n - 1."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    task: TaskTable
    split: SplitTable
    arms: Annotated[dict[Name, str], Field(min_length=2)]
    """From an arm's name to its model spec."""

    measure: MeasureTable
    training: TrainingTable = TrainingTable()
    tuning: TuningTable = TuningTable()
    controls: ControlsTable = ControlsTable()
    evaluation: EvaluationTable = EvaluationTable()

    # Before the fields are validated, since the field itself is a tuple.
    @model_validator(mode="before")
    @classmethod
    def _count_of_seeds(cls, data: Any) -> Any:
        # By type and not `isinstance`: true is an int in Python, and ``seeds = true`` is a mistake.
        if isinstance(data, dict) and type(data.get("seeds")) is int:
            # Seeds from 10,000 on belong to the trials (`TRIAL_SEED`).
            if not 1 <= data["seeds"] <= 10_000:
                raise ValueError(
                    f"seeds = {data['seeds']}: a number of seeds lies between 1 and 10000; 6 or more can settle it"
                )
            return data | {"seeds": tuple(range(data["seeds"]))}
        return data

    @model_validator(mode="after")
    def _arms_exist(self) -> Experiment:
        for role in ("treatment", "baseline"):
            if getattr(self, role) not in self.arms:
                raise ValueError(f"{role} = {getattr(self, role)!r} is none of the arms: {', '.join(self.arms)}")
        if self.treatment == self.baseline:
            raise ValueError("treatment and baseline are the same arm; a comparison needs two")
        if self.shuffled_arm in self.arms:
            raise ValueError(
                f"the arm name {self.shuffled_arm!r} is reserved for the shuffled-weights control; rename the arm"
            )
        self._check_measures()
        if MEASURES[self.measure.primary].bounded and self.measure.smallest_effect >= 1:
            raise ValueError(
                f"measure.smallest_effect = {self.measure.smallest_effect:g}: {self.measure.primary} lies between 0 "
                "and 1, so that no effect is larger than 1"
            )
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed stands twice in seeds; each may stand once")
        if max(self.seeds) >= 10_000:
            raise ValueError(
                f"seeds holds {max(self.seeds)}; give seeds below 10000, since those from there on are drawn for the "
                "trials of tuning"
            )
        return self

    def _check_measures(self) -> None:
        """Refuse a measure that belongs to another task: it would have no meaning here."""
        used = {
            "measure.primary": self.measure.primary,
            "tuning.score": self.tuning.score,
            "controls.training_ceiling.measure": self.controls.training_ceiling.measure,
        }
        for key, name in used.items():
            if name not in self.task.measures:
                owners = ", ".join(sorted(MEASURES[name].tasks or ()))
                raise ValueError(
                    f"{key} = {name!r} is a measure of {owners} alone; for the task {self.task.name!r} give one of "
                    f"{', '.join(self.task.measures)}"
                )

    @property
    def shuffled_arm(self) -> str:
        """The name of the arm that the shuffled-weights control trains."""
        return f"{self.treatment}-shuffled"

    @property
    def folder_name(self) -> str:
        """How its run folder is called by default: ``counting-quick``."""
        return f"{self.name}-{self.preset}"
