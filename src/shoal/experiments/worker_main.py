"""A worker process: reads lines of JSON on standard input, answers each on standard output.

``python -m shoal.experiments.worker_main MODULE:FUNCTION`` (`shoal.experiments.workers` starts it): the function takes
the first line, the opening, and gives what answers each of the others. The worker ends when its standard input does,
whatever it is doing: so a run that is killed leaves no worker behind that still writes. Ctrl-C does not reach it.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import shoal.errors as errors
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from typing import TextIO

Answering = Callable[[dict[str, Any]], dict[str, Any]]
"""Does the work of one line and gives a record of what it took."""


def serve_lines(begin: Callable[[dict[str, Any]], Answering]) -> None:
    """Serve until standard input ends.

    Args:
        begin: takes the first line, and gives what answers each of the others.
    """
    answers = _protect_answers()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    # A thread of its own notices the end of the input while a job computes.
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    answer = begin(json.loads(lines.get()))
    while True:
        done = json.dumps(answer_or_fault(answer, json.loads(lines.get())))
        try:
            answers.write(done + "\n")
            answers.flush()
        except BrokenPipeError:  # the parent is gone, and standard input is about to end
            os._exit(0)


def answer_or_fault(answer: Answering, line: dict[str, Any]) -> dict[str, Any]:
    """The answer to a line, or the exception that it met, as plain values that `raise_fault` raises again.

    Args:
        answer: what does the work.
        line: the work.
    """
    try:
        return answer(line)
    except ShoalError as fault:
        return {"fault": type(fault).__name__, "message": str(fault)}
    except Exception:  # noqa: BLE001 - the parent raises it again, with this traceback
        return {"fault": "", "message": traceback.format_exc()}


def raise_fault(answer: dict[str, Any]) -> None:
    """Raise the exception that a worker met, if it met one.

    Args:
        answer: as `answer_or_fault` gives it.

    Raises:
        ShoalError: of the kind that the worker raised.
        RuntimeError: it was of no kind of shoal's own; the message holds the worker's traceback.
    """
    if "fault" not in answer:
        return
    kind = getattr(errors, answer["fault"], None) if answer["fault"] else None
    if kind is None:
        raise RuntimeError(f"a job failed:\n{answer['message']}")
    # The constructors of some kinds build the message from other arguments; the message is there already.
    fault = ShoalError.__new__(kind)
    Exception.__init__(fault, answer["message"])
    raise fault


def _protect_answers() -> TextIO:
    """Reserve standard output for the answers: what libraries print goes to standard error."""
    # A progress bar or warning of a library between two answers would be read as a broken one.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(answers, "w", encoding="utf-8")


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        if line.endswith("\n"):  # a parent that is killed may leave half a line
            lines.put(line)
    # sys.exit would end this thread alone; and there is nothing to clean up, since files are written atomically.
    os._exit(0)


def _main(entry: str) -> None:
    module, _, function = entry.partition(":")
    serve_lines(getattr(importlib.import_module(module), function))


if __name__ == "__main__":
    _main(sys.argv[1])
