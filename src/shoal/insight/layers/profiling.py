"""CPU time, peak memory and counted operations of a piece of work, on one thread."""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from shoal.insight.options import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from shoal.insight.options import AnalysisOptions

    Name = TypeVar("Name")

_SHORTEST_SAMPLE = 4e-3
"""Seconds; quicker work is repeated within one sample, since the resolution of the clock is about a microsecond."""

_RETAINED = 31 * 2**20
"""Bytes; glibc's limit is 32 MiB (mallopt(3), M_MMAP_THRESHOLD)."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that CPU-seconds are those of the work and not of threads that wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cpu_seconds(
    works: Mapping[Name, Callable[[], object]],
    *,
    repeats: int,
    name: str = "",
    options: AnalysisOptions = DEFAULTS,
) -> dict[Name, tuple[float, ...]]:
    """Measure the CPU-seconds of each piece of work, once per repeat.

    The pieces take turns, in a new order each time, so that other load on the machine affects all of them alike. Each
    is done once before, unmeasured.

    Args:
        works: what to measure, by name.
        repeats: samples of each.
        name: of the measurement, for the progress callback.
        options: seed of the orders, and progress callback, which is called after each sample.
    """
    _retain_memory()
    calls = {key: _calls(work) for key, work in works.items()}
    names, shuffle = list(works), random.Random(options.seed)
    seconds: dict[Name, list[float]] = {key: [] for key in names}
    for turn in range(repeats):
        for place, work in enumerate(shuffle.sample(names, len(names))):
            started = time.process_time()
            for _ in range(calls[work]):
                works[work]()
            seconds[work].append((time.process_time() - started) / calls[work])
            options.progress(name, turn * len(names) + place + 1, repeats * len(names))
    return {key: tuple(samples) for key, samples in seconds.items()}


def peak_bytes(work: Callable[[], object]) -> int:
    """Measure the peak memory in bytes of a piece of work on the CPU, beyond what torch held before.

    Every allocation of torch counts, those inside fused kernels too; the scratch of BLAS libraries does not.
    """
    work()  # what is allocated once, such as buffers of libraries, is not of the work
    with _without_profiler_lines(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    results = seen.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    held = most = 0
    # Frees are events with negative bytes; their running sum is what is held.
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def counted_operations(work: Callable[[], object]) -> int:
    """Count the floating-point operations of the matrix products and convolutions of a piece of work.

    Torch's counter: a multiplication and an addition are two; exponentials, sums and comparisons do not count.
    """
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return int(counter.get_total_flops())


def _retain_memory() -> None:
    """Free one large block of memory: from then on glibc retains blocks up to that size for the next call.

    Until then it returns large blocks to the system at once, and every call of the largest work pays for fresh pages:
    its time would grow faster than its operations.
    """
    torch.empty(_RETAINED, dtype=torch.uint8)


def _calls(work: Callable[[], object]) -> int:
    """How often to repeat quick work in one sample."""
    work()  # the first call pays for caches and lazy initialisation
    started = time.process_time()
    work()
    return max(1, round(_SHORTEST_SAMPLE / max(time.process_time() - started, 1e-6)))


@contextmanager
def _without_profiler_lines() -> Iterator[None]:
    """Keep the profiler's own log lines from standard error: it writes to the file descriptor, past any setting."""
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
