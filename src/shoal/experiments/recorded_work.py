"""The work of a run that is recorded piece by piece: what has no record yet is done, and counted as it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from shoal.experiments.store import RunStore
    from shoal.experiments.workers import Engine, W
    from shoal.progress import Progress

R = TypeVar("R")
"""The record of a piece of work."""


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


def do_trainings(
    trainings: Sequence[W],
    *,
    engine: Engine[W],
    store: RunStore,
    read: Callable[[Path, W], R | None],
    progress: Progress,
    on_training: Callable[[R], None] | None = None,
) -> None:
    """Do all trainings of a run that have no record.

    Args:
        trainings: of the run.
        engine: as in `do_unrecorded`.
        store: of the run.
        read: gives the record of a training from the run's folder; None where there is none.
        progress: called with (what, done, total).
        on_training: called with the record of each training as it ends.

    Raises:
        ShoalError: as in `do_unrecorded`.
    """

    def report(training: W) -> None:
        record = read(store.folder, training)
        if record is not None and on_training is not None:
            on_training(record)

    do_unrecorded(
        "trainings",
        trainings,
        engine=engine,
        store=store,
        is_recorded=lambda training: read(store.folder, training) is not None,
        progress=progress,
        on_recorded=report,
    )
