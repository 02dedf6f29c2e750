"""The start of the sandbox's interpreter: reads the job, puts up every protection, and runs the program or refuses.

Each protection may come from more than one mechanism, since not every machine permits each:

| protection | mechanisms |
|---|---|
| ``files``: nothing of the machine is read but the standard library, nothing is written | an empty root, or Landlock |
| ``network``: none | a network namespace, or the seccomp filter |
| ``processes``: no further process, no signal to another one | the seccomp filter |
| ``memory``: a limit of the address space | ``RLIMIT_AS`` |
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, NamedTuple

from . import landlock, namespaces, program, seccomp, supervisor
from .system import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, control_process, machine

PROTECTIONS = ("files", "network", "processes", "memory")


class SandboxJob(NamedTuple):
    """What the sandbox is to do, as it comes over its standard input."""

    source: str
    function: str
    calls: list[Any]
    limits: supervisor.ProgramLimits
    accept_missing: list[str]
    """Protections without which the program runs all the same."""

    parent: int
    """The process that started this one."""

    status: int
    """File descriptor for reports that the program cannot write to."""

    answers: int
    """File descriptor for the program's values."""


def main() -> None:
    """Read a job from the standard input and do it."""
    table = json.loads(sys.stdin.buffer.read())
    job = SandboxJob(**table | {"limits": supervisor.ProgramLimits(**table["limits"])})
    _die_with_parent()
    if os.getppid() != job.parent:
        os._exit(1)
    # This package's own folder, which the way in has put there; what it needs is imported.
    del sys.path[0]
    sys.dont_write_bytecode = True
    readable, hidden = _folders()
    faults: dict[str, str] = {}
    found = _namespaces(readable, hidden, faults)
    namespaces.become_nobody(readable[0])
    # Where there is a process namespace, only a process that is forked from here is in it.
    # A process namespace begins with the first child after `unshare`; this process stays outside and waits for it.
    relay = os.fork() if "namespaces" in found else 0
    if relay:
        os.close(job.answers)
        os.waitpid(relay, 0)
        os._exit(0)
    _die_with_parent()
    ready, started = os.pipe()

    # The program's process must not hold the pipe of reports, or it could write its own verdict.
    def confined() -> None:
        os.close(job.status)
        os.close(ready)
        missing = _confine(job.limits, readable, found, faults)
        os.write(started, json.dumps({"mechanisms": found, "missing": missing}).encode())
        os.close(started)
        if not set(missing) - set(job.accept_missing):
            program.run(job.source, job.function, job.calls, job.answers)

    ending = supervisor.supervise(job.limits, confined, [started, job.answers])
    with os.fdopen(ready, "rb") as pipe:
        report = json.loads(pipe.read() or b"{}")
    os.write(job.status, json.dumps(report | {"ending": ending._asdict()}).encode())


def _namespaces(readable: list[str], hidden: list[str], faults: dict[str, str]) -> list[str]:
    """Enter new namespaces and an empty root, as far as the kernel lets; the mechanisms that are in force."""
    found = []
    try:
        namespaces.enter()
        found.append("namespaces")
        namespaces.empty_root(readable, hidden)
        found.append("empty root")
    except OSError as error:
        # The first fault is the reason for what comes after it too.
        faults.update(dict.fromkeys({"namespaces", "empty root"} - set(found), _reason(error)))
    return found


def _confine(
    limits: supervisor.ProgramLimits, readable: list[str], found: list[str], faults: dict[str, str]
) -> dict[str, str]:
    """The last protections, in the program's own process; those that are missing, each with the reason."""
    _die_with_parent()
    _empty_input()
    limits_memory = supervisor.apply_limits(limits)
    steps = {
        "no new privileges": lambda: control_process(PR_SET_NO_NEW_PRIVS, 1),
        "no capabilities": namespaces.drop_capabilities,
        "landlock": lambda: landlock.restrict(readable),
        # The last: it forbids what the others need.
        "seccomp": lambda: seccomp.install(seccomp.computing_only(machine())),
    }
    for name, step in steps.items():
        try:
            step()
            found.append(name)
        except OSError as error:
            faults[name] = _reason(error)
    given_by = {
        "files": ("empty root", "landlock"),
        "network": ("namespaces", "seccomp"),
        "processes": ("seccomp",),
    }
    missing = {
        protection: "; ".join(dict.fromkeys(faults[name] for name in mechanisms))
        for protection, mechanisms in given_by.items()
        if not set(mechanisms) & set(found)
    }
    return missing if limits_memory else missing | {"memory": "the system does not limit the address space"}


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _folders() -> tuple[list[str], list[str]]:
    """The folders that a program can read (the standard library, shared libraries), and those hidden inside them."""
    libraries = [path for path in sys.path if os.path.isdir(path)]  # noqa: PTH112 - pathlib takes long to import
    with suppress(OSError), open("/proc/self/maps", encoding="utf-8") as maps:  # noqa: PTH123
        shared = {line.split(maxsplit=5)[5].strip() for line in maps if ".so" in line}
        libraries += sorted({os.path.dirname(path) for path in shared if path.startswith("/")})  # noqa: PTH120
    folders: list[str] = []
    for path in libraries:
        if not any(path == folder or path.startswith(f"{folder}/") for folder in folders):
            folders.append(path)
    hidden = [f"{place}/{name}" for place in folders for name in ("site-packages", "dist-packages")]
    return folders, hidden


def _empty_input() -> None:
    """A standard input that is at its end: the job's own has been read, and no file can be opened for it."""
    reading, writing = os.pipe()
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)


def _die_with_parent() -> None:
    """Let the kernel end this process with the one that started it; a fork and a change of user undo that."""
    with suppress(OSError):
        control_process(PR_SET_PDEATHSIG, signal.SIGKILL)
