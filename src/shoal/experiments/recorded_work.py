"""The work of a run that is recorded piece by piece: what has no record yet is done, and counted as it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.experiments.store import RunStore
    from shoal.experiments.workers import Engine, W
    from shoal.progress import Progress


def do_unrecorded(
    what: str,
    items: Sequence[W],
    *,
    engine: Engine[W],
    store: RunStore,
    is_recorded: Callable[[W], bool],
    progress: Progress,
    on_recorded: Callable[[W], None] | None = None,
) -> None:
    """Do all work that has no record, with its timing.

    Args:
        what: the work is called in the progress.
        items: the pieces of work.
        engine: does them; the death of a worker must end the run (``on_death="raise"``).
        store: of the run.
        is_recorded: whether a piece is done.
        progress: called with (what, done, total).
        on_recorded: called with each piece as it ends.

    Raises:
        WorkerError: a worker died.
        ShoalError: whatever a piece of work raises; those that are done stay recorded.
    """
    left = [item for item in items if not is_recorded(item)]
    done = len(items) - len(left)
    if items:
        progress(what, done, len(items))
    for outcome in engine.run(left) if left else ():
        assert outcome.answer is not None  # a dead worker has raised
        store.add_timing(outcome.answer)
        done += 1
        progress(what, done, len(items))
        if on_recorded is not None:
            on_recorded(outcome.item)
