"""The worked examples of CONTRIBUTING.md are code that works as it stands."""

from __future__ import annotations

import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.experiments.controls import Control, ControlCheck, Evidence
from shoal.segmentation import Channel, Features, find_channel, segment
from shoal.segmentation.channels import known_channels
from shoal.tasks import check_task, generated, known_tasks, lists, make_task, registry
from shoal.training import TrainSettings
from shoal.training.optimizers import OptimizerKind

if TYPE_CHECKING:
    import pytest

GUIDE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


def added(title: str) -> str:
    """The lines that the worked example of a title adds."""
    section = GUIDE.read_text(encoding="utf-8").split(f"### {title}, worked through")[1]
    diff = section.split("```diff\n")[1].split("```")[0]
    return "\n".join(line[1:] for line in diff.splitlines() if re.match(r"\+(?!\+\+)", line))


def run(code: str, **names: Any) -> dict[str, Any]:
    """The names that the code defines."""
    namespace: dict[str, Any] = dict(names, __name__="example")
    exec(compile(code, str(GUIDE), "exec"), namespace)
    return namespace


def test_the_control_registers_itself_and_fails_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlCheck, "registry", dict(ControlCheck.registry))
    run(added("A control"), ControlCheck=ControlCheck, Control=Control, Evidence=Evidence)
    control = ControlCheck.registry["equal seeds"]()
    seeds = {"given": {0: 1.0, 1: 0.5}, "fresh": {0: 0.0}}
    evidence: Any = SimpleNamespace(arms=seeds, held_out=lambda arm: seeds[arm])
    assert not control.check(evidence).passed
    evidence.held_out = lambda arm: seeds["given"]
    assert control.check(evidence).passed


def test_the_task_registers_itself_and_keeps_what_tasks_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    known_tasks()
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))
    names = {**vars(generated), **vars(lists), **vars(registry)}
    code = "from __future__ import annotations\n" + added("A task")
    run(code, **{name: value for name, value in names.items() if not name.startswith("__")})
    task = make_task("vowels", examples=200)
    assert task.rule("vowels k a f e:") == " 2"
    check_task(task).raise_for_problems()
    assert task.variants is not None
    variants = task.variants(task.examples[0], random.Random(0))
    assert {variant.kind for variant in variants} == {"same-surface-other-answer", "other-surface-same-answer"}
    longest = make_task("vowels", split=known_tasks()["vowels"].structural_split)
    assert max(len(row.prompt) for row in longest.seen) < min(len(row.prompt) for row in longest.held_out)


def test_the_channel_registers_itself_and_splits_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    known = known_channels()
    monkeypatch.setattr("shoal.segmentation.channels._CHANNELS", dict(known))
    run(
        "from __future__ import annotations\n" + added("A segmentation channel"),
        Channel=Channel,
        Features=Features,
        np=np,
    )
    text = ["Short one."] * 20 + ["This sentence is a good deal longer than the others are."] * 20
    found = segment(text, channel=find_channel("length"))
    assert found.places == [20]


def test_the_optimizer_registers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OptimizerKind, "known", dict(OptimizerKind.known))
    code = "from __future__ import annotations\n" + added("An optimizer")
    run(code, OptimizerKind=OptimizerKind, TrainSettings=TrainSettings, torch=torch)
    assert TrainSettings(optimizer="lion").optimizer == "lion"
