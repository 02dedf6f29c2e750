"""Experiments that the studio starts, stops and resumes: a process each, which outlives the studio.

A process holds a lock for as long as it lives, so that neither a number of a process nor a file that a kill left behind
is ever taken for one that is alive. It is asked to stop by a file, and stops as by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.experiments import is_file_locked, is_locked
from shoal.files import atomic_file
from shoal.studio.page_error import PageError
from shoal.textfiles import read_json_object

if TYPE_CHECKING:
    from pathlib import Path

ALIVE = "alive.lock"
PLAN = "job.json"
PROCESS = "process.json"
PROGRESS = "progress.json"
OUTCOME = "outcome.json"
STOP = "stop"
LOG = "log.txt"
MAX_TRAININGS = 4
"""At a time: each takes all cores unless it is given fewer workers."""

_START_SECONDS = 600.0
"""A process that holds no lock yet is taken to be on its way for so long, while there is one of its number: on a busy
machine it imports for minutes."""

_SPAWN_SECONDS = 5.0
"""The same of one whose number was not written down, since the studio was killed while it started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """What is known of a run that the studio started."""

    run: str
    state: str
    """``starting``, ``running``, ``stopping``, ``finished``, ``stopped``, ``failed`` or ``killed``."""

    message: str = ""
    """Why it failed."""

    phase: str = ""
    done: int = 0
    total: int = 0
    workers: int | None = None

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self.state in ("starting", "running", "stopping")


class Trainings:
    """The processes of a studio.

    Args:
        root: the folder of runs.
        folder: where what is known of each process stands.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, run: str, plan: str | None, *, preset: str | None, workers: int | None) -> None:
        """Start an experiment, or resume a run of any kind.

        Args:
            run: its name in the folder of runs.
            plan: the experiment file, or the name of one that comes with shoal; None resumes the run of the folder.
            preset: of the file; None for the file's own.
            workers: processes that it uses; None for one per core.

        Raises:
            PageError: it runs already, or as many run as may.
        """
        with self._lock:
            self._reap()
            if is_locked(self._root / run) or self.state(run).is_alive:
                raise PageError(409, f"{run} is under way already; open its page")
            alive = sum(state.is_alive for state in self.all())
            if alive >= MAX_TRAININGS:
                raise PageError(409, f"{alive} experiments are under way, which is the most; stop one or wait")
            folder = self._of(run)
            # What an earlier process of this run left.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            record = {"run": run, "plan": plan, "preset": preset, "workers": workers, "started": time.time()}
            write_record(folder / PLAN, record | {"folder": str(self._root / run)})
            self._processes.append(self._spawn(folder))

    def stop(self, run: str) -> None:
        """Ask an experiment to stop; what is finished stays, and it can be resumed.

        Raises:
            PageError: no process of this studio works on it.
        """
        if not self.state(run).is_alive:
            elsewhere = is_locked(self._root / run)
            where = "was started elsewhere; stop it there with Ctrl-C" if elsewhere else "is not under way"
            raise PageError(409, f"{run} {where}")
        (self._of(run) / STOP).touch()

    def state(self, run: str) -> TrainingState:
        """What is known of a run; one that the studio never started is ``stopped``."""
        return self._state(self._of(run), run)

    def all(self) -> list[TrainingState]:
        """What is known of every run that was started here, the newest first."""
        if not self._folder.is_dir():
            return []
        found = []
        for folder in self._folder.iterdir():
            record = read_json_object(folder / PLAN)
            if record is not None:
                found.append((record.get("started", 0.0), self._state(folder, str(record["run"]))))
        return [state for _, state in sorted(found, key=lambda pair: -pair[0])]

    def log(self, run: str, *, limit: int = 4000) -> str:
        """The end of what a process wrote."""
        try:
            with (self._of(run) / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _of(self, run: str) -> Path:
        return self._folder / run.replace("~", "~0").replace("/", "~1")

    def _state(self, folder: Path, run: str) -> TrainingState:
        record = read_json_object(folder / PLAN)
        if record is None:
            return TrainingState(run=run, state="stopped")
        progress = read_json_object(folder / PROGRESS) or {}
        outcome = read_json_object(folder / OUTCOME)
        alive = is_file_locked(folder / ALIVE)
        if alive:
            state = "stopping" if (folder / STOP).exists() else "running"
        elif outcome is not None:
            state = str(outcome.get("state", "failed"))
        else:
            # Before its lock is taken a process imports for some seconds; after that, no lock means no process.
            begins = not (folder / ALIVE).exists() and self._may_come(folder, float(record.get("started", 0)))
            state = "starting" if begins else "killed"
        return TrainingState(
            run=run,
            state=state,
            message=str((outcome or {}).get("message", "")),
            phase=str(progress.get("phase", "")),
            done=int(progress.get("done", 0)),
            total=int(progress.get("total", 0)),
            workers=record.get("workers"),
        )

    def _may_come(self, folder: Path, started: float) -> bool:
        """Whether a process that holds no lock yet may still take it."""
        mine = [process for process in self._processes if str(folder) in process.args]  # type: ignore[operator]
        if mine:
            return mine[-1].poll() is None
        # Of a process that another studio started its number is known, which the system may give to another one later.
        record, since = read_json_object(folder / PROCESS), time.time() - started
        if record is None:
            return since < _SPAWN_SECONDS
        return since < _START_SECONDS and _exists(int(record.get("pid", 0)))

    def _spawn(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "shoal.studio.trainer", str(folder)]
        with (folder / LOG).open("wb") as log:
            # A session of its own: neither Ctrl-C in the studio's terminal nor its end reaches the training.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self._root
            )
        write_record(folder / PROCESS, {"pid": process.pid})
        return process

    def _reap(self) -> None:
        """Ask after processes that have ended, which would stay as zombies otherwise."""
        self._processes = [process for process in self._processes if process.poll() is None]


def _exists(pid: int) -> bool:
    """Whether there is a process of a number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a JSON object whole.

    Args:
        path: of the file.
        record: plain values.
    """
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(record), encoding="utf-8")
