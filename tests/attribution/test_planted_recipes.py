"""Recipes of planted models: names that differ, JSON and back, seeds of their own, and what cannot be planted."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain

import pytest

from shoal.attribution.planted import PlantedCard, PlantedCheck, PlantedModel, planted_models
from shoal.attribution.planted.checking import has_learned
from shoal.attribution.planted.examples import draw_examples
from shoal.attribution.planted.planted_model import seed_of
from shoal.errors import UnknownNameError, UsageError

COUNTING = PlantedModel(
    kind="pure", task="counting", options={"start": (1, 2), "largest": 30}, shortcut="never-stop", prompts=200
)


def rewritten(planted: PlantedModel) -> PlantedModel:
    return PlantedModel(**json.loads(json.dumps(planted.to_dict())))


def test_every_recipe_of_two_sets_survives_json_with_its_name_and_its_seeds() -> None:
    for planted in chain(planted_models(seed=0), planted_models(seed=1)):
        again = rewritten(planted)
        assert again == planted
        assert (again.name, again.truth) == (planted.name, planted.truth)
        assert again.draw_seed("labels") == planted.draw_seed("labels")


def test_names_of_several_sets_differ_and_are_names_of_folders() -> None:
    names = [planted.name for seed in range(3) for planted in planted_models(seed=seed)]
    assert len(set(names)) == len(names) == 3 * 84
    assert all(name and not set(name) & set(" /\\:*") for name in names)


def test_an_option_that_is_a_list_in_json_makes_the_same_model() -> None:
    again = rewritten(COUNTING)
    assert again == COUNTING == replace(COUNTING, options={"start": [1, 2], "largest": 30})
    assert again.draw_seed("task") == COUNTING.draw_seed("task")


def test_options_that_are_lists_do_not_keep_examples_from_being_drawn() -> None:
    planted = PlantedModel(
        kind="pure",
        task="reverse",
        options={"min_length": 2, "max_length": 4},
        shortcut="same-order",
        skills=["rule", "same-order"],  # type: ignore[arg-type]
        prompts=600,
    )
    assert rewritten(planted).skills == ("rule", "same-order")
    assert draw_examples(rewritten(planted)).training == draw_examples(planted).training


def test_draws_for_each_purpose_and_of_each_model_have_seeds_of_their_own() -> None:
    models = planted_models(seed=0)
    seeds = {model.draw_seed(purpose) for model in models for purpose in ("task", "labels", "weights", "order 1 0")}
    assert len(seeds) == 4 * len(models)
    # The order in which options are written is none of their meaning.
    turned = replace(COUNTING, options={"largest": 30, "start": (1, 2)})
    assert turned.draw_seed("task") == COUNTING.draw_seed("task")


def test_a_seed_follows_from_its_values_in_every_process() -> None:
    # A figure that was printed by another process: Python's own hash would differ in each.
    assert seed_of("pool", "reverse", 0) == seed_of("pool", "reverse", 0) != seed_of("pool", "reverse", 1)
    assert 0 <= seed_of("x") < 2**32


def test_the_shares_of_the_truth_sum_to_one_for_every_model() -> None:
    for planted in planted_models(seed=0):
        assert sum(planted.truth.values()) == pytest.approx(1)
        assert all(share > 0 for share in planted.truth.values())


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown kind of planted model 'mixd'; did you mean 'mixed'"):
        replace(COUNTING, kind="mixd")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"share": float("nan")}, {"noise": -0.1}, {"share": -0.01}])
def test_shares_that_are_no_shares_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give shares from 0 to 1"):
        replace(COUNTING, **change)  # type: ignore[arg-type]


def check(**changes: float | None) -> PlantedCheck:
    values = {"agreement": 1.0, "mass": 1.0, "shortcut_share": 1.0} | changes
    return PlantedCheck(prompts=300, differing=200, **values)  # type: ignore[arg-type]


def test_a_card_survives_json_and_states_whether_it_was_learned() -> None:
    for found, learned in ((check(), True), (check(agreement=0.9), False)):
        card = PlantedCard(planted=COUNTING, check=found, rounds=2, steps=90, examples=150, cpu_seconds=1.5)
        record = json.loads(json.dumps(card.to_dict()))
        assert PlantedCard.from_dict(record) == card
        assert record["learned"] is card.learned is learned
        assert str(card).startswith(f"{COUNTING.name}: {'' if learned else 'FAILED: '}")


@pytest.mark.parametrize(
    ("kind", "share", "found", "learned"),
    [
        ("pure", 1.0, check(), True),
        ("pure", 1.0, check(agreement=0.94), False),
        ("pure", 1.0, check(mass=0.85), False),
        ("pure", 1.0, check(shortcut_share=0.85), False),
        ("rule", 0.0, check(shortcut_share=0.05), True),
        ("rule", 0.0, check(shortcut_share=0.95), False),
        ("mixed", 0.75, check(agreement=0.92, shortcut_share=0.7), True),
        ("mixed", 0.75, check(shortcut_share=0.6), False),
        ("mixed", 0.75, check(shortcut_share=0.9), False),
        # Where the two never differ, or must not, there is no share to measure.
        ("pure", 1.0, check(shortcut_share=None), True),
        ("cannot tell", 1.0, check(shortcut_share=0.2), True),
    ],
)
def test_a_model_has_learned_what_was_planted_by_its_answers_their_mass_and_the_share(
    kind: str, share: float, found: PlantedCheck, learned: bool
) -> None:
    planted = replace(COUNTING, kind=kind, share=share)  # type: ignore[arg-type]
    assert has_learned(planted, found) is learned


def test_noise_in_the_labels_is_allowed_for() -> None:
    noisy = replace(COUNTING, noise=0.15)
    assert has_learned(noisy, check(mass=0.65, shortcut_share=0.78))
    assert not has_learned(noisy, check(mass=0.55, shortcut_share=0.78))
