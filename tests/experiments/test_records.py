"""A run folder read back: records as they were written, what is missing, and what is damaged."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st
from item_records import PLAIN, item_record

from shoal.errors import StoreError
from shoal.evaluation import ItemScore
from shoal.experiments import ArmRecord, ItemRecord, Run, TrialRecord, open_run, read_items
from shoal.experiments.loading import experiment_from
from shoal.experiments.records import arm_place, group_items, read_trial
from shoal.experiments.storage import write_json, write_jsonl
from shoal.experiments.store import RunStore
from shoal.tasks import Example

if TYPE_CHECKING:
    from pathlib import Path

PLAN: dict[str, Any] = {
    "name": "small",
    "hypothesis": "One beats two.",
    "treatment": "one",
    "baseline": "two",
    "seeds": [3, 1],
    "task": {"name": "counting"},
    "split": {"name": "last-digit"},
    "arms": {"two": "random:a/b", "one": "a/b"},
    "measure": {"primary": "exact_match", "smallest_effect": 0.1},
}

DONE = ArmRecord(
    arm="one",
    spec="a/b",
    seed=3,
    origin="a folder",
    parameters=7,
    learning_rate=0.1,
    precision="float32",
    steps=2,
    final_loss=None,
    digest_before="a",
    digest_after="b",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    RunStore(tmp_path / "run", experiment_from(PLAN, "test")).close()
    return tmp_path / "run"


def write_seed(folder: Path, arm: str, seed: int, *, after: list[ItemRecord], before: list[ItemRecord]) -> Path:
    place = folder / arm_place(arm, seed)
    for name, items in (("before", before), ("after", after)):
        write_jsonl(place / f"{name}.jsonl", [asdict(item) for item in items])
    return place


floats = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        ItemRecord,
        **{
            **{name: st.text() for name in ("split", "prompt", "completion", "status")},
            **dict.fromkeys(("margin", "token_accuracy", "log_likelihood", "bits_per_byte"), floats),
            "tags": st.dictionaries(st.text(), st.integers() | st.text()),
            "token_margins": st.lists(floats).map(tuple),
            "tokens_text": st.lists(st.text()).map(tuple),
            "divergence": st.none() | st.sampled_from(["ended-early", "went-on", "other"]),
            "first_divergence": st.none() | st.integers(0),
        },
    )
)
def test_an_item_is_read_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, item: ItemRecord) -> None:
    path = tmp_path_factory.mktemp("items") / "after.jsonl"
    write_jsonl(path, [asdict(item), asdict(PLAIN)])
    assert read_items(path) == (item, PLAIN)


def test_numbers_that_are_not_finite_are_read_back_as_none(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [asdict(item_record(margin=float("nan"), token_margins=(1.0, float("inf"))))])
    [item] = read_items(tmp_path / "a.jsonl")
    assert (item.margin, item.token_margins) == (None, (1.0, None))


def test_the_record_of_a_score_has_its_fields_and_those_of_its_example() -> None:
    fields = {name: getattr(PLAIN, name) for name in ItemScore.__dataclass_fields__ if hasattr(PLAIN, name)}
    score = ItemScore(**fields, target_ids=(4, 0))
    example = Example(prompt="to 1:", completion=" 1", tags={"index": 1})
    found = ItemRecord.of_score("seen", example, score, [" 1", "<end>"])
    assert found == replace(PLAIN, split="seen", tags={"index": 1})


def test_a_run_that_has_just_begun_has_nothing_yet(folder: Path) -> None:
    run = open_run(str(folder))
    assert isinstance(run, Run)
    assert run.experiment == experiment_from(PLAN, "test")
    nothing = (run.environment, run.certificate, run.narrowness, run.choices, run.verdict)
    assert nothing == (None,) * 5
    assert (run.timings, run.seeds, run.arms, run.inside, list(run.views())) == ((), (), (), (), [])


def test_a_run_gives_what_its_arms_have_written_in_the_order_of_the_experiment(folder: Path) -> None:
    seen, held_out = item_record(split="seen"), item_record(index=1)
    for arm, seed in (("one", 1), ("one", 3), ("zzz", 1), ("two", 10), ("two", 9)):
        place = write_seed(folder, arm, seed, before=[seen], after=[seen, held_out])
    write_json(place / "done.json", asdict(DONE))
    write_jsonl(
        place / "curve.jsonl", [{"step": 1, "loss": None, "learning_rate": 0.1, "gradient_norm": 1, "tokens": 3}]
    )
    run = open_run(folder)
    assert run.arms == ("two", "one", "zzz")
    assert [(seed.arm, seed.seed) for seed in run.seeds] == [
        ("one", 1),
        ("one", 3),
        ("two", 9),
        ("two", 10),
        ("zzz", 1),
    ]
    last = run.seeds_of("two")[0]
    assert last.done == DONE
    assert [(point.step, point.loss) for point in last.curve] == [(1, None)]
    assert last.by_split()["after", "held_out"] == [held_out]
    # By seed in the order of the file, since the differences of a verdict stand in it.
    assert list(run.items_of("one")) == [3, 1]
    assert run.items_of("one")[1] == group_items([seen], [seen, held_out])


def test_the_items_of_an_arm_must_be_there_for_every_seed(folder: Path) -> None:
    write_seed(folder, "one", 3, before=[PLAIN], after=[PLAIN])
    with pytest.raises(StoreError, match=r"seed-1/before.jsonl cannot be read"):
        open_run(folder).items_of("one")


def test_a_key_of_a_later_version_is_left_out_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "after.jsonl"
    write_jsonl(path, [{**asdict(PLAIN), "mood": "good"}])
    assert read_items(path) == (PLAIN,)
    short = asdict(PLAIN)
    del short["margin"]
    write_jsonl(path, [short])
    with pytest.raises(StoreError, match=r"after.jsonl is no record of type ItemRecord \(.*'margin'.*\); delete it"):
        read_items(path)


def test_a_line_that_a_kill_cut_short_is_left_out_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "after.jsonl"
    line = json.dumps(asdict(PLAIN))
    path.write_text(f"{line}\n{line[:50]}")
    assert read_items(path) == (PLAIN,)
    path.write_text(f"{line}\n{line[:50]}\n{line}\n")
    with pytest.raises(
        StoreError, match=r"after.jsonl, line 2, is damaged .*delete it and give the same command again"
    ):
        read_items(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("environment.json", "[1]", "should hold a JSON object and holds a list"),
        ("environment.json", "{}", "environment.json is no record of type Environment"),
        ("verdict.json", '{"verdict": "supported"}', "verdict.json is no record a verdict"),
        ("verdict.json", "{", "verdict.json is damaged"),
        ("choices.json", "no", "choices.json is damaged"),
    ],
)
def test_a_damaged_file_is_named_when_it_is_looked_at(folder: Path, name: str, content: str, words: str) -> None:
    (folder / name).write_text(content)
    run = open_run(folder)
    with pytest.raises(StoreError, match=words):
        getattr(run, name.removesuffix(".json"))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not a run: it has no experiment.toml"):
        open_run(tmp_path)
    crossed = tmp_path / "crossed"
    crossed.mkdir()
    (crossed / "crossed.toml").touch()
    with pytest.raises(StoreError, match=r"is a crossed experiment; expected a run of two arms"):
        open_run(crossed)
    (tmp_path / "experiment.toml").write_text("name = ")
    with pytest.raises(StoreError, match=r"experiment.toml is damaged: .*run the experiment again into a new folder"):
        open_run(tmp_path)


def test_a_strange_folder_among_the_seeds_is_named(folder: Path) -> None:
    (folder / "arms" / "one" / "seed-first").mkdir(parents=True)
    with pytest.raises(StoreError, match="seed-first is not named after a seed"):
        open_run(folder).seeds  # noqa: B018 - it reads the folder


def test_a_trial_keeps_what_it_has_and_no_more(tmp_path: Path) -> None:
    trial = TrialRecord(
        arm="a", learning_rate=0.1, run_seed=0, seed=1, measure="exact_match", score=None, validation_examples=3
    )
    for one, keys in (
        (replace(trial, diverged="the loss is nan"), {"diverged"}),
        (replace(trial, score=0.5, steps=3, final_loss=1.5), {"steps", "final_loss"}),
    ):
        always = {"arm", "learning_rate", "run_seed", "seed", "measure", "score", "validation_examples"}
        assert set(one.to_dict()) - always == keys
        write_json(tmp_path / "done.json", one.to_dict())
        assert read_trial(tmp_path / "done.json") == one
