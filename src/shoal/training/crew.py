"""Several processes that train one model, on one machine or several, started by torchrun.

``ddp``: each process has the whole model and takes its part of every step's documents; the flat gradients are added up,
so that the step is that of one process to rounding. ``fsdp``: each process holds a part of every weight, gradient and
optimizer state (`sharded`), for models that do not fit. Only the first process writes.
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

Mode = Literal["alone", "ddp", "fsdp"]
_MODES: tuple[Mode, ...] = ("ddp", "fsdp")
_NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes of a training, seen from one of them."""

    mode: Mode = "alone"
    rank: int = 0
    size: int = 1
    device: str = "cpu"
    """Where the model of this process belongs."""

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def part(self, batch: Batch) -> Batch:
        """This process's documents: the longest first, each to whoever has the fewest tokens so far."""
        if self.size == 1:
            return batch
        loads = [0] * self.size
        parts: list[list[Document]] = [[] for _ in loads]
        for document in sorted(batch.documents, key=lambda document: -len(document.ids)):
            least = loads.index(min(loads))
            parts[least].append(document)
            loads[least] += len(document.ids)
        return Batch(tuple(parts[self.rank]), batch.name)

    def add_up(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def from_first(self, call: Callable[[], Any]) -> Any:
        """What the call gives in the first process, or the ShoalError that it raises there, in all of them."""
        if self.size == 1:
            return call()
        told: list[Any] = [None, None]
        if self.is_first:
            try:
                told[0] = call()
            except ShoalError as fault:
                told[1] = (type(fault), str(fault))
        dist.broadcast_object_list(told, src=0)
        if told[1] is not None:
            kind, message = told[1]
            raise kind(message)
        return told[0]

    def require_same(self, what: str, value: str) -> None:
        """Make sure that all processes were given the same.

        Raises:
            UsageError: they were not.
        """
        values: list[Any] = [None] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        if len(set(values)) > 1:
            raise UsageError(f"the processes were given different {what}; give all of them the same")


_crew: Crew | None = None


@contextmanager
def crew_of_processes(mode: str = "ddp") -> Iterator[Crew]:
    """Join the processes that torchrun started; trainings within it are shared out among them.

    Raises:
        UnknownNameError: the mode is neither ``ddp`` nor ``fsdp``.
        UsageError: the process was not started by torchrun, or has joined already.
    """
    global _crew
    _refuse_unusable(mode)
    cuda = torch.cuda.is_available()
    device = f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu"
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    _crew = Crew(mode, dist.get_rank(), dist.get_world_size(), device)  # type: ignore[arg-type]
    try:
        yield _crew
    finally:
        _crew = None
        dist.destroy_process_group()


def current_crew() -> Crew:
    """The processes that were joined, or this one alone.

    Raises:
        UsageError: torchrun started several processes, which did not join: each would train, and write, by itself.
    """
    if _crew is not None:
        return _crew
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, and each would train by itself; "
            "join them with shoal.training.crew_of_processes, or start one process"
        )
    return Crew()


def _refuse_unusable(mode: str) -> None:
    if mode not in _MODES:
        raise UnknownNameError("mode of several processes", mode, _MODES)
    missing = [name for name in _NEEDED if name not in os.environ]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} are not set, so this process was not started by torchrun; "
            "give: torchrun --nproc-per-node 2 SCRIPT"
        )
    if _crew is not None:
        raise UsageError("this process has joined the others already; join once, around all trainings")
