"""The process of an experiment that the studio started: ``python -m shoal.studio.trainer FOLDER``."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from shoal.errors import ShoalError
from shoal.studio.trainings import ALIVE, OUTCOME, PLAN, PROGRESS, STOP, write_record
from shoal.textfiles import read_json_object
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable

# Short beside the seconds that a worker takes to end its step, and a stat of one file each.
_LOOK_SECONDS = 0.3
_WRITE_SECONDS = 0.3
# An earlier process of the same job may still be writing its outcome.
_LOCK_SECONDS = 10.0


def run_training(folder: Path) -> str:
    """Run the experiment of a job's folder to its end.

    Args:
        folder: of the job, as `shoal.studio.trainings.Trainings` makes it.

    Returns:
        ``finished``, ``stopped`` or ``failed``, as the folder has it afterwards.
    """
    record = read_json_object(folder / PLAN)
    if record is None:
        raise SystemExit(f"{folder} is no job of a studio: it has no {PLAN}")
    # The operating system releases it with the process, however that ends; a file of a process id would outlive a kill.
    with FileLock(folder / ALIVE, timeout=_LOCK_SECONDS):
        threading.Thread(target=_await_stop, args=(folder / STOP,), daemon=True).start()
        try:
            _run(record, _reporter(folder / PROGRESS))
            outcome = {"state": "finished"}
        except KeyboardInterrupt:
            outcome = {"state": "stopped"}
        except (ShoalError, OSError) as fault:
            outcome = {"state": "failed", "message": in_one_line(fault)}
        # Within the lock: without lock and outcome a reader would take the run for killed.
        write_record(folder / OUTCOME, outcome)
    return outcome["state"]


def _run(record: dict[str, Any], progress: Callable[[str, int, int], None]) -> None:
    # After the lock is held: these take seconds to import, while the studio waits to see the process alive.
    from shoal.experiments import has_factors, load_experiment, resume_run, run_experiment
    from shoal.reports import write_report

    plan, preset, workers = record["plan"], record["preset"], record["workers"]
    count: int | Literal["auto"] = "auto" if workers is None else int(workers)
    if plan is None:
        resume_run(record["folder"], workers=workers, progress=progress)
    elif has_factors(plan):
        from shoal.experiments.crossed import load_crossed, run_crossed

        run_crossed(load_crossed(plan, preset), record["folder"], workers=count, progress=progress)
    else:
        run_experiment(load_experiment(plan, preset), record["folder"], workers=count, progress=progress)
    write_report(record["folder"])


def _reporter(path: Path) -> Callable[[str, int, int], None]:
    """A progress callback that writes what it is given, a few times a second at most."""
    last, phase = 0.0, ""

    def report(what: str, done: int, total: int) -> None:
        nonlocal last, phase
        now = time.monotonic()
        if what != phase or done == total or now - last >= _WRITE_SECONDS:
            write_record(path, {"phase": what, "done": done, "total": total})
            last, phase = now, what

    return report


def _await_stop(path: Path) -> None:
    """Interrupt the main thread, as Ctrl-C does, when the studio asks for it."""
    while not path.exists():
        time.sleep(_LOOK_SECONDS)
    main = threading.main_thread().ident
    assert main is not None
    # To the thread and not to the process: only so a wait of its main thread for workers is broken off.
    signal.pthread_kill(main, signal.SIGINT)


def main() -> None:
    """Run the job whose folder is the argument."""
    folder = Path(sys.argv[1])
    # A studio that was started in the background of a shell has SIGINT ignored, and so would this process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    record = read_json_object(folder / PLAN) or {}
    if record.get("plan") is not None:
        # The run's record of its environment names the command that does the same; one that is resumed has it already.
        preset = ["--preset", record["preset"]] if record.get("preset") else []
        sys.argv = ["shoal", "run", str(record["plan"]), *preset, "--out", str(record["folder"])]
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(0 if run_training(folder) == "finished" else 1)


if __name__ == "__main__":
    main()
