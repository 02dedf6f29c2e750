"""A crossed experiment whose records are written by hand, so that what it has to find is known."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from item_records import item_record

from shoal.experiments.crossed import CrossedRun, crossed_from, open_crossed
from shoal.experiments.crossed.cell_tasks import narrowness_place, one_per_task
from shoal.experiments.crossed.plan import PLAN
from shoal.experiments.crossed.units import cell_place
from shoal.experiments.records import ArmRecord
from shoal.experiments.storage import write_json, write_jsonl
from shoal.experiments.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from shoal.experiments.crossed import CrossedExperiment

ITEMS = 20


def crossed_table(**changes: Any) -> dict[str, Any]:
    """The table of a small crossed experiment."""
    table: dict[str, Any] = {
        "name": "small",
        "question": "What helps to count?",
        "seeds": 4,
        "model": "a/b",
        "task": {"name": "counting", "options": {"largest": 30}},
        "split": {"name": "last-digit"},
        "factors": {"pretraining": ["pretrained", "random"], "examples": [5, 10, 20]},
        "hypotheses": [hypothesis()],
        "measure": {"primary": "exact_match"},
    }
    return table | changes


def hypothesis(**changes: Any) -> dict[str, Any]:
    """The table of a hypothesis on pretraining."""
    table = {
        "name": "pretraining",
        "claim": "Pretraining helps.",
        "factor": "pretraining",
        "treatment": "pretrained",
        "baseline": "random",
        "smallest_effect": 0.1,
    }
    return table | changes


def crossed(**changes: Any) -> CrossedExperiment:
    return crossed_from(crossed_table(**changes), "test")


def write_crossed(
    folder: Path, experiment: CrossedExperiment, right: Callable[[Mapping[str, str], int], int]
) -> CrossedRun:
    """The run folder of an experiment in which each training has so many of 20 held-out items right.

    Args:
        folder: is made.
        experiment: whose trainings are written.
        right: from the levels of a cell and the number of a training to its right items.
    """
    RunStore(folder, experiment, plan=PLAN).close()
    report = {"kind": "new text", "conclusion": ["these items are new"], "cycles": {"token_period": None}}
    for cell in one_per_task(experiment.cells):
        write_json(folder / narrowness_place(cell), report)
    for cell in experiment.cells:
        for seed in range(experiment.seeds):
            place = folder / cell_place(cell.name, seed)
            count = right(cell.levels, seed)
            items = [
                asdict(
                    item_record(
                        split=split,
                        prompt=f"{split} {number}",
                        index=number,
                        exact_match=number < count or split == "seen",
                    )
                )
                for split in ("seen", "held_out")
                for number in range(ITEMS)
            ]
            write_jsonl(place / "after.jsonl", items)
            record = ArmRecord(
                arm=cell.name,
                spec=cell.spec,
                seed=seed,
                origin="nowhere",
                parameters=10,
                learning_rate=0.001,
                precision="float32",
                steps=int(cell.levels.get("examples", "10")),
                final_loss=1.0,
                digest_before="0",
                digest_after="1",
            )
            write_json(place / "done.json", asdict(record))
    return open_crossed(folder)
