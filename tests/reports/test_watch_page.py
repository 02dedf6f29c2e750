"""The page of the events of logs: each log with its curve and its events, those with events first."""

from __future__ import annotations

import math

import pytest

from page_reader import HOSTILE, read_page
from shoal.reports import watch_page
from shoal.reports.watch_page import MAX_DRAWN
from shoal.training.watch import LogEvents, WatchEvent


def event(step=3, **changes):
    given = {"kind": "spike", "stream": "loss", "began": step, "value": 9.0, "expected": 3.0, "size": 8.04}
    return WatchEvent(step=step, **{**given, **changes})


def log(*events, name="runs/a", losses=(4.0, 3.5, 9.0, 3.0), seconds=None, first=1):
    steps = tuple(range(first, first + len(losses)))
    return LogEvents(name=name, events=events, steps=steps, losses=tuple(losses), seconds=seconds)


def test_events_stand_with_their_numbers_and_the_time_after_which_they_came():
    page = read_page(watch_page("runs", [log(event(), seconds=(0.0, 10.0, 120.0, 9000.0))]))
    assert page.part("h1") == "Events of runs"
    assert page.part(".result") == "One event in 4 steps: a spike at step 3."
    assert page.part(".details") == ""
    assert page.part("h2") == "a"
    assert page.rows("In the order of the steps.") == [
        ["3", "spike", "step 3: spike of loss: 9 where 3 was expected, 8.0 sd, after 2 min"]
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"kind": "skill", "began": 2}, "step 3: new skill in loss since step 2: 9 where 3 was expected, 8.0 sd"),
        ({"kind": "divergence"}, "step 3: divergence in loss: 9 where 3 was expected, 8.0 sd"),
        ({"kind": "divergence", "value": math.inf}, "step 3: divergence of loss: inf"),
        (
            {"kind": "plateau", "size": 0.031, "value": 3.0, "expected": 9.0},
            "step 3: plateau of loss: at 3 from 9; the last half of the steps brought at most 3.1% of that fall",
        ),
        (
            {"kind": "plateau", "size": -0.5},
            "step 3: plateau of loss: at 9 from 3; the last half of the steps brought at most 0.0% of that fall",
        ),
    ],
)
def test_each_kind_of_event_is_a_sentence(changes, line):
    page = read_page(watch_page("runs", [log(event(**changes))]))
    assert page.rows("In the order of the steps.") == [["3", changes["kind"], line]]


def test_events_of_several_kinds_are_counted_by_kind():
    events = (event(), event(kind="divergence"), event(4))
    page = read_page(watch_page("runs", [log(*events)]))
    assert page.part(".result") == "3 events in 4 steps: 2 spikes and 1 divergence."


def test_logs_with_events_come_first_and_only_some_are_drawn():
    quiet = [log(name=f"runs/quiet-{place:02d}") for place in range(MAX_DRAWN + 2)]
    page = read_page(watch_page("runs/", [*quiet, log(event(), event(4), name="runs/loud")]))
    assert (
        page.part(".result") == f"2 events in {MAX_DRAWN + 3} logs of {4 * (MAX_DRAWN + 3)} steps together: 2 spikes."
    )
    assert page.part(".details") == "3 logs without a drawing."
    assert page.part("h2").startswith("loudquiet-00")
    assert len(page.all("section")) == MAX_DRAWN
    assert page.text.count("No event was seen.") == MAX_DRAWN - 1


def test_a_log_without_a_finite_loss_has_no_curve():
    page = read_page(watch_page("runs", [log(losses=(math.nan, math.inf))]))
    assert page.all("svg") == []
    assert "No event was seen." in page.text


def test_a_log_of_one_step_can_be_drawn():
    page = read_page(watch_page("runs", [log(losses=(2.0,))]))
    assert page.part(".result") == "No event in 1 step: no spike, plateau or divergence."
    assert len(page.all("svg")) == 2


def test_names_of_logs_are_text():
    page = read_page(watch_page(HOSTILE, [log(event(stream=HOSTILE), name=HOSTILE)]))
    wanted = " ".join(HOSTILE.split())
    assert page.part("h1") == f"Events of {wanted}"
    assert page.part("h2") == wanted
    assert wanted in page.rows("In the order of the steps.")[0][2]


def test_a_log_is_a_sequence_and_json():
    found = log(event(), event(4, kind="skill"), seconds=(0.0, 1.0, 2.0, math.nan), first=1)
    assert len(found) == 2
    assert found[0].step == 3
    assert [one.step for one in found[:]] == [3, 4]
    record = found.to_dict()
    assert (record["steps"], record["first_step"], record["last_step"]) == (4, 1, 4)
    assert [row["seconds"] for row in record["events"]] == [2.0, None]
    assert found.to_frame()["kind"].tolist() == ["spike", "skill"]
    assert str(found).splitlines()[0] == "runs/a: 4 steps (1 to 4), 2 events"
    assert str(found).splitlines()[1].endswith("[after 2 s]")
