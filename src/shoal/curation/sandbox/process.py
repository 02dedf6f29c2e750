"""The process of a sandbox: started, read with bounds, and gone when its report is there."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.sandbox.confined.supervisor import ProgramLimits

_WAY_IN = "import sys; sys.path.insert(0, {folder!r}); from confined.start import main; main()"
"""The package is imported from its folder: shoal itself would bring packages that an isolated interpreter has not."""

_MAX_ANSWERS = 4 * 2**20
"""Bytes of all values together."""
_MAX_STATUS = 2**16
_STARTING = 60.0
"""Seconds that may pass, beyond the program's wall time, until the sandbox is up and down: a busy machine is slow."""
_CHUNK = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """What came back from a sandbox's process."""

    answers: bytes
    """Lines of JSON that the program could write as it likes."""

    output: str
    too_long: int | None
    """The limit of bytes that was passed, where one was."""

    ending: dict[str, Any]
    """How the program's process ended, by the supervisor."""

    mechanisms: tuple[str, ...]
    missing: dict[str, str]
    """The protections that this machine did not give, each with the reason."""


def run_confined(
    source: str,
    function: str,
    calls: Sequence[Any],
    *,
    limits: ProgramLimits,
    output_bytes: int,
    accept_missing: Sequence[str],
) -> ProcessReport:
    """Run a program in a sandbox's process of its own.

    Args:
        source: of the program.
        function: that it must define.
        calls: the encoded arguments of each call.
        limits: of the program.
        output_bytes: how much it may print.
        accept_missing: protections without which it is run all the same.

    Raises:
        SandboxError: the sandbox itself failed.
    """
    answers, answers_in = os.pipe()
    status, status_in = os.pipe()
    job = {
        "source": source,
        "function": function,
        "calls": list(calls),
        "limits": limits._asdict(),
        "accept_missing": list(accept_missing),
        "parent": os.getpid(),
        "status": status_in,
        "answers": answers_in,
    }
    # A file and no pipe: a long program would fill a pipe before the other side reads.
    with tempfile.TemporaryFile() as standard_input:
        standard_input.write(json.dumps(job).encode())
        standard_input.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", "-c", _WAY_IN.format(folder=str(Path(__file__).parent))],
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(answers_in, status_in),
            # A group of its own, so that everything of the sandbox can be ended by one signal, and Ctrl-C is the
            # caller's alone.
            start_new_session=True,
            cwd="/",
            # An interpreter may need it to find its own library.
            env={key: value for key, value in os.environ.items() if key == "LD_LIBRARY_PATH"},
        )
    # The writing ends, or the reading ones would never come to their end when the sandbox is gone.
    os.close(answers_in)
    os.close(status_in)
    assert process.stdout is not None  # a pipe was requested
    bounds = {answers: _MAX_ANSWERS, status: _MAX_STATUS, process.stdout.fileno(): output_bytes}
    try:
        texts, too_long = _read_all(bounds, ends=status, seconds=limits.wall_seconds + _STARTING)
    finally:
        # Whatever of the sandbox is left goes with its first process, which the kernel sees to.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output_file = process.stdout.fileno()
        process.stdout.close()
        os.close(answers)
        os.close(status)
    output = texts[output_file].decode("utf-8", "replace")
    report = _status(texts[status], output, limits, too_long=too_long)
    return ProcessReport(
        answers=texts[answers],
        output=output,
        too_long=too_long,
        ending=report.get("ending", {}),
        mechanisms=tuple(report.get("mechanisms", ())),
        missing=report.get("missing", {}),
    )


def _read_all(bounds: dict[int, int], *, ends: int, seconds: float) -> tuple[dict[int, bytes], int | None]:
    """Read pipes until one of them ends, or one gives more than it may, or the time is over.

    Args:
        bounds: from the file descriptor of a pipe to how many bytes it may give.
        ends: the pipe whose end is that of the sandbox; what the others hold by then is read too.
        seconds: until the reading is given up.

    Returns:
        What each pipe gave, and the bound that was passed.
    """
    found = {pipe: bytearray() for pipe in bounds}
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for pipe in bounds:
            os.set_blocking(pipe, False)
            selector.register(pipe, selectors.EVENT_READ)
        while ends in selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if not _read_some(key.fd, found[key.fd], bounds[key.fd]):
                    selector.unregister(key.fd)
                if len(found[key.fd]) > bounds[key.fd]:
                    return {pipe: bytes(text[: bounds[pipe]]) for pipe, text in found.items()}, bounds[key.fd]
    # What was written before the end may still wait in the other pipes.
    for pipe, text in found.items():
        while len(text) <= bounds[pipe] and _read_some(pipe, text, bounds[pipe]):
            pass
    passed = [bounds[pipe] for pipe, text in found.items() if len(text) > bounds[pipe]]
    return {pipe: bytes(text[: bounds[pipe]]) for pipe, text in found.items()}, passed[0] if passed else None


def _read_some(pipe: int, text: bytearray, bound: int) -> bool:
    """Read what is there, to one byte over the bound; whether there was any."""
    try:
        chunk = os.read(pipe, min(_CHUNK, bound + 1 - len(text)))
    except BlockingIOError:
        return False
    text += chunk
    return bool(chunk)


def _status(text: bytes, output: str, limits: ProgramLimits, *, too_long: int | None) -> dict[str, Any]:
    """The supervisor's report, or what stands for it."""
    if text:
        found: dict[str, Any] = json.loads(text)
        if "missing" in found:
            return found
    if too_long is not None:
        return {}
    last = output.strip().splitlines()[-1:] or ["it gave no report"]
    raise SandboxError(
        f"the sandbox did not come up within {limits.wall_seconds + _STARTING:g} s or failed: {last[0][:200]}; "
        "try again, and report it if it stays so"
    )
