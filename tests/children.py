"""Work in forked children, which share this process's imports: what they give, and how they are killed."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import get_context

FORK = get_context("fork")


def answer_of(work, *given):
    """What the function gives, or the exception that it raises, in a child."""
    return answers_of([(work, given)])[0]


def answers_of(works):
    """The answers of several children that work at the same time.

    None of them is waited for in vain, however slow the machine: a child that dies ends its pipe.
    """
    children = []
    for work, given in works:
        mine, theirs = FORK.Pipe()
        child = FORK.Process(target=_answer, args=(theirs, work, given))
        child.start()
        theirs.close()
        children.append((child, mine))
    answers = [pipe.recv() for _, pipe in children]
    for child, pipe in children:
        child.join()
        pipe.close()
    return answers


def killed(work, *given):
    """Do work that gets itself killed, in a child."""
    child = FORK.Process(target=work, args=given)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, "it ended by itself"


def deadly(calls, delay, last):
    """A listener that has its process killed so many seconds after so many calls.

    At its last call the process waits for its end, so that no child is done before, however fast the machine.
    """
    heard = 0

    def listen(*_):
        nonlocal heard
        heard += 1
        if heard == calls:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        if heard == last:
            threading.Event().wait()

    return listen


def _answer(pipe, work, given):
    try:
        answer = work(*given)
    except Exception as fault:  # noqa: BLE001 - it is the answer
        answer = fault
    pipe.send(answer)
    pipe.close()
