"""Progress in a log: a line now and then, with the time that is left."""

from __future__ import annotations

import io
import re
import sys

import pytest

from shoal.cli.terminal import LogLines, display


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_log_has_a_line_where_work_begins_and_one_every_ten_seconds(clock, capsys):
    log = LogLines(clock)
    for done in range(41):
        clock.now = float(done)
        log.progress("items", done, 40)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"items: {done} of 40" for done in (0, 10, 20, 30, 40)]


def test_the_time_left_comes_from_the_speed_so_far(clock, capsys):
    log = LogLines(clock)
    log.progress("steps", 0, 1000)
    clock.now = 60.0
    log.progress("steps", 200, 1000)
    assert capsys.readouterr().err.splitlines()[-1] == "steps: 200 of 1,000  about 4 min left"


def test_what_a_resumed_run_had_already_does_not_count_as_speed(clock, capsys):
    log = LogLines(clock)
    log.progress("steps", 900, 1000)
    clock.now = 50.0
    log.progress("steps", 950, 1000)
    assert "about 50 s left" in capsys.readouterr().err


def test_work_of_unknown_length_shows_what_is_done(clock, capsys):
    log = LogLines(clock)
    log.progress("documents", 0, 0)
    clock.now = 11.0
    log.progress("documents", 12_000, 0)
    assert capsys.readouterr().err.splitlines() == ["documents: 0", "documents: 12,000"]


def test_a_note_stands_beside_the_progress(clock, capsys):
    log = LogLines(clock)
    log.note("loss 1.5")
    log.progress("steps", 0, 10)
    assert capsys.readouterr().err == "steps: 0 of 10  loss 1.5\n"


def test_the_next_work_of_a_name_has_a_speed_of_its_own(clock, capsys):
    log = LogLines(clock)
    log.progress("training", 0, 10)
    clock.now = 100.0
    log.progress("training", 10, 10)
    log.progress("training", 0, 10)
    clock.now = 110.0
    log.progress("training", 5, 10)
    assert capsys.readouterr().err.splitlines()[-1] == "training: 5 of 10  about 10 s left"


class Terminal(io.StringIO):
    """A standard error that calls itself a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_bar_that_was_full_shows_that_time_is_left_again(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with display() as shown:
        shown.progress("training", 0, 10)
        shown.progress("training", 10, 10)
        shown.progress("training", 1, 10)
    plain = re.sub(r"\x1b\[[0-9;?]*\w", "", terminal.getvalue())
    # Bars are drawn again and again: the last drawing stands behind the last name.
    assert re.search(r" 1/10 \S+ left -:--:--", plain.rsplit("training", 1)[1])
