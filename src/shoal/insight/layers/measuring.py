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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from shoal.progress import Progress

    Name = TypeVar("Name")

_SHORTEST_SAMPLE = 4e-3
"""Seconds; quicker work is done several times in one sample, so that the clock's grain does not show."""


_KEPT = 31 * 2**20
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
    seed: int = 0,
    what: str = "",
    progress: Progress | None = None,
) -> dict[Name, tuple[float, ...]]:
    """CPU-seconds of each piece of work, once a repeat.

    The pieces take turns, in a new order each time: what else the machine does falls on all of them alike. Each is
    done once before, unmeasured.

    Args:
        works: what to measure, by name.
        repeats: samples of each.
        seed: of the orders.
        what: said to ``progress`` with (what, done, total).
        progress: called after each sample.
    """
    _let_memory_be_kept()
    calls = {name: _calls(work) for name, work in works.items()}
    names, shuffle = list(works), random.Random(seed)
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        for place, name in enumerate(shuffle.sample(names, len(names))):
            started = time.process_time()
            for _ in range(calls[name]):
                works[name]()
            seconds[name].append((time.process_time() - started) / calls[name])
            if progress is not None:
                progress(what, turn * len(names) + place + 1, repeats * len(names))
    return {name: tuple(samples) for name, samples in seconds.items()}


def peak_bytes(work: Callable[[], object]) -> int:
    """The most bytes that torch held at once for a piece of work on the CPU, beyond what it held before.

    Every allocation of torch counts, those inside fused kernels too; the scratch of BLAS libraries does not.
    """
    work()
    with _without_profiler_lines(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    results = seen.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def counted_operations(work: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products and convolutions of a piece of work.

    Torch's counter: a multiplication and an addition are two; exponentials, sums and comparisons do not count.
    """
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return int(counter.get_total_flops())


def _let_memory_be_kept() -> None:
    """Let go of one large piece of memory: from then on glibc keeps pieces up to that size for the next call.

    Until then it hands large pieces back to the system at once, and every call of the largest work pays for fresh
    pages: its time would grow faster than its operations.
    """
    torch.empty(_KEPT, dtype=torch.uint8)


def _calls(work: Callable[[], object]) -> int:
    """How often to do quick work in one sample."""
    work()
    started = time.process_time()
    work()
    return max(1, round(_SHORTEST_SAMPLE / max(time.process_time() - started, 1e-6)))


@contextmanager
def _without_profiler_lines() -> Iterator[None]:
    """Keep the profiler's own log lines from standard error: it writes to the file descriptor, past any setting."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
