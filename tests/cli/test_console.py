"""Progress in a log: a line now and then, with the time that is left."""

from __future__ import annotations

import pytest

from shoal.cli.console import LogLines


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
