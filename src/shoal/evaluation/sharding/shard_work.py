"""What the blocks of a plan are work for: a kind of work registers itself by its name, which a plan's header holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import closing, contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.evaluation.sharding.plan_file import ShardBlock, ShardPlan


class ShardWork(ABC):
    """Computes the records of blocks. A subclass with a ``name`` is found by it.

    Args:
        plan: its plan, whose header says how the model is loaded.
    """

    name: ClassVar[str]
    known: ClassVar[dict[str, type[ShardWork]]] = {}

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__:
            ShardWork.known[cls.name] = cls

    @abstractmethod
    def __init__(self, plan: ShardPlan) -> None:
        """Load what the work needs.

        Raises:
            ShoalError: the model, its weights or the data are not those of the plan.
        """

    @abstractmethod
    def score(self, block: ShardBlock) -> Sequence[str]:
        """The records of a block, one line of JSON per item.

        Args:
            block: of the plan.
        """

    def close(self) -> None:  # noqa: B027 (not every work has anything to close)
        """Let go of files; nothing by default."""


def versions() -> dict[str, str]:
    """The versions that numbers hang on, for the header of a plan."""
    return {name: metadata.version(name) for name in ("shoal", "torch", "transformers")}


@contextmanager
def open_work(plan: ShardPlan) -> Iterator[ShardWork]:
    """Yield what computes the blocks of a plan, with the plan's number of threads.

    Args:
        plan: the plan.

    Raises:
        UnknownNameError: the plan is for a kind of work that is not known.
        UsageError: this machine has other versions of the libraries than the plan was made with.
        ShoalError: the model, its weights or the data are not those of the plan.
    """
    import torch

    # The kinds register themselves by name when they are imported.
    from shoal.evaluation.benchmarks import shard_work  # noqa: F401
    from shoal.evaluation.sharding import rows_work  # noqa: F401

    kind = plan.header["kind"]
    if kind not in ShardWork.known:
        raise UnknownNameError("kind of work", kind, ShardWork.known)
    _check_versions(plan.header.get("versions", {}))
    threads = torch.get_num_threads()
    # How a sum is split over threads changes its last bits.
    torch.set_num_threads(int(plan.header.get("threads", threads)))
    try:
        with closing(ShardWork.known[kind](plan)) as work:
            yield work
    finally:
        torch.set_num_threads(threads)


def _check_versions(due: Mapping[str, Any]) -> None:
    own = versions()
    other = [f"{name} {version} (here {own.get(name)})" for name, version in due.items() if own.get(name) != version]
    if other:
        raise UsageError(
            f"the plan was made with {', '.join(other)}; other versions may give other bits: install those, or write "
            "the plan again"
        )
