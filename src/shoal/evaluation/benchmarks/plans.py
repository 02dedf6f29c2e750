"""The plan of an evaluation: its tasks, its items by the hash of their contents, and the blocks that they go in.

A plan follows from the model's tokenizer, the tasks and the data. Whoever runs one of its blocks, whenever and
wherever, gets the same records; so a resumed run, a shard and a whole run agree byte by byte.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError
from shoal.evaluation.benchmarks.encoding import EncodedRequest, RequestEncoder
from shoal.evaluation.benchmarks.generation import room_of, sampling_temperature, stop_strings
from shoal.evaluation.benchmarks.packing import GENERATION_CELLS, find_header, pack_prompts, pack_requests
from shoal.models import tokenizer_digest
from shoal.progress import no_progress
from shoal.text import describe_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.evaluation.benchmarks.items import BenchmarkItem, BlockKind, TaskItems
    from shoal.models import ScoringModel
    from shoal.progress import Progress

# Tokens of a block: with more of them products are larger, and a kill loses more work.
TOKEN_BUDGET = 1536
FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBlock:
    """Items that go through the model together."""

    number: int
    task: str
    kind: BlockKind
    header: int
    """How many ids all of its items begin with, which are read once."""

    items: tuple[str, ...]
    """Their ids, in the order of their records."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "number": self.number,
            "task": self.task,
            "kind": self.kind,
            "header": self.header,
            "items": list(self.items),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkPlan:
    """What is to be computed, in order."""

    digest: str
    """SHA-256 of the model's weights."""

    model: str
    """The model spec, for people."""

    dtype: str
    tokenizer: str
    """The tokenizer's policy, and a digest of its vocabulary and of how it cuts texts."""

    settings: Mapping[str, Any]
    """Shots, limit and token budget; of each task its version, shots, items, and the digest of its scoring."""

    blocks: tuple[PlanBlock, ...]

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(len(block.items) for block in self.blocks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "format": FORMAT,
            "digest": self.digest,
            "model": self.model,
            "dtype": self.dtype,
            "tokenizer": self.tokenizer,
            "settings": dict(self.settings),
            "blocks": [block.to_dict() for block in self.blocks],
        }

    @property
    def key(self) -> str:
        """A hash of all but the model's name: plans of one key give the same records."""
        # The digest of the model is in it; the name may be a path that differs from machine to machine.
        contents = {name: value for name, value in self.to_dict().items() if name != "model"}
        return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task, its items by id, and what the model reads of each."""

    items: TaskItems
    by_id: Mapping[str, BenchmarkItem]
    encoded: Mapping[str, Sequence[EncodedRequest]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBenchmarks:
    """A plan with the contents of its items."""

    plan: BenchmarkPlan
    tasks: Mapping[str, PlannedTask] = field(default_factory=dict)


def make_plan(
    model: ScoringModel,
    tasks: Sequence[TaskItems],
    *,
    token_budget: int = TOKEN_BUDGET,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> PreparedBenchmarks:
    """Encode the items of tasks and form the blocks that they go in.

    Args:
        model: what `load_for_scoring` gives.
        tasks: as `build_items` gives them, in any order.
        token_budget: tokens of a block, padding included.
        settings: to be recorded.
        progress: called with (what, done, total).

    Raises:
        DataError: an item cannot be encoded, or two items of a task are the same.
        TooLongError: an item does not fit into the model.
        UsageError: a task is given twice, or there is none.
    """
    names = [each.task.name for each in tasks]
    if not names or len(set(names)) < len(names):
        doubled = sorted({name for name in names if names.count(name) > 1})
        raise UsageError(f"give at least one task, and each once{f'; twice: {doubled[0]}' if doubled else ''}")
    if token_budget < 1:
        raise UsageError(f"the token budget is {token_budget}; give the tokens of a batch, at least 1")
    report = progress or no_progress
    encoder = RequestEncoder(model.model, model.tokenizer)
    planned: dict[str, PlannedTask] = {}
    blocks: list[PlanBlock] = []
    # By name, so that the order on the command line makes no other plan.
    for done, each in enumerate(sorted(tasks, key=lambda each: each.task.name)):
        report("encoding", done, len(tasks))
        part = planned[each.task.name] = _encode(encoder, each)
        blocks += _blocks(part, token_budget, len(blocks))
    report("encoding", len(tasks), len(tasks))
    versions = {
        each.task.name: [each.task.version, each.shots, len(each.items), each.task.scoring_digest] for each in tasks
    }
    plan = BenchmarkPlan(
        digest=model.digest,
        model=model.spec,
        dtype=str(model.model.dtype).removeprefix("torch."),
        tokenizer=f"{describe_policy(model.tokenizer)}; digest {tokenizer_digest(model.tokenizer)}",
        settings={**(settings or {}), "token_budget": token_budget, "tasks": dict(sorted(versions.items()))},
        blocks=tuple(blocks),
    )
    return PreparedBenchmarks(plan=plan, tasks=planned)


def _encode(encoder: RequestEncoder, items: TaskItems) -> PlannedTask:
    by_id = {item.id: item for item in items.items}
    if len(by_id) < len(items.items):
        # Documents that stand twice in a set are scored once each all the same: the place tells them apart.
        by_id = dict(_numbered(items))
    if items.kind == "generation":
        settings, name = items.task.generation, items.task.name
        # All of them now, so that a setting that cannot be used does not end a run of hours in its middle.
        sampling_temperature(settings, name)
        stop_strings(settings, name)
        room = room_of(settings, name)
        rows = encoder.prompts([item.requests[0][0] for item in by_id.values()], room)
        encoded: dict[str, Sequence[EncodedRequest]] = {item: (row,) for item, row in zip(by_id, rows, strict=True)}
    elif items.kind == "rolling":
        encoded = {key: encoder.windows(item.requests[0][1]) for key, item in by_id.items()}
    else:
        pairs = [pair for item in by_id.values() for pair in item.requests]
        encode = encoder.spans if items.task.encodes_by_character else encoder.pairs
        rows_left = iter(encode(pairs))
        encoded = {key: [next(rows_left) for _ in item.requests] for key, item in by_id.items()}
    return PlannedTask(items=items, by_id=by_id, encoded=encoded)


def _numbered(items: TaskItems) -> Iterator[tuple[str, BenchmarkItem]]:
    """Items by id, where the second of two equal ones has a number behind its id."""
    seen: dict[str, int] = {}
    for item in items.items:
        seen[item.id] = seen.get(item.id, 0) + 1
        yield (item.id if seen[item.id] == 1 else f"{item.id}-{seen[item.id]}"), item


def _blocks(part: PlannedTask, token_budget: int, first: int) -> list[PlanBlock]:
    items, header = part.items, 0
    if not part.encoded:
        raise DataError(f"the task {items.task.name} has no items; raise --limit, or look at its data")
    requests = {item: [each.request for each in rows] for item, rows in part.encoded.items()}
    if items.kind == "generation":
        prompts = {item: rows[0] for item, rows in requests.items()}
        packed = pack_prompts(prompts, room_of(items.task.generation, items.task.name), GENERATION_CELLS)
    else:
        # What all requests of a task begin with, few-shot examples above all, is read once for the whole task.
        header = find_header(requests)
        packed = pack_requests(requests, header, token_budget)
    return [
        PlanBlock(number=first + place, task=items.task.name, kind=items.kind, header=header, items=block)
        for place, block in enumerate(packed)
    ]
