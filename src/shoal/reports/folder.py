"""What a report reads of a run folder besides its records: what was seen inside each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.experiments import Run
    from shoal.insight import Inspection

Record = dict[str, Any]


def inspections(run: Run) -> Iterator[tuple[str, Inspection]]:
    """The name of each arm that was looked into, with what was seen."""
    for arm, record in run.views():
        from shoal.insight import Inspection  # imports torch, which a report without such views does not need

        yield arm, Inspection.from_dict(record)
