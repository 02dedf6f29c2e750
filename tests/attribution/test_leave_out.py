"""Leaving groups of training examples out: what they teach is found, and what cannot be done is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shoal.attribution import find_groups, leave_out
from shoal.attribution.leave_out_records import TrainedWithout
from shoal.attribution.leave_out_result import summarize_leave_out
from shoal.attribution.planted.tokenizer import sign_tokenizer
from shoal.errors import StoreError, UsageError
from shoal.models import LoadedModel, ModelShape, build_model, model_digest
from shoal.tasks import Example, Rule, Split, Task
from shoal.training import TrainSettings, train

LETTERS = {"clean": "abcd", "dirty": "efgh", "fresh": "ijklmn"}
LABELS = {"+": " y", "-": " n", "?": " m", "!": " k"}


def labels_task() -> Task:
    """Each sign has a label; half of the seen examples, those of one source, have that of the next sign."""

    def examples(source: str, rule: Rule) -> list[Example]:
        prompts = [f"{sign} {letter}:" for letter in LETTERS[source] for sign in LABELS]
        return [
            Example(prompt=prompt, completion=rule(prompt), tags={"source": source, "place": place})
            for place, prompt in enumerate(prompts)
        ]

    return Task(
        name="labels",
        examples=(*examples("clean", by_sign), *examples("dirty", shifted), *examples("fresh", by_sign)),
        split=Split(name="fresh", holds_out=lambda example: example.tags["source"] == "fresh"),
        rule=by_sign,
        shortcuts={"shifted": lambda prompt, seen: shifted(prompt), "silent": lambda prompt, seen: ""},
    )


def by_sign(prompt: str) -> str:
    return LABELS[prompt[0]]


def shifted(prompt: str) -> str:
    labels = list(LABELS.values())
    return labels[(labels.index(by_sign(prompt)) + 1) % len(labels)]


def train_small(examples: Sequence[Example], seed: int) -> LoadedModel:
    """A model of one layer, really trained; labels are all that it can learn in these few steps."""
    tokenizer = sign_tokenizer("copy", context=32)
    shape = ModelShape(
        vocabulary=len(tokenizer),
        width=16,
        layers=1,
        heads=2,
        context=32,
        end_token_id=tokenizer.eos_token_id,
        initial_spread=0.1,
    )
    model = build_model("llama", shape, seed=seed)
    settings = TrainSettings(learning_rate=2e-2, epochs=25, batch_tokens=64, beta2=0.98, precision="float32", seed=seed)
    train(model, tokenizer, examples, settings)
    return LoadedModel(
        spec="small",
        model=model.eval(),
        tokenizer=tokenizer,
        digest=model_digest(model),
        parameters=model.num_parameters(),
        origin="trained in a test",
    )


class CountedTraining:
    """`train_small`, with a count of the calls and a call at which it fails."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.calls: list[tuple[int, int]] = []
        self._fails_at = fails_at

    def __call__(self, examples: Sequence[Example], seed: int) -> LoadedModel:
        if len(self.calls) == self._fails_at:
            raise KeyboardInterrupt
        self.calls.append((len(examples), seed))
        return train_small(examples, seed)


def test_the_group_that_teaches_the_shortcut_is_found() -> None:
    task = labels_task()
    result = leave_out(task, find_groups(task, "tag:source"), train_small, seeds=(0,))
    clean, dirty = result.groups
    assert (clean.group, dirty.group) == ("source = clean", "source = dirty")
    assert clean.examples == dirty.examples == 16
    # Without the dirty labels the shortcut is gone, and without the clean ones it is all that is left.
    assert dirty.changes["shifted"].estimate < -0.2
    assert clean.changes["shifted"].estimate > 0.2
    assert dirty.beyond_chance["shifted"].estimate < -0.2
    # What the shares say stands in the accuracy too.
    assert dirty.changes["accuracy"].estimate > 0.2
    assert clean.changes["accuracy"].estimate < -0.2


@pytest.mark.slow
def test_changes_are_paired_by_seed_and_the_mean_of_them_is_the_estimate() -> None:
    task = labels_task()
    result = leave_out(task, {"dirty": [e.tags["source"] == "dirty" for e in task.seen]}, train_small, seeds=(3, 5))
    change = result.groups[0].changes["shifted"]
    assert len(change.by_seed) == 2
    assert change.estimate == pytest.approx(sum(change.by_seed) / 2)
    # Two seeds can exclude nothing at 95%, which the text says.
    assert change.low == -float("inf")
    assert "needs 6 seeds or more" in str(result)


def test_the_result_is_a_table_and_plain_values() -> None:
    task = labels_task()
    result = leave_out(task, {"dirty": [e.tags["source"] == "dirty" for e in task.seen]}, train_small, seeds=(0,))
    frame = result.to_frame()
    assert set(frame["quantity"]) >= {"accuracy", "rule", "shifted"}
    assert set(frame["group"]) == {"dirty"}
    written = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert written["groups"][0]["changes"]["accuracy"]["low"] is None
    assert "without dirty (16 examples)" in str(result)


def test_a_call_that_was_stopped_is_resumed_and_gives_the_same(tmp_path: Path) -> None:
    task = labels_task()
    groups = find_groups(task, "tag:source")
    whole = leave_out(task, groups, train_small, seeds=(0,))
    stopped = CountedTraining(fails_at=2)
    with pytest.raises(KeyboardInterrupt):
        leave_out(task, groups, stopped, seeds=(0,), folder=tmp_path)
    file = tmp_path / "leave_out.jsonl"
    # As a process leaves it that was killed while it wrote.
    file.write_text(file.read_text() + '{"group": "source', encoding="utf-8")
    resumed = CountedTraining()
    assert leave_out(task, groups, resumed, seeds=(0,), folder=tmp_path) == whole
    assert len(stopped.calls) + len(resumed.calls) == 5
    again = CountedTraining()
    leave_out(task, groups, again, seeds=(0,), folder=tmp_path)
    assert again.calls == []


def test_random_examples_are_left_out_in_the_stead_of_each_group() -> None:
    task = labels_task()
    training = CountedTraining()
    leave_out(task, {"one": [place == 0 for place in range(32)]}, training, seeds=(7,))
    assert training.calls == [(32, 7), (31, 7), (31, 7)]


def test_progress_counts_the_trainings() -> None:
    task, calls = labels_task(), []
    group = {"one": [place == 0 for place in range(32)]}
    leave_out(task, group, train_small, seeds=(0,), progress=lambda *call: calls.append(call))
    assert calls == [("trainings", done, 3) for done in range(4)]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "no groups to leave out"),
        ({"none": [False] * 32}, "'none' holds no seen example of 32"),
        ({"all": [True] * 32}, "'all' holds every seen example of 32"),
        ({"short": [True, False]}, "'short' has 2 flags for 32 seen examples"),
    ],
)
def test_groups_that_cannot_be_left_out_are_refused_before_any_training(
    groups: dict[str, list[bool]], message: str
) -> None:
    training = CountedTraining()
    with pytest.raises(UsageError, match=message):
        leave_out(labels_task(), groups, training)
    assert training.calls == []


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_that_are_missing_or_repeated_are_refused(seeds: tuple[int, ...]) -> None:
    task = labels_task()
    with pytest.raises(UsageError, match="give at least one, and none twice"):
        leave_out(task, find_groups(task, "tag:source"), train_small, seeds=seeds)


def test_a_folder_of_another_leave_out_is_refused(tmp_path: Path) -> None:
    task = labels_task()
    group = {"one": [place == 0 for place in range(32)]}
    leave_out(task, group, train_small, seeds=(0,), folder=tmp_path, recipe="small")
    with pytest.raises(StoreError, match="another task, other groups or another recipe"):
        leave_out(task, group, train_small, seeds=(0,), folder=tmp_path, recipe="large")
    # Under the same name another function.
    edited = replace(task, shortcuts={**task.shortcuts, "shifted": lambda prompt, seen: by_sign(prompt)})
    with pytest.raises(StoreError, match="another task, other groups or another recipe"):
        leave_out(edited, group, train_small, seeds=(0,), folder=tmp_path, recipe="small")
    file = tmp_path / "leave_out.jsonl"
    file.write_text(file.read_text().replace('"seed"', '"seed', 1), encoding="utf-8")
    with pytest.raises(StoreError, match="line 2, is damaged"):
        leave_out(task, group, train_small, seeds=(0,), folder=tmp_path, recipe="small")


def test_a_tag_of_many_numbers_gives_quarters() -> None:
    groups = find_groups(labels_task(), "tag:place")
    assert list(groups) == ["place 0 to 3", "place 4 to 7", "place 8 to 11", "place 12 to 15"]
    assert [sum(flags) for flags in groups.values()] == [8, 8, 8, 8]


def test_equal_values_are_never_in_two_quarters() -> None:
    task = labels_task()
    seen = [replace(example, tags={**example.tags, "place": min(9, place)}) for place, example in enumerate(task.seen)]
    groups = find_groups(replace(task, examples=(*seen, *task.held_out)), "tag:place")
    assert all(sum(flags[place] for flags in groups.values()) == 1 for place in range(32))
    assert sum(groups["place 9 to 9"]) == 23


def test_a_shortcut_groups_by_where_it_is_right_without_seeing_the_example_itself() -> None:
    task = labels_task()
    look_up = {"look-up": lambda prompt, seen: next((e.completion for e in seen if e.prompt == prompt), "")}
    assert find_groups(task, "shortcut:shifted") == {
        "shifted is right": (False,) * 16 + (True,) * 16,
        "shifted is wrong": (True,) * 16 + (False,) * 16,
    }
    with pytest.raises(UsageError, match="all 32 seen examples into one group"):
        find_groups(replace(task, shortcuts=look_up), "shortcut:look-up")


def test_lengths_are_groups() -> None:
    # All prompts are equally long: one length, one group.
    with pytest.raises(UsageError, match="one group"):
        find_groups(labels_task(), "length")
    task = labels_task()
    longer = [replace(e, prompt=f"{'very ' * place}{e.prompt}") for place, e in enumerate(task.seen)]
    assert len(find_groups(replace(task, examples=(*longer, *task.held_out)), "length")) == 4


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("colour", "names no groups; give tag:NAME, shortcut:NAME or length"),
        ("tag:colour", "no seen example has the tag 'colour'; there are place, source"),
        ("shortcut:guess", "no shortcut 'guess'; there are shifted, silent"),
        ("length:4", "length takes no name"),
        ("shortcut:silent", "one group"),
    ],
)
def test_groups_that_do_not_exist_are_refused(by: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_groups(labels_task(), by)


def test_an_explanation_that_applies_after_some_trainings_only_has_no_share_after_the_others():
    shares = {
        (None, False): {"rule": 1.0, "noise": 0.0},
        ("old", False): {"rule": 0.4, "copy": 0.6, "noise": 0.0},
        ("old", True): {"rule": 0.9, "noise": 0.1},
    }
    records = [
        TrainedWithout(group=group, control=control, seed=seed, removed=2, accuracy=0.5, shares=found)
        for seed in range(6)
        for (group, control), found in shares.items()
    ]
    result = summarize_leave_out(labels_task(), records, 0.95)
    assert result.all_examples["copy"] == 0
    [effect] = result.groups
    assert effect.changes["copy"].estimate == effect.beyond_chance["copy"].estimate == pytest.approx(0.6)
