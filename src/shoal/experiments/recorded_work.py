"""The work of a run that is recorded piece by piece: what has no record yet is done, and counted as it ends.

`do_recorded_run` is the frame of such a run: its folder, its workers, and its result.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from shoal.errors import ShoalError
from shoal.experiments.environment import keep_environment
from shoal.experiments.inputs import keep_inputs
from shoal.experiments.storage import write_json
from shoal.experiments.store import RunStore
from shoal.experiments.workers import OnDeath, check_workers, local_engine

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.experiments.tables import RunPlan
    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine, W
    from shoal.progress import Progress

R = TypeVar("R")
"""The record of a piece of work."""


class RunResult(Protocol):
    """What a run found."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


Found = TypeVar("Found", bound=RunResult)
Plan = TypeVar("Plan", bound="RunPlan")


class Beginning(Protocol):
    """A function of a module, called once in each process that does work of a run."""

    __module__: str
    __name__: str

    def __call__(self, opening: dict[str, Any], progress: Progress = ...) -> Answering:
        """What does the pieces of work.

        Args:
            opening: ``folder``, ``plan`` as JSON, and ``threads``.
            progress: called with (what, done, total), where the work is done in the process of the run itself.
        """


def do_recorded_run(
    plan: Plan,
    folder: str | os.PathLike[str],
    *,
    begin: Beginning,
    work: Callable[[RunStore, Engine[Any]], None],
    gather: Callable[[Path, Plan], Found],
    check: Callable[[Path], object] | None = None,
    workers: int | None,
    threads: int,
    device: str,
    progress: Progress,
    on_death: OnDeath = "raise",
) -> Found:
    """Do a run, or what is left of it, and write its ``result.json``.

    Args:
        plan: of the run; a worker gets it as JSON.
        folder: of the run; made where it does not exist.
        begin: what a worker is, or this process in its place.
        work: does the work of the run with an engine.
        gather: gives the result of what the folder holds.
        check: meets the faults of the data before any work; the folder may be used again after one.
        workers: pieces of work side by side; None for one per core, or for one where there is a GPU; 0 does all in this
            process.
        threads: of the libraries in each worker.
        device: where the work runs: auto, cpu or cuda.
        progress: of the work where this process does it.
        on_death: what the death of a worker means for its work.

    Raises:
        StoreError: the folder holds another run or one of other data, is full, or cannot be written.
        UsageError: a number of workers below 0.
        ShoalError: what the check, the work or the gathering raises.
    """
    check_workers(workers)
    store = RunStore(Path(folder), plan, plan=plan.plan_file)
    try:
        keep_environment(store)
        keep_inputs(store, plan)
        try:
            if check is not None:
                check(store.folder)
        except ShoalError:
            # What is wrong is corrected in the file or the command: the folder may then be used again.
            store.forget()
            raise
        opening = {"folder": str(store.folder.resolve()), "plan": plan.model_dump_json(), "threads": threads}
        engine: Engine[Any] = local_engine(
            f"{begin.__module__}:{begin.__name__}",
            opening,
            lambda: begin(opening, progress),
            workers=workers,
            threads=threads,
            device=device,
            locks=(store.lock,),
            on_death=on_death,
        )
        try:
            work(store, engine)
        finally:
            engine.close()
        result = gather(store.folder, plan)
        write_json(store.path("result.json"), result.to_dict())
    finally:
        store.close()
    return result


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
    engine: Engine[W],
    store: RunStore,
    read: Callable[[Path, W], R | None],
    progress: Progress,
    on_training: Callable[[R], None] | None,
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
