"""Curves that grow: only what is new is sent, and what was sent stays where it is."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from shoal.studio.live_curves import MAX_POINTS, LiveCurves

ARM = "arms/random/seed-0"


def append(folder: Path, first: int, last: int, *, loss: float = 1.0, name: str = "curve.jsonl") -> None:
    place = folder / ARM
    place.mkdir(parents=True, exist_ok=True)
    with (place / name).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"step": step, "loss": loss / step}) + "\n" for step in range(first, last + 1))


class Reader:
    """What the script of a page does with the answers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.live, self.cursor = folder, LiveCurves(), ""
        self.points: list[list[float]] = []
        self.events: list[dict[str, Any]] = []
        self.sent = 0

    def ask(self) -> None:
        answer = self.live.changes(self.folder, self.cursor)
        self.cursor = answer["cursor"]
        self.sent = len(json.dumps(answer))
        for curve in answer["curves"]:
            del self.points[curve["begin"] :]
            self.points += curve["points"]
        self.events += answer["events"]


def test_only_new_points_are_sent(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    append(tmp_path, 1, 300)
    reader.ask()
    assert [step for step, _ in reader.points] == list(range(1, 301))
    append(tmp_path, 301, 303)
    reader.ask()
    assert reader.sent < 400
    assert [step for step, _ in reader.points] == list(range(1, 304))
    reader.ask()
    assert reader.sent < 200
    assert len(reader.points) == 303


def test_points_stay_where_they_are_until_two_windows_become_one(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    append(tmp_path, 1, 10 * MAX_POINTS)
    reader.ask()
    assert MAX_POINTS / 2 <= len(reader.points) <= MAX_POINTS
    before = list(reader.points)
    append(tmp_path, 10 * MAX_POINTS + 1, 10 * MAX_POINTS + 40)
    reader.ask()
    # The last window was not full.
    assert reader.points[: len(before) - 1] == before[:-1]
    whole = Reader(tmp_path)
    whole.ask()
    assert whole.points == reader.points
    width = before[1][0] - before[0][0]
    steps = range(1, int(width) + 1)
    assert abs(before[0][1] - sum(1 / step for step in steps) / width) < 1e-4


def test_a_curve_that_is_written_again_replaces_what_was_drawn(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    append(tmp_path, 1, 50)
    reader.ask()
    append(tmp_path, 1, 10, loss=2.0, name="new")
    (tmp_path / ARM / "new").replace(tmp_path / ARM / "curve.jsonl")
    reader.ask()
    assert reader.points[0] == (1, 2.0)
    assert len(reader.points) == 10


def test_a_line_that_is_being_written_and_values_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    append(tmp_path, 1, 2)
    with (tmp_path / ARM / "curve.jsonl").open("a") as file:
        file.write('{"step": 3, "loss": null}\n{"step": 4, "loss": NaN}\nno json\n[1]\n{"step": 5, "lo')
    reader.ask()
    assert [step for step, _ in reader.points] == [1, 2]
    with (tmp_path / ARM / "curve.jsonl").open("a") as file:
        file.write('ss": 0.25}\n')
    reader.ask()
    assert reader.points[-1] == (5, 0.25)


def test_events_are_sent_once(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    append(tmp_path, 1, 5)
    events = tmp_path / ARM / "events.jsonl"
    events.write_text('{"step": 3, "stream": "loss", "kind": "spike", "text": "The loss jumped."}\n{"step": 4}\n')
    with events.open("a") as file:
        file.write('{"step": 5, "kind": "plateau", "line": "step 5: plateau of loss: at 0.2"}\n')
    reader.ask()
    reader.ask()
    assert [event["text"] for event in reader.events] == [
        "The loss jumped.",
        "event in the training",
        "plateau of loss: at 0.2",
    ]
    assert reader.events[0] == {"curve": "random, seed 0", "step": 3, "kind": "spike", "text": "The loss jumped."}


def test_the_batch_of_a_spike_stands_below_its_event(tmp_path: Path) -> None:
    from shoal.training.watch import Watch

    reader, watch = Reader(tmp_path), Watch()
    append(tmp_path, 1, 5)
    watch.observe(5, loss=float("inf"), batch={"tales 7": "x y " * 9, "tales 8": "a b"}, document_losses=[9.5, 2.0])
    (tmp_path / ARM / "events.jsonl").write_text(json.dumps(watch.events[0].to_dict()) + "\n")
    reader.ask()
    (event,) = reader.events
    assert event["text"] == "divergence of loss: inf"
    assert event["details"][:2] == [
        "batch: 2 documents",
        f"tales 7 (loss 9.5, 18 tokens, 100% repeated): {'x y ' * 9}".strip(),
    ]
    assert event["details"][3] == "repeated 6 times in 1 document: x y x y x y x y"


def test_a_cursor_of_another_studio_gives_everything(tmp_path: Path) -> None:
    append(tmp_path, 1, 5)
    for cursor in ("nonsense", "[1]", "[" * 50_000, '{"random, seed 0": "7.1.3"}', '{"random, seed 0": 3}'):
        answer = LiveCurves().changes(tmp_path, cursor)
        assert answer["curves"][0]["begin"] == 0
        assert len(answer["curves"][0]["points"]) == 5
    name = "random, seed 0"
    generation, width, *_ = json.loads(LiveCurves().changes(tmp_path, "")["cursor"])[name].split(".")
    strange = json.dumps({name: f"{generation}.{width}.²", f"!{name}": f"{generation}.²"})
    assert len(LiveCurves().changes(tmp_path, strange)["curves"][0]["points"]) == 5


def test_a_training_without_events_of_its_own_is_watched_by_the_studio(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    place = tmp_path / ARM
    place.mkdir(parents=True)
    draw = random.Random(0)
    losses = [2.0 + draw.gauss(0.0, 0.05) for _ in range(400)]
    losses[300] = 40.0
    rows = [json.dumps({"step": step, "loss": loss, "gradient_norm": None}) for step, loss in enumerate(losses, 1)]
    (place / "curve.jsonl").write_text("\n".join(rows) + "\n")
    reader.ask()
    reader.ask()
    spikes = [event for event in reader.events if event["kind"] == "spike"]
    assert [event["step"] for event in spikes] == [301]
    assert spikes[0]["text"].startswith("spike of loss")
