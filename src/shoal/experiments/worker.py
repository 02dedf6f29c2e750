"""A worker process of a run: does one job a line. Started by `shoal.experiments.pool`."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.experiments.jobs import Job
from shoal.experiments.loading import experiment_from
from shoal.experiments.serving import peak_bytes, serve_lines, set_threads
from shoal.experiments.work import Bench, do

if TYPE_CHECKING:
    from collections.abc import Callable


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
            "peak_megabytes": round(peak_bytes() / 1e6, 1),
        }
    }


def _begin(opening: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    set_threads(opening["threads"])
    bench = Bench(Path(opening["folder"]), experiment_from(opening["experiment"], "the run's experiment.toml"))
    return lambda line: serve(bench, Job(**line))


if __name__ == "__main__":
    serve_lines(_begin)
