"""What does the units of a sweep: processes of this machine, this very process, or a Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import shoal.errors as errors
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shoal.experiments.sweeps.trials import Unit

DEATHS = 3
"""How often a worker may die over a unit before the unit counts as failed."""


class Engine(Protocol):
    """Does units in any order."""

    def run(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, dict[str, Any] | None, str]]:
        """Yield each unit as it ends: with its answer, or with None and why its workers died.

        Raises:
            ShoalError: a fault that every further unit would meet too.
        """

    def close(self) -> None:
        """Let the workers go."""


def raise_fault(answer: dict[str, Any]) -> None:
    """Raise the fault that a worker met, if it met one.

    Raises:
        ShoalError: of the kind that the worker raised.
    """
    if "fault" in answer:
        fault = ShoalError.__new__(getattr(errors, answer["fault"]))
        Exception.__init__(fault, answer["message"])
        raise fault


def died(how: str) -> str:
    """Why a unit counts as failed whose workers died."""
    return f"its worker died {DEATHS} times ({how}); it may need more memory than there is"
