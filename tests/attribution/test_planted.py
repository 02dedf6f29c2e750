"""Planted models: what is drawn for them, what is checked, and a set in a folder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from shoal.attribution import explain
from shoal.attribution.planted import PlantedModel, plant_models, planted_models, planted_task, read_planted
from shoal.attribution.planted.examples import draw_examples, skill_examples
from shoal.attribution.planted.tokenizer import sign_tokenizer
from shoal.errors import DataError, StoreError, UsageError
from shoal.models import load_model

REVERSED = PlantedModel(
    kind="mixed",
    task="reverse",
    options={"min_length": 2, "max_length": 4},
    shortcut="same-order",
    share=0.75,
    skills=("rule", "same-order"),
    prompts=800,
)
PURE = replace(REVERSED, kind="pure", share=1.0)


def test_a_set_has_fourteen_shortcuts_in_four_strengths_and_twenty_eight_controls() -> None:
    for seed in (0, 1):
        models = planted_models(seed=seed)
        assert Counter(model.kind for model in models) == {"pure": 28, "mixed": 28, "rule": 14, "cannot tell": 14}
        assert len({model.name for model in models}) == 84
        planted = Counter((model.task, model.shortcut) for model in models if model.kind in ("pure", "mixed"))
        assert set(planted.values()) == {4}
        assert len(planted) == 14
        assert len({(model.task, model.shortcut) for model in models if model.kind == "cannot tell"}) == 14


def test_seeds_differ_in_sizes_and_draws() -> None:
    first, second = (planted_models(seed=seed)[0] for seed in (0, 1))
    assert first.options != second.options
    assert first.draw_seed("weights") != second.draw_seed("weights")
    assert planted_models(seed=4)[0] == replace(first, seed=4)


def test_the_truth_is_stated_as_shares() -> None:
    assert REVERSED.truth == {"rule": 0.25, "same-order": 0.75}
    assert replace(PURE, noise=0.15).truth == {"same-order": 0.85, "noise": 0.15}
    assert replace(PURE, kind="rule", share=0.0).truth == {"rule": 1.0}


@pytest.mark.parametrize(
    "change", [{"share": 1.2}, {"noise": 1.0}, {"share": 0.5, "kind": "pure"}, {"share": 0.5, "kind": "rule"}]
)
def test_shares_that_cannot_be_planted_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"cannot be planted|does not go with the kind"):
        replace(PURE, **change)  # type: ignore[arg-type]


def test_training_examples_have_the_planted_completions_and_no_held_out_group() -> None:
    data = draw_examples(REVERSED)
    shortcut = data.task.shortcuts["same-order"]
    differing = [e for e in data.training if shortcut(e.prompt, data.task.seen) != data.task.rule(e.prompt)]
    by_shortcut = sum(e.completion == shortcut(e.prompt, data.task.seen) for e in differing)
    assert by_shortcut / len(differing) == pytest.approx(0.75, abs=0.06)
    assert all(e.completion in (shortcut(e.prompt, ()), data.task.rule(e.prompt)) for e in data.training)
    trained = {example.prompt for example in data.training}
    assert not trained & {example.prompt for example in data.task.held_out}
    assert not trained & {item.prompt for item in data.fresh}
    assert not {item.prompt for item in data.fresh} & {example.prompt for example in data.task.examples}


def test_the_longest_prompts_are_held_out_of_the_task() -> None:
    task = planted_task(PURE)
    assert {example.tags["length"] for example in task.seen} == {2, 3}
    assert {example.tags["length"] for example in task.held_out} == {2, 3, 4}
    # Else a program that stops at the longest seen length could not be told from the rule.
    stops = task.shortcuts["stop-at-longest-seen"]
    assert any(stops(e.prompt, task.seen) != e.completion for e in task.held_out)


def test_noise_is_the_completions_of_other_prompts() -> None:
    data = draw_examples(replace(PURE, noise=0.15))
    wrong = [e for e in data.training if e.completion != data.task.shortcuts["same-order"](e.prompt, ())]
    assert len(wrong) / len(data.training) == pytest.approx(0.15, abs=0.06)


@pytest.mark.slow
def test_a_split_that_cannot_tell_holds_only_agreeing_examples() -> None:
    planted = PlantedModel(
        kind="cannot tell", task="parity", options={"min_length": 2, "max_length": 9}, shortcut="last-bit", prompts=700
    )
    task = planted_task(planted)
    shortcut = task.shortcuts["last-bit"]
    assert all(shortcut(e.prompt, task.seen) == task.rule(e.prompt) == e.completion for e in task.examples)
    data = draw_examples(planted)
    assert all(shortcut(e.prompt, ()) == e.completion == task.rule(e.prompt) for e in data.training)
    with pytest.raises(DataError, match="agree on 0 of"):
        planted_task(replace(planted, task="addition", options={"min_digits": 2}, shortcut="concatenate"))


def test_skills_stand_behind_letters_of_their_own() -> None:
    examples = skill_examples(REVERSED)
    task = planted_task(PURE)
    by_skill = Counter(str(example.tags["skill"]) for example in examples)
    assert by_skill["rule"] == by_skill["same-order"] == by_skill["any"]
    for example in examples:
        if example.tags["skill"] == "rule":
            assert example.prompt.startswith("A\n")
            assert example.completion == task.rule(example.prompt[2:])


def test_the_tokenizer_has_items_and_the_tasks_words_as_tokens_and_loses_nothing() -> None:
    tokenizer = sign_tokenizer("reverse", context=64)
    assert tokenizer.tokenize("reverse k f:") == ["reverse", "\u0120k", "\u0120f", ":"]
    for text in ("reverse k f: f k", "max(17,25)= 25", "Ünïcode \n\t text", "17+25 mod 5= 2"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert sign_tokenizer("reverse", context=64).get_vocab() == tokenizer.get_vocab()


@pytest.mark.slow
def test_a_model_that_has_not_learned_is_in_the_index_as_failed_and_a_build_is_resumed(tmp_path: Path) -> None:
    hopeless = replace(PURE, skills=(), effort=0.01)
    calls: list[tuple[str, int, int]] = []
    cards = plant_models([hopeless], tmp_path, progress=lambda *call: calls.append(call))
    assert not cards[0].learned
    assert calls == [("planted models", 0, 1), ("planted models", 1, 1)]
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["failed"] == [hopeless.name]
    assert "learned what was planted: **no**" in (tmp_path / hopeless.name / "README.md").read_text()
    weights = tmp_path / hopeless.name / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert plant_models([hopeless], tmp_path) == cards == read_planted(tmp_path)
    assert weights.stat().st_mtime_ns == before
    with pytest.raises(StoreError, match="planted otherwise"):
        plant_models([replace(hopeless, prompts=900)], tmp_path)


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two of the planted models are called"):
        plant_models([PURE, replace(PURE, prompts=900)], tmp_path)
    with pytest.raises(StoreError, match="holds no planted models"):
        read_planted(tmp_path)


@pytest.mark.slow
def test_what_is_planted_is_learned_and_found(tmp_path: Path) -> None:
    # As much as the set gives a mixture of this task; with the prompts of the other tests it is learned by heart.
    mixed = replace(REVERSED, prompts=1600, effort=3.0)
    cards = plant_models([PURE, mixed, replace(PURE, kind="rule", share=0.0)], tmp_path)
    assert [card.learned for card in cards] == [True, True, True]
    found = []
    for card in cards:
        loaded = load_model(card.folder)
        found.append(explain(loaded.model, loaded.tokenizer, planted_task(card.planted)))
    assert [explanation.verdict for explanation in found] == ["shortcut", "mixture", "rule"]
    assert found[0].names == ("same-order",)
    assert found[1].share_of("same-order").share == pytest.approx(0.75, abs=0.1)
