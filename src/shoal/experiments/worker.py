"""A worker process: reads jobs as lines of JSON, does them, and says how it went. Started by `shoal.experiments.pool`.

It ends when its standard input does, at whatever it is: so a run that is killed leaves no worker behind that goes on
writing. Ctrl-C does not reach it.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.experiments.jobs import Job
from shoal.experiments.loading import experiment_from
from shoal.experiments.work import Bench, do

if TYPE_CHECKING:
    from typing import TextIO


def main() -> None:
    """Serve until standard input ends."""
    answers = _protect_answers()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    opening = json.loads(lines.get())
    _set_threads(opening["threads"])
    bench = Bench(Path(opening["folder"]), experiment_from(opening["experiment"], "the run's experiment.toml"))
    while True:
        say(serve(bench, Job(**json.loads(lines.get()))))


def serve(bench: Bench, job: Job) -> dict[str, Any]:
    """Do a job; what it took, or the fault that it met."""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        do(bench, job)
    except ShoalError as fault:
        return {"fault": type(fault).__name__, "message": str(fault)}
    except Exception:  # noqa: BLE001 - the parent raises it again, with this traceback
        return {"fault": "", "message": traceback.format_exc()}
    return {
        "timing": {
            "place": job.place,
            "wall_seconds": round(time.perf_counter() - wall, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "peak_megabytes": round(_peak_bytes() / 1e6, 1),
        }
    }


def _peak_bytes() -> int:
    """The most memory that this process has used; macOS counts it in bytes and Linux in kibibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _protect_answers() -> TextIO:
    """Keep standard output for the answers: what libraries print goes to standard error."""
    kept = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(kept, "w", encoding="utf-8")


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
