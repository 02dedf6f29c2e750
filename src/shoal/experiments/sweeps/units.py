"""One unit done: a recipe is trained in the unit's folder, and its record is written last.

It can be done by any process on any machine that sees the sweep's folder, and any number of times: a unit that has a
record is not done again, one that was interrupted is resumed, and two processes never work at the same one.
"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from shoal.errors import MissingExtraError, ShoalError, StoreError, WorkerError
from shoal.experiments.environment import Stopwatch, set_threads
from shoal.experiments.pretraining import pretrain_run, recipe_from
from shoal.experiments.storage import disk_faults, read_json, write_json
from shoal.experiments.sweeps.objective import Pruned, Pruner, rung_scores, score_of
from shoal.experiments.sweeps.trials import UnitRecord, unit_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shoal.experiments.worker_main import Answering
    from shoal.progress import Progress

RECORD = "done.json"
STARTS = "starts.jsonl"
PREPARED = "prepared"
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process at the same unit: one that was killed lets go at once, but a cluster may give a
unit to a second worker while it still takes the first for alive."""

_OF_THE_SWEEP = (StoreError, MissingExtraError)
"""Faults that every further trial would meet too."""


def do_unit(folder: Path, unit: Mapping[str, Any], objective: str, progress: Progress | None = None) -> dict[str, Any]:
    """Do a unit, unless it is done; give its record and what it took.

    Args:
        folder: the sweep's folder.
        unit: `Unit` as plain values.
        objective: of the sweep.
        progress: called with (what, done, total).

    Raises:
        StoreError: the folder is not visible from here, is full or cannot be written.
        MissingExtraError: the recipe needs an optional part that is not installed.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is not visible from this machine; a sweep needs a folder that all workers share")
    place = folder / unit_place(unit["trial"], unit["seed"])
    stopwatch = Stopwatch()
    with disk_faults(folder):
        place.mkdir(parents=True, exist_ok=True)
        with locked(place / ".lock", "the trial"):
            # Within the lock, since the process that was waited for may have done it.
            if not (place / RECORD).is_file():
                _record_start(place)
                write_json(place / RECORD, _record(folder, place, unit, objective, progress).to_dict())
            record = read_json(place / RECORD)
    return {
        "record": record,
        "timing": {
            "trial": unit["trial"],
            "seed": unit["seed"],
            **stopwatch.cost(),
            "machine": os.uname().nodename,
        },
    }


def begin_units(opening: dict[str, Any]) -> Answering:
    """What a worker process of a sweep does, as `shoal.experiments.worker_main` takes it."""
    set_threads(opening["threads"])
    return lambda unit: do_unit(Path(opening["folder"]), unit, opening["objective"])


@contextmanager
def locked(file: Path, what: str, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Hold a lock between processes, on this machine or another one that sees the folder.

    Args:
        file: the lock; made where it does not exist.
        what: what it protects, in an error message.
        timeout: seconds to wait for a process that holds it.

    Raises:
        WorkerError: another process holds it for longer.
    """
    try:
        with FileLock(file, timeout=timeout):
            yield
    except Timeout:
        raise WorkerError(f"another process holds {what} ({file}); wait for it, and try again") from None


def read_record(folder: Path, trial: int, seed: int) -> UnitRecord | None:
    """A unit's record; None where it has none yet.

    Args:
        folder: the sweep's folder.
        trial: its number.
        seed: of the training.

    Raises:
        StoreError: it is damaged.
    """
    file = folder / unit_place(trial, seed) / RECORD
    if not file.is_file():
        return None
    try:
        return UnitRecord(**read_json(file))
    except TypeError as error:
        raise StoreError(
            f"{file} is no record of a trial ({error}); delete it and give the same command again"
        ) from error


def write_record(folder: Path, record: UnitRecord) -> None:
    """Write the record of a unit that no worker could finish.

    Args:
        folder: the sweep's folder.
        record: of the unit.
    """
    write_json(folder / unit_place(record.trial, record.seed) / RECORD, record.to_dict())


def ended_record(unit: Mapping[str, Any], reason: str, state: str = "failed") -> UnitRecord:
    """The record of a unit that failed or was pruned.

    Args:
        unit: `Unit` as plain values.
        reason: in one line.
        state: ``failed`` or ``pruned``.
    """
    return UnitRecord(
        trial=unit["trial"],
        seed=unit["seed"],
        settings=unit["settings"],
        state="pruned" if state == "pruned" else "failed",
        reason=" ".join(reason.split()),
    )


def _record(
    folder: Path, place: Path, unit: Mapping[str, Any], objective: str, progress: Progress | None
) -> UnitRecord:
    """Train and judge; a fault of this unit alone becomes its record."""
    try:
        return _trained(folder, place, unit, objective, progress)
    except _OF_THE_SWEEP:
        raise
    except Pruned as pruned:
        return ended_record(unit, str(pruned), "pruned")
    except ShoalError as fault:
        reason = str(fault)
    except Exception as fault:  # noqa: BLE001 - an objective of the user's, or memory that is not there
        reason = f"{type(fault).__name__}: {fault}"
    # Records are the same wherever the folder lies.
    return ended_record(unit, reason.replace(f"{folder}{os.sep}", ""))


def _trained(
    folder: Path, place: Path, unit: Mapping[str, Any], objective: str, progress: Progress | None
) -> UnitRecord:
    from shoal.experiments.pretraining import PretrainCallbacks
    from shoal.experiments.pretraining.data import prepare_data

    recipe = recipe_from(unit["recipe"], "the recipe of the trial")
    cache = folder / PREPARED
    cache.mkdir(exist_ok=True)
    # One process at a time: the others find the documents and tokens that they share.
    with locked(cache / ".lock", "the corpora", timeout=math.inf):
        prepare_data(recipe, cache)
    pruner = Pruner(unit["medians"], objective, place / "run")
    callbacks = PretrainCallbacks(progress=progress, on_evaluation=pruner.judge if unit["medians"] else None)
    result = pretrain_run(recipe, place / "run", cache=cache, callbacks=callbacks)
    score = score_of(objective, result)
    # JSON has no NaN, and a median or a sampler could do nothing with one.
    if not math.isfinite(score):
        return ended_record(unit, f"the score is {score}")
    return UnitRecord(
        trial=unit["trial"],
        seed=unit["seed"],
        settings=unit["settings"],
        state="complete",
        score=score,
        scores=dict(result.bits_per_byte),
        parameters=result.parameters,
        tokens=result.tokens,
        milestones=rung_scores(result, objective, unit["shares"]),
    )


def _record_start(place: Path) -> None:
    """Write down which process began the unit, so that one can see how often it was interrupted."""
    with (place / STARTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"process": os.getpid(), "machine": os.uname().nodename, "time": time.time()}) + "\n")
