"""Runs the blocks of a plan: the model's answers to their items, as records."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shoal.evaluation.benchmarks.generation import TextGenerator
from shoal.evaluation.benchmarks.item_scores import score_likelihoods, score_responses
from shoal.evaluation.benchmarks.records import BenchmarkRecord
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.prefix_scoring import PrefixScorer
from shoal.models import factor_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.evaluation.benchmarks.plans import PlanBlock, PlannedTask, PreparedBenchmarks
    from shoal.models import ScoringModel


class BlockRunner:
    """Runs blocks with one model; made by `block_runner`.

    Args:
        model: what `load_for_scoring` gives, in evaluation mode.
        prepared: the plan and the contents of its items.
    """

    def __init__(self, model: ScoringModel, prepared: PreparedBenchmarks) -> None:
        lengths = [
            len(each.request.ids) for task in prepared.tasks.values() for rows in task.encoded.values() for each in rows
        ]
        # The longest of all blocks: tables of positions are made once, and not again for each longer row.
        factored = factor_model(model.model, max_length=max(lengths, default=1))
        self._tasks = prepared.tasks
        self._scorer = PrefixScorer(factored)
        self._generator = TextGenerator(factored, model.tokenizer)

    @property
    def reuses_prefixes(self) -> bool:
        """Whether shared beginnings are computed once."""
        return self._scorer.reuses

    def run(self, block: PlanBlock) -> list[BenchmarkRecord]:
        """The records of a block's items, in the block's order.

        Raises:
            ModelError: the model's logits are not numbers.
        """
        task = self._tasks[block.task]
        return self._generate(task, block) if block.kind == "generation" else self._score(task, block)

    def _score(self, task: PlannedTask, block: PlanBlock) -> list[BenchmarkRecord]:
        requests = [each.request for name in block.items for each in task.encoded[name]]
        scores = iter(self._scorer.score(requests, block.header))
        records = []
        for name in block.items:
            found = [next(scores) for _ in task.encoded[name]]
            nats, greedy = [each.log_likelihood for each in found], [each.greedy for each in found]
            if block.kind == "rolling":
                # Exact summation, so that a text in many windows does not depend on their order.
                nats, greedy = [math.fsum(nats)], [all(greedy)]
            values = score_likelihoods(task.items, task.by_id[name], nats, greedy)
            records.append(self._record(task, name, log_likelihoods=tuple(nats), greedy=tuple(greedy), metrics=values))
        return records

    def _generate(self, task: PlannedTask, block: PlanBlock) -> list[BenchmarkRecord]:
        prompts = [task.encoded[name][0].request for name in block.items]
        file = task.items.task
        responses = self._generator.generate(
            prompts, block.items, file.generation, repeats=file.repeats, where=file.name
        )
        return [
            self._record(
                task,
                name,
                responses=tuple(texts),
                metrics=score_responses(task.items, task.by_id[name], texts),
            )
            for name, texts in zip(block.items, responses, strict=True)
        ]

    def _record(self, task: PlannedTask, name: str, **answers: object) -> BenchmarkRecord:
        item = task.by_id[name]
        return BenchmarkRecord(
            id=name,
            task=task.items.task.name,
            index=item.index,
            cluster=item.cluster,
            gold=item.gold,
            cut=any(each.cut for each in task.encoded[name]),
            **answers,  # type: ignore[arg-type]
        )


@contextmanager
def block_runner(model: ScoringModel, prepared: PreparedBenchmarks) -> Iterator[BlockRunner]:
    """Yield what runs the blocks of a plan; the model is in evaluation mode meanwhile.

    Args:
        model: what `load_for_scoring` gives.
        prepared: the plan and the contents of its items.
    """
    with scoring_mode(model.model):
        yield BlockRunner(model, prepared)
