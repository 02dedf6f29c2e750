"""The frame of a worker process: reads lines of JSON on standard input, answers each on standard output.

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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    Answering = Callable[[dict[str, Any]], dict[str, Any]]


def serve_lines(begin: Callable[[dict[str, Any]], Answering]) -> None:
    """Serve until standard input ends.

    Args:
        begin: takes the first line, and gives what answers each of the others.
    """
    answers = _protect_answers()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    answer = begin(json.loads(lines.get()))
    while True:
        done = json.dumps(answer(json.loads(lines.get())))
        try:
            answers.write(done + "\n")
            answers.flush()
        except BrokenPipeError:  # the one who asked is gone, and standard input is about to end
            os._exit(0)


def peak_bytes() -> int:
    """The most memory that this process has used; macOS counts it in bytes and Linux in kibibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def set_threads(threads: int) -> None:
    """Give torch so many threads."""
    import torch

    torch.set_num_threads(threads)


def _protect_answers() -> TextIO:
    """Keep standard output for the answers: what libraries print goes to standard error."""
    kept = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(kept, "w", encoding="utf-8")


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        if line.endswith("\n"):  # a sender that is killed may leave half a line
            lines.put(line)
    os._exit(0)
