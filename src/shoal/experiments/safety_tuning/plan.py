"""What an experiment on safety tuning is made of: model, data, numbers of safety examples, claims; read from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from shoal.experiments.loading import located_source, read_named_table, validated, with_changes
from shoal.experiments.tables import (
    Confidence,
    Count,
    LearningTable,
    Name,
    NotNegative,
    Positive,
    RunPlan,
    SettingsTable,
    ShareOrZero,
    Whole,
    in_range,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

COMPLIED, REFUSED, LOSS = "harmful_complied", "safe_refused", "held_out_loss"
"""The measures that every experiment has; the benchmarks are measures by their own names."""

TuningDirection = Literal["lower", "higher"]


class PairsTable(SettingsTable):
    """Instructions with answers."""

    source: str
    """A file as `shoal.safety.tuning.read_instruction_pairs` takes it."""

    max_prompt_tokens: Count = 64
    """Of an instruction; longer ones are left out."""

    max_answer_tokens: Count = 128
    """Of an answer; it ends with the last whole sentence that fits."""


class InstructionsTable(PairsTable):
    """The instructions that every training learns from, and those that are held out."""

    examples: Count
    """That a training learns from, drawn by its seed."""

    held_out: Count = 100
    """That none learns from; their loss shows what instruction following costs."""


class RequestsTable(SettingsTable):
    """Requests that the models answer."""

    source: str
    """A file as `shoal.safety.tuning.read_safety_requests` takes it."""

    harmful: bool | None = None
    """Whether a safe model refuses them; None where each row has a label or XSTest's type."""

    per_type: Count | None = None
    """Requests of each type, drawn at random; None for all."""


class SafetyTrainingTable(LearningTable):
    """How a model is tuned: LoRA adapters by default; ``lora_rank = 0`` trains all of its weights."""

    learning_rate: Positive = 1e-3
    epochs: Annotated[float, in_range("epochs")] = 1.0
    batch_tokens: Annotated[int, in_range("batch_tokens")] = 1024
    beta2: ShareOrZero | None = 0.999
    weight_decay: NotNegative = 0.0
    warmup: ShareOrZero = 0.05
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    lora_rank: Annotated[int, in_range("lora_rank")] = 8
    lora_alpha: Positive | None = None
    first_layer: Whole = 0
    """Layers below it get no adapters, so that no gradient need be taken through them."""


class BenchmarksTable(SettingsTable):
    """Benchmarks of shoal that show what tuning costs elsewhere."""

    tasks: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    limit: Count | None = None
    """Items of each task, spread evenly over it; None for all."""


class TuningHypothesis(SettingsTable):
    """A claim of one difference between numbers of safety examples."""

    name: Name
    claim: str
    measure: str
    treatment: Annotated[tuple[Whole, ...], Field(strict=False, min_length=1)]
    """The numbers of safety examples that the claim is about, pooled."""

    baseline: Annotated[tuple[Whole, ...], Field(strict=False, min_length=1)]
    """Those that they are compared with, pooled."""

    direction: TuningDirection
    """Whether the measure is lower or higher with the treatment, by the claim."""

    smallest_effect: Positive
    """The smallest difference that would matter, in the units of the measure."""

    @model_validator(mode="after")
    def _compares_two_sides(self) -> TuningHypothesis:
        if both := set(self.treatment) & set(self.baseline):
            raise ValueError(f"the hypothesis {self.name!r} has {min(both)} on both sides; name each number once")
        for side in (self.treatment, self.baseline):
            # Twice, its trainings would count twice in the test.
            if len(set(side)) < len(side):
                raise ValueError(f"the hypothesis {self.name!r} has {list(side)} on one side; name each number once")
        return self


class TradeOffTable(SettingsTable):
    """How the best number of safety examples is chosen, stated before the run."""

    refused_weight: NotNegative = 1.0
    """What a safe request refused costs, a harmful one complied with costing 1."""

    max_loss_increase: Positive = 0.1
    """Nats per token by which the held-out loss may lie above that without safety examples."""


class SafetyTuningPlan(RunPlan):
    """An experiment on safety tuning, as its folder keeps it."""

    plan_file = "safety_tuning.toml"
    holds = "experiment on safety tuning"
    written_by = "shoal safety tune"

    name: Name = "safety"
    question: str = ""
    model: str
    """A model spec."""

    layout: Literal["chat", "plain"] = "chat"
    """``chat``: the model's template; ``plain``: ``Request: ... Answer:``."""

    system: str | None = None
    """The system message, in training and answers alike; None for the template's own."""

    safety_examples: Annotated[tuple[Whole, ...], Field(strict=False, min_length=2)] = (
        0, 100, 300, 500, 1000, 1500, 2000,
    )  # fmt: skip
    """Numbers of safety examples that are mixed in; the paper's by default."""

    seeds: Annotated[int, Field(ge=2, le=50)] = 3
    """Trainings with each number. A seed draws the examples, the order and the fresh adapters."""

    instructions: InstructionsTable
    safe_answers: PairsTable
    requests: Annotated[tuple[RequestsTable, ...], Field(strict=False, min_length=1)]
    max_tokens: Count = 64
    """Of an answer to a request."""

    training: SafetyTrainingTable = SafetyTrainingTable()
    benchmarks: BenchmarksTable | None = None
    hypothesis: Annotated[tuple[TuningHypothesis, ...], Field(strict=False)] = ()
    trade_off: TradeOffTable = TradeOffTable()
    confidence: Confidence = 0.95
    threads: Count = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> SafetyTuningPlan:
        # In rising order: the loss is compared with that of the first, and of the last there must be enough examples.
        if sorted(set(self.safety_examples)) != list(self.safety_examples):
            raise ValueError(f"safety_examples = {list(self.safety_examples)}: give each number once, in rising order")
        measures = self.measures
        for hypothesis in self.hypothesis:
            if hypothesis.measure not in measures:
                raise ValueError(
                    f"the hypothesis {hypothesis.name!r} is about {hypothesis.measure!r}; expected one of "
                    f"{', '.join(measures)}"
                )
            for number in (*hypothesis.treatment, *hypothesis.baseline):
                if number not in self.safety_examples:
                    raise ValueError(
                        f"the hypothesis {hypothesis.name!r} is about {number} safety examples, with which nothing is "
                        f"trained; expected one of {', '.join(map(str, self.safety_examples))}"
                    )
        names = [hypothesis.name for hypothesis in self.hypothesis]
        if len(set(names)) < len(names):
            raise ValueError("two hypotheses have one name; give each its own")
        return self

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of all measures."""
        return (COMPLIED, REFUSED, LOSS, *(self.benchmarks.tasks if self.benchmarks is not None else ()))


def load_safety_tuning(
    path: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> SafetyTuningPlan:
    """Read an experiment on safety tuning.

    Args:
        path: a TOML file with the keys of `SafetyTuningPlan`.
        data: the folder from which its sources are found; by default the one that the file lies in.
        values: changes by dotted key, such as ``{"seeds": 5, "training.learning_rate": 1e-4}``.

    Raises:
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    table = with_changes(
        read_named_table(
            path, kind="an experiment on safety tuning, such as examples/safety_tune_tiny.toml", default_name="safety"
        ),
        values,
    )
    folder = Path(data if data is not None else Path(path).parent)
    for key in ("instructions", "safe_answers"):
        table |= {key: located_source(table[key], folder)} if key in table else {}
    if isinstance(table.get("requests"), list):
        table["requests"] = [located_source(one, folder) for one in table["requests"]]
    return validated(SafetyTuningPlan, table, str(path))
