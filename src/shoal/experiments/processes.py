"""Worker processes as their parent sees them: started with plain surroundings, asked in lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GRACE = 5.0
"""Seconds that a worker gets to end by itself."""

ServingProcess = subprocess.Popen[str]


def start_worker(
    module: str, opening: Mapping[str, Any], *, threads: int, keep: tuple[int, ...] = ()
) -> ServingProcess:
    """Start ``python -m module``, which serves lines of JSON (`shoal.experiments.serving`).

    A worker that dies before it has read its opening line is returned like any other: `ask` then gives None.

    Args:
        module: what serves.
        opening: its first line.
        threads: of the libraries in it.
        keep: file handles that it inherits, such as a lock that it holds with us.

    Raises:
        WorkerError: no process can be started.
    """
    # -P keeps a file of the working folder, random.py say, from taking the place of a library's.
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            # Ctrl-C is for this process alone; it ends the workers by closing their input.
            process_group=0,
            pass_fds=keep,
        )
    except OSError as error:
        raise WorkerError(f"no worker process can be started ({error.strerror}); try fewer --workers") from error
    # The one who asks it hears of its death, and can say over which job.
    with suppress(OSError):
        send(worker, opening)
    return worker


def send(worker: ServingProcess, message: Mapping[str, Any]) -> None:
    """Give a worker one line."""
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(message) + "\n")
    worker.stdin.flush()


def ask(worker: ServingProcess, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """A worker's answer to one line, or None where it died over it or answered what cannot be read."""
    # ValueError: a pipe that `end_workers` has closed meanwhile, or a line that is no JSON.
    with suppress(OSError, ValueError):
        send(worker, message)
        line = worker.stdout.readline() if worker.stdout is not None else ""
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    with suppress(subprocess.TimeoutExpired):
        worker.wait(GRACE)
    return None


def end_workers(workers: Iterable[ServingProcess]) -> None:
    """End workers: an idle one ends by itself, a busy one within seconds."""
    workers = list(workers)
    for worker in workers:
        with suppress(OSError):
            if worker.stdin is not None:
                worker.stdin.close()
    for worker in workers:
        try:
            worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()
