"""A worker process of a sweep: does one unit a line. Started by `shoal.experiments.sweeps.local`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.experiments.serving import serve_lines, set_threads
from shoal.experiments.sweeps.units import do_unit

if TYPE_CHECKING:
    from collections.abc import Callable


def answer_unit(folder: str, unit: dict[str, Any], objective: str) -> dict[str, Any]:
    """The unit's record and timing, or the fault that ends the sweep."""
    try:
        return do_unit(Path(folder), unit, objective)
    except ShoalError as fault:
        return {"fault": type(fault).__name__, "message": str(fault)}


def _begin(opening: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    set_threads(opening["threads"])
    return lambda unit: answer_unit(opening["folder"], unit, opening["objective"])


if __name__ == "__main__":
    serve_lines(_begin)
