"""Several processes that train one model, on one machine or several, started by torchrun.

``ddp``: each process has the whole model and takes its share of every step's documents; the flat gradients are summed,
so that the step is that of one process up to rounding. ``fsdp``: each process holds a shard of every weight, gradient
and optimizer state (`sharded`), for models that do not fit into one device. Only rank 0 writes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.distributed as dist

from shoal.errors import ShoalError, UnknownNameError, UsageError
from shoal.training.batches import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shoal.training.batches import Document

Mode = Literal["single", "ddp", "fsdp"]
_MODES: tuple[Mode, ...] = ("ddp", "fsdp")
# What torch reads when it makes a group; without one of them it would wait, or fail without a hint at torchrun.
_NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a training, as one of them sees them."""

    mode: Mode = "single"
    rank: int = 0
    world_size: int = 1
    device: str = "cpu"
    """Where the model of this process belongs."""

    @property
    def is_rank0(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def shard(self, batch: Batch) -> Batch:
        """This process's documents: the longest first, each to the process that has the fewest tokens so far."""
        if self.world_size == 1:
            return batch
        loads = [0] * self.world_size
        parts: list[list[Document]] = [[] for _ in loads]
        # Sorting is stable and ties go to the lowest rank, so all processes find the same shares without a message.
        for document in sorted(batch.documents, key=lambda document: -len(document.ids)):
            idlest = loads.index(min(loads))
            parts[idlest].append(document)
            loads[idlest] += len(document.ids)
        return Batch(tuple(parts[self.rank]), batch.name)

    def all_reduce_sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place."""
        if self.world_size > 1:
            dist.all_reduce(tensor)
        return tensor

    def broadcast_from_rank0(self, call: Callable[[], Any]) -> Any:
        """Call a function in rank 0 alone.

        Returns:
            What it gives, in all processes.

        Raises:
            ShoalError: what it raises in rank 0 is raised in all processes, so that none waits for another.
        """
        if self.world_size == 1:
            return call()
        answer: list[Any] = [None, None]
        if self.is_rank0:
            try:
                answer[0] = call()
            except ShoalError as fault:
                answer[1] = fault
        dist.broadcast_object_list(answer, src=0)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def assert_equal_across_ranks(self, what: str, value: str) -> None:
        """Make sure that all processes were given the same.

        Args:
            what: names the value in the error message.
            value: of this process.

        Raises:
            UsageError: another process has another value.
        """
        values: list[Any] = [None] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(values, value)
        if len(set(values)) > 1:
            raise UsageError(f"the processes were given different {what}; give all of them the same")


_current: ProcessGroup | None = None


@contextmanager
def join_process_group(mode: str = "ddp") -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started; trainings within it are shared among them.

    Args:
        mode: ``ddp`` or ``fsdp``.

    Raises:
        UnknownNameError: the mode is neither ``ddp`` nor ``fsdp``.
        UsageError: the process was not started by torchrun, or has joined already.
    """
    global _current
    _refuse_unusable(mode)
    cuda = torch.cuda.is_available()
    device = f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu"
    if cuda:
        # Before the group is made: NCCL takes the current device, and all processes would take the first.
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    _current = ProcessGroup(mode, dist.get_rank(), dist.get_world_size(), device)  # type: ignore[arg-type]
    try:
        yield _current
    finally:
        _current = None
        dist.destroy_process_group()


def current_process_group() -> ProcessGroup:
    """The processes that were joined, or this one alone.

    Raises:
        UsageError: torchrun started several processes, which did not join: each would train, and write, by itself.
    """
    if _current is not None:
        return _current
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, and each would train by itself; "
            "join them with shoal.training.join_process_group, or start one process"
        )
    return ProcessGroup()


def _refuse_unusable(mode: str) -> None:
    if mode not in _MODES:
        raise UnknownNameError("mode of distributed training", mode, _MODES)
    missing = [name for name in _NEEDED if name not in os.environ]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} are not set, so this process was not started by torchrun; "
            "give: torchrun --nproc-per-node 2 SCRIPT"
        )
    if _current is not None:
        raise UsageError("this process has joined the others already; join once, around all trainings")
