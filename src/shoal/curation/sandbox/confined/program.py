"""The program under test: its source is run, its function is called, and each value goes out through a pipe.

What the right values are is not known here: nothing of them is in this process, so that no program can read them, and
the comparison is made elsewhere, so that no program can turn it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .values import decode, encode

REPORTED = frozenset({
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.kill", "os.killpg",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
    "os.utime", "subprocess.Popen", "socket.__new__", "socket.connect", "socket.getaddrinfo", "signal.pthread_kill",
    "_thread.start_new_thread", "_thread.start_joinable_thread", "ctypes.dlopen", "ctypes.call_function",
    "resource.setrlimit", "resource.prlimit", "tempfile.mkstemp", "shutil.copyfile",
})  # fmt: skip
"""Events of Python's audit hooks that name the deed behind a forbidden system call. They are for the message alone:
what ends the program is the kernel, and a program that goes around them is ended too."""

_REASON_LIMIT = 300


def run(source: str, function: str, calls: list[Any], answers: int) -> None:
    """Run the program, call its function, and write each value; then end this process.

    Args:
        source: of the program.
        function: the name that it must define.
        calls: the encoded arguments of each call, a list each.
        answers: the file descriptor that lines of JSON are written to.
    """
    write = os.write  # the program may put something else in its place

    def emit(row: dict[str, Any]) -> None:
        write(answers, json.dumps(row).encode() + b"\n")

    def report(event: str, arguments: tuple[Any, ...]) -> None:
        if event in REPORTED:
            emit({"event": event})
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            emit({"event": f"opening {str(arguments[0])[:80]!r} for writing"})

    sys.addaudithook(report)
    try:
        space: dict[str, Any] = {"__name__": "program"}
        exec(compile(source, "<program>", "exec"), space)
        called = space[function]
    except KeyError:
        emit({"fault": "error", "reason": f"the program defines no {function!r}"})
    except BaseException as error:  # noqa: BLE001 - whatever the program raises, SystemExit too
        emit(_fault(error))
    else:
        for place, arguments in enumerate(calls):
            try:
                # Decoded for each call, so that a program that changes its arguments changes its own alone.
                emit({"call": place, "value": encode(called(*map(decode, arguments)))})
            except BaseException as error:  # noqa: BLE001 - as above
                emit({"call": place, **_fault(error)})
    sys.stdout.flush()
    # No cleaning up: handlers that the program registered (atexit, threads) must not run on.
    os._exit(0)


def _fault(error: BaseException) -> dict[str, Any]:
    kind = "memory" if isinstance(error, MemoryError) else "error"
    try:
        reason = f"{type(error).__name__}: {error}"[:_REASON_LIMIT]
    except BaseException:  # noqa: BLE001 - the program's own exception may fail to give its text
        reason = type(error).__name__
    return {"fault": kind, "reason": reason}
