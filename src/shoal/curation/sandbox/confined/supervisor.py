"""The supervisor: it starts the program in a process of its own, ends it at its limits, and reports how it ended.

In a process namespace it is the first process, so that the kernel ends all that are left when it ends. It reports
through a pipe that the program's process does not have.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02
"""Seconds between looks at the program: short at first, since most programs end at once."""


class ProgramLimits(NamedTuple):
    """What a program may use."""

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    """Of its address space, the interpreter's own included."""


class Ending(NamedTuple):
    """How the program's process ended."""

    exit_code: int | None
    """None where a signal ended it."""

    signal: int | None
    stopped: str | None
    """The limit at which the supervisor ended it: ``cpu`` or ``wall``."""

    cpu_seconds: float
    wall_seconds: float


def supervise(limits: ProgramLimits, program: Callable[[], None], unused: list[int]) -> Ending:
    """Run the program in a process of its own until it ends or meets a limit.

    Args:
        limits: of the program.
        program: what runs in the new process.
        unused: file descriptors of the program that the supervisor closes, so that their other ends see when it ends.
    """
    child = os.fork()
    if child == 0:
        try:
            program()
        except BaseException:  # noqa: BLE001 - a fault of the sandbox itself stands among the program's output
            sys.__excepthook__(*sys.exc_info())
        finally:
            # Never back into the supervisor's code: a program that returned from here would run on as a second
            # supervisor.
            os._exit(1)
    for descriptor in unused:
        os.close(descriptor)
    return _wait(child, limits)


def apply_limits(limits: ProgramLimits) -> bool:
    """Set the kernel's limits for this process; the supervisor's own are exact and these are the net under them.

    Args:
        limits: of the program.

    Returns:
        Whether the memory is limited, which some systems do not do.
    """
    # The kernel counts whole seconds; one more, so that the supervisor's exact limit is the one that is met and
    # reported.
    whole = math.ceil(limits.cpu_seconds) + 1
    for kind, value in {
        resource.RLIMIT_CPU: whole,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        # Importing a module opens a handful of files; nothing else that computes opens any.
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }.items():
        # One that the system does not know, or that is lower already.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        return True
    return False


def _wait(child: int, limits: ProgramLimits) -> Ending:
    start = time.monotonic()
    pause, stopped = _FIRST_PAUSE, None
    while True:
        finished, status, usage = os.wait4(child, os.WNOHANG)
        wall = time.monotonic() - start
        if finished:
            code = os.waitstatus_to_exitcode(status)
            return Ending(
                exit_code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                stopped=stopped,
                cpu_seconds=usage.ru_utime + usage.ru_stime,
                wall_seconds=wall,
            )
        if stopped is None:
            stopped = _limit_met(child, limits, wall)
            if stopped is not None:
                os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _limit_met(child: int, limits: ProgramLimits, wall: float) -> str | None:
    if wall >= limits.wall_seconds:
        return "wall"
    # The clock of another process's CPU time (clock_getcpuclockid(3)). Elsewhere than on Linux the kernel's own limit,
    # in whole seconds, is what there is.
    with suppress(OSError):
        if time.clock_gettime((~child << 3) | 2) >= limits.cpu_seconds:
            return "cpu"
    return None
