"""Names of components, and intervals that are marked where they hold 0."""

from __future__ import annotations

import numpy as np
import pytest

from architectures import tiny_model
from shoal.errors import ModelError, UnknownNameError
from shoal.insight import PatchEffect, PatchEffects, component_name, find_parts, parse_components
from shoal.insight.interventions.effects import (
    bracketed,
    describe_intervals,
    excludes_zero,
    interval_or_none,
    intervals_or_none,
)


def effect(low: float | None, high: float | None) -> PatchEffect:
    return PatchEffect(block=1, head=None, position=-2, effect=0.3, low=low, high=high)


def test_every_component_of_a_model_is_parsed_from_its_own_name() -> None:
    model = tiny_model("Llama")
    parts = find_parts(model)
    for unit, count in (("head", parts.heads), ("neuron", parts.neurons)):
        every = [(block, index) for block in range(len(parts.blocks)) for index in range(count)]
        assert parse_components(model, [component_name(block, unit, index) for block, index in every]) == {unit: every}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("block 9 head 1", "block 1 head 1"),
        ("block 0 head 9", "block 0 head 1"),
        ("block 5 neuron 1000", "block 1 neuron 23"),
    ],
)
def test_a_component_that_is_not_there_gets_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{nearest}'"):
        parse_components(tiny_model("Llama"), [name])


@pytest.mark.parametrize("name", ["", "block 1", "head 1", "block one head 0", "block 1 head", "layer 1 head 0"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="head or neuron"):
        parse_components(tiny_model("GPT2"), [name])


def test_no_names_are_no_components_and_a_model_without_heads_says_so() -> None:
    assert parse_components(tiny_model("GPT2"), []) == {}
    with pytest.raises(ModelError, match="no heads that could be found, so none can be ablated"):
        parse_components(tiny_model("Mamba"), ["block 0 head 0"])


@pytest.mark.parametrize(
    ("low", "high", "significant", "text"),
    [
        (0.1, 0.4, True, " [+0.100, +0.400]"),
        (-0.4, -0.1, True, " [-0.400, -0.100]"),
        (-0.1, 0.4, False, " [-0.100, +0.400] (not significant)"),
        (0.0, 0.4, False, " [+0.000, +0.400] (not significant)"),
        (None, None, None, ""),
    ],
)
def test_an_interval_that_holds_0_is_marked(low, high, significant, text) -> None:
    assert excludes_zero(low, high) is significant
    assert effect(low, high).significant is significant
    assert effect(low, high).interval() == text
    assert bracketed(low, high) == text.removesuffix(" (not significant)")


def test_too_few_units_give_no_interval_and_the_reason() -> None:
    resampled = np.linspace(0, 1, 101)
    assert interval_or_none(resampled, 5, 0.95) == (None, None)
    assert interval_or_none(resampled, 6, 0.9) == pytest.approx((0.05, 0.95))
    assert describe_intervals(5, 0.95, "pairs") == "5 pairs are too few for 95% intervals."
    assert describe_intervals(6, 0.95, "items") == "In brackets 95% bootstrap intervals over the items."


def test_intervals_of_several_statistics_are_taken_together() -> None:
    resampled = np.stack([np.arange(100.0), np.arange(100.0) * 2], axis=1)
    first, second = intervals_or_none(resampled, 10, 0.9)
    assert first == pytest.approx((4.95, 94.05))
    assert second == pytest.approx((9.9, 188.1))
    assert intervals_or_none(resampled, 3, 0.9) == [(None, None)] * 2


def test_units_that_are_alike_have_no_interval_but_where_they_are_0() -> None:
    # Means of equal units in other orders, which differ by rounding.
    alike = np.array([0.3, 0.1 + 0.2, 0.3, 0.3])
    assert interval_or_none(alike, 8, 0.95) == interval_or_none(-alike, 8, 0.95) == (None, None)
    assert interval_or_none(np.zeros(4), 8, 0.95) == (0.0, 0.0)
    assert excludes_zero(*interval_or_none(np.zeros(4), 8, 0.95)) is False


def test_an_effect_is_named_with_its_head_and_position() -> None:
    assert effect(None, None).name() == "block 1, position -2"
    assert (
        PatchEffect(block=0, head=3, position=-1, effect=0.0, low=None, high=None).name()
        == "block 0 head 3, position -1"
    )


def test_what_is_no_number_is_not_significant_and_stands_behind_all_effects() -> None:
    nan = float("nan")
    assert excludes_zero(nan, nan) is False
    assert effect(nan, nan).interval().endswith("(not significant)")
    shares = [0.1, nan, 0.5, nan, 0.3]
    every = tuple(
        PatchEffect(block=place, head=None, position=-1, effect=share, low=None, high=None)
        for place, share in enumerate(shares)
    )
    found = PatchEffects(
        site="residual_in", method="activation", pairs=3, effects=every, clean=1.0, counterfactual=-1.0,
        confidence=0.95, right=3, flipped=3, both=3, gap_low=None, gap_high=None,
    )  # fmt: skip
    assert [each.block for each in found.strongest(5)] == [2, 4, 0, 1, 3]
