"""One training of an experiment on safety tuning done: drawn, tuned, measured, and recorded last.

It can be done any number of times: one that has a record is not done again, one that was interrupted is resumed from
its checkpoint.
"""

from __future__ import annotations

import copy
import random
import re
import shutil
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.experiments.environment import Stopwatch, set_threads
from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
from shoal.experiments.safety_tuning.trainings import (
    ADAPTERS,
    ANSWERS,
    BENCHMARKS,
    LOSSES,
    RECORD,
    SafetyTraining,
    SafetyTrainingRecord,
)
from shoal.experiments.storage import disk_faults, write_json, write_jsonl
from shoal.experiments.tables import train_settings_of
from shoal.progress import no_progress
from shoal.safety.tuning import (
    ChatFormat,
    answer_requests,
    balanced_requests,
    benchmark_accuracies,
    check_both_kinds,
    count_tokens_of,
    distinct_requests,
    held_out_losses,
    read_benchmarks,
    read_instruction_pairs,
    read_safety_requests,
    withhold_requests,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.benchmarks import TaskItems
    from shoal.experiments.worker_main import Answering
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.safety.tuning import SafetyRequest
    from shoal.tasks import Example
    from shoal.training import TrainResult

# The number of a block in the name of a module, as in model.layers.3.mlp: whatever the architecture calls its blocks.
_LAYER = re.compile(r"\.(\d+)\.")


def begin_safety_trainings(opening: dict[str, Any], progress: Progress = no_progress) -> Answering:
    """What does the trainings of such an experiment; see `shoal.experiments.recorded_work.Beginning`."""
    set_threads(opening["threads"])
    plan = SafetyTuningPlan.model_validate_json(opening["plan"])
    trainer = SafetyTrainer(Path(opening["folder"]), plan, progress)
    return lambda line: trainer.do(SafetyTraining(**line))


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyData:
    """What trainings draw from, and what all of them are measured on."""

    chat: ChatFormat
    instructions: tuple[Example, ...]
    held_out: tuple[Example, ...]
    safe_answers: tuple[Example, ...]
    requests: tuple[SafetyRequest, ...]
    withheld: int
    """Rows that no training may see, since they are requests."""


def prepare_safety_data(plan: SafetyTuningPlan, tokenizer: PreTrainedTokenizerFast) -> SafetyData:
    """Read the files of an experiment.

    Args:
        plan: of the experiment.
        tokenizer: the model's.

    Raises:
        UsageError: the model has no chat template.
        DataError: a file cannot be used, has too few rows of the length allowed, a request is labelled both harmful and
            safe, or all are of one kind.
    """
    chat = ChatFormat(tokenizer=tokenizer, layout=plan.layout, system=plan.system)
    requests: list[SafetyRequest] = []
    for table in plan.requests:
        read = read_safety_requests(table.source, harmful=table.harmful)
        requests += balanced_requests(read, per_type=table.per_type)
    requests = distinct_requests(requests)
    check_both_kinds(requests)
    # Before anything is drawn: no training may have seen the requests that it is measured by.
    base = withhold_requests(read_instruction_pairs(plan.instructions.source), requests)
    safe = withhold_requests(read_instruction_pairs(plan.safe_answers.source), requests)
    sides = []
    for pairs, limits in ((base.pairs, plan.instructions), (safe.pairs, plan.safe_answers)):
        fitted = chat.fit(pairs, max_prompt_tokens=limits.max_prompt_tokens, max_answer_tokens=limits.max_answer_tokens)
        # Files are often sorted by subject. The order is fixed, so that all trainings hold the same rows out.
        random.Random("order of the rows").shuffle(fitted)
        sides.append(fitted)
    wanted = plan.instructions.held_out + plan.instructions.examples
    for fitted, source, count in (
        (sides[0], plan.instructions.source, wanted),
        (sides[1], plan.safe_answers.source, plan.safety_examples[-1]),
    ):
        if len(fitted) < count:
            raise DataError(
                f"{source} has {len(fitted):,} rows that fit the limits of tokens, and {count:,} are needed; give more "
                "rows, larger limits (max_prompt_tokens, max_answer_tokens), or smaller numbers"
            )
    return SafetyData(
        chat=chat,
        held_out=tuple(sides[0][: plan.instructions.held_out]),
        instructions=tuple(sides[0][plan.instructions.held_out :]),
        safe_answers=tuple(sides[1]),
        requests=tuple(requests),
        withheld=base.withheld + safe.withheld,
    )


def read_plan_benchmarks(plan: SafetyTuningPlan) -> dict[str, list[TaskItems]]:
    """The items of the benchmarks of an experiment, by name.

    Args:
        plan: of the experiment.

    Raises:
        ShoalError: a task is unknown or cannot be read, or its data cannot.
    """
    table = plan.benchmarks
    return {} if table is None else read_benchmarks(table.tasks, limit=table.limit)


class SafetyTrainer:
    """Does the trainings of one experiment, and reads the model and the data that they share once.

    Args:
        folder: of the experiment.
        plan: of the experiment.
        progress: called with (what, done, total).
    """

    def __init__(self, folder: Path, plan: SafetyTuningPlan, progress: Progress = no_progress) -> None:
        self._folder, self._plan, self._progress = folder, plan, progress

    @cached_property
    def _loaded(self) -> LoadedModel:
        from shoal.models import load_model

        return load_model(self._plan.model, device=self._plan.device)

    @cached_property
    def _data(self) -> SafetyData:
        return prepare_safety_data(self._plan, self._loaded.tokenizer)

    @cached_property
    def _benchmarks(self) -> dict[str, list[TaskItems]]:
        return read_plan_benchmarks(self._plan)

    def do(self, training: SafetyTraining) -> dict[str, Any]:
        """Do a training, unless it is done; give what it took, as a row of ``timings.jsonl``.

        Args:
            training: which one.

        Raises:
            ShoalError: the model, the data or the folder cannot be used.
        """
        place, stopwatch = self._folder / training.place, Stopwatch()
        with disk_faults(self._folder):
            place.mkdir(parents=True, exist_ok=True)
            if not (place / RECORD).is_file():
                record = self._train_and_measure(training, place)
                write_json(place / RECORD, record.to_dict())
                shutil.rmtree(place / "checkpoint", ignore_errors=True)
        return {"place": training.place, **stopwatch.cost()}

    def _train_and_measure(self, training: SafetyTraining, place: Path) -> SafetyTrainingRecord:
        from shoal.models import model_digest

        if training.safety_examples is None:
            self._measure(self._loaded, place)
            return SafetyTrainingRecord(
                safety_examples=None, seed=training.seed, instructions=0, tokens=0, steps=0, loss=None,
                trained_parameters=0, digest=self._loaded.digest,
            )  # fmt: skip
        examples = drawn_examples(self._plan, self._data, training)
        # Trained in place, and the next training begins from the same weights.
        model = copy.deepcopy(self._loaded.model)
        result = self._tune(model, examples, training, place)
        tuned = replace(self._loaded, model=model.eval(), digest=model_digest(model), origin=training.title)
        self._measure(tuned, place)
        return SafetyTrainingRecord(
            safety_examples=training.safety_examples,
            seed=training.seed,
            instructions=len(examples) - training.safety_examples,
            tokens=count_tokens_of(self._loaded.tokenizer, examples),
            steps=result.steps,
            loss=result.curve[-1].loss,
            trained_parameters=result.parameters.trained,
            digest=tuned.digest,
        )

    def _tune(
        self, model: PreTrainedModel, examples: list[Example], training: SafetyTraining, place: Path
    ) -> TrainResult:
        from shoal.training import merge_adapters, save_adapters, train

        table = self._plan.training
        chosen: dict[str, Any] = {"seed": training.draw_seed}
        if table.lora_rank and table.first_layer:
            chosen["lora_targets"] = linear_layers_from(model, table.first_layer)
        settings = train_settings_of(table, chosen)
        result = train(
            model, self._loaded.tokenizer, examples, settings, folder=place / "checkpoint", progress=self._progress
        )
        if table.lora_rank:
            # A few megabytes, from which the tuned model can be made again.
            save_adapters(model, place / ADAPTERS, base=self._plan.model)
            merge_adapters(model)
        return result

    def _measure(self, model: LoadedModel, place: Path) -> None:
        data = self._data
        answers = answer_requests(
            model, data.chat, data.requests, max_tokens=self._plan.max_tokens, progress=self._progress
        )
        write_jsonl(place / ANSWERS, (answer.to_dict() for answer in answers))
        write_jsonl(place / LOSSES, (asdict(loss) for loss in held_out_losses(model, data.held_out)))
        write_json(place / BENCHMARKS, benchmark_accuracies(model, self._benchmarks, progress=self._progress))


def drawn_examples(plan: SafetyTuningPlan, data: SafetyData, training: SafetyTraining) -> list[Example]:
    """The rows of one training: instructions, and safety examples mixed in.

    Args:
        plan: of the experiment.
        data: what is drawn from.
        training: which one.
    """
    draw = random.Random(f"{training.draw_seed} examples")
    base = draw.sample(data.instructions, plan.instructions.examples)
    return [*base, *draw.sample(data.safe_answers, training.safety_examples or 0)]


def linear_layers_from(model: PreTrainedModel, first_layer: int) -> tuple[str, ...]:
    """The names of the linear modules in blocks from a number on.

    Args:
        model: any causal LM of transformers, whose blocks are numbered in the names of its modules.
        first_layer: the number of the first block, from 0.

    Raises:
        DataError: there is none.
    """
    import torch

    names = tuple(
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and (found := _LAYER.search(f".{name}.")) is not None
        and int(found[1]) >= first_layer
    )
    if not names:
        raise DataError(f"first_layer = {first_layer}: the model has no block of this number; give a smaller one")
    return names
