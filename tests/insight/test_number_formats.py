"""Greedy texts under reduced precision, on models whose ties and differences are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError
from shoal.insight import AnalysisOptions
from shoal.insight.layers import measure_formats, measure_precision_drift
from shoal.insight.layers.precision_drift import PrecisionDrift, first_difference
from shoal.models import save_model

PROMPTS = [letters([5, 6, 7]), letters([9, 8]), letters([3])]
TOKENS = st.lists(st.integers(0, 3), max_size=6)


def saved(folder: Path, *, head: float | None = None) -> str:
    """A tiny model as a spec; its output weights all of one value where one is given."""
    model = tiny_model("GPTNeoX", vocab_size=40)
    if head is not None:
        with torch.no_grad():
            model.get_output_embeddings().weight.fill_(head)
    save_model(model, letter_tokenizer(40), folder)
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="module")
def drifts(tiny: str) -> list[PrecisionDrift]:
    return measure_precision_drift(tiny, PROMPTS, new_tokens=8, repeats=2)


def test_where_all_logits_are_one_every_decision_is_a_tie_and_no_text_changes(tmp_path: Path) -> None:
    for drift in measure_precision_drift(saved(tmp_path / "flat", head=0.0), PROMPTS, new_tokens=5, repeats=2):
        assert drift.tied == drift.decisions
        assert drift.changed == drift.other_choices == 0
        assert drift.largest_difference == 0.0


def test_decisions_are_the_new_tokens_of_float32_and_changes_are_shares_of_prompts(
    drifts: list[PrecisionDrift],
) -> None:
    full, *others = drifts
    assert [each.format for each in drifts] == ["float32", "bfloat16", "float16"]
    assert 3 <= full.decisions <= 24
    for drift in others:
        assert drift.decisions == full.decisions
        assert drift.changed == len(drift.first_changes) <= 3
        assert all(0 <= place < 8 for place in drift.first_changes)
        assert drift.interval.low <= drift.changed / 3 <= drift.interval.high
        assert drift.largest_difference > 0
        assert len(drift.seconds) == 2


def test_a_drift_is_printed_in_one_line(drifts: list[PrecisionDrift]) -> None:
    drift = drifts[1]
    assert str(drift).startswith(f"bfloat16  {drift.changed} of 3 change [")
    assert f"{drift.other_choices} of {drift.decisions} choices differ, {drift.tied} tie" in str(drift)
    assert drift.to_dict()["interval"]["low"] == drift.interval.low


def test_the_level_of_the_interval_is_that_of_the_options(tiny: str, drifts: list[PrecisionDrift]) -> None:
    options = AnalysisOptions(confidence=0.5)
    narrow, wide = measure_precision_drift(tiny, PROMPTS, new_tokens=8, repeats=2, options=options)[1], drifts[1]
    assert narrow.changed == wide.changed
    assert wide.interval.high - wide.interval.low > narrow.interval.high - narrow.interval.low


@pytest.mark.parametrize(
    ("prompts", "new_tokens", "said"),
    [([], 4, "must have a token"), ([letters([3]), ""], 4, "must have a token"), (PROMPTS, 96, "do not fit into")],
)
def test_prompts_that_cannot_be_continued_are_refused(tiny: str, prompts, new_tokens, said) -> None:
    with pytest.raises(DataError, match=said):
        measure_precision_drift(tiny, prompts, new_tokens=new_tokens, repeats=2)


@given(TOKENS, TOKENS)
def test_up_to_the_first_difference_two_texts_are_the_same(one: list[int], other: list[int]) -> None:
    place = first_difference(one, other)
    assert place == first_difference(other, one)
    if place is None:
        assert one == other
    else:
        assert one[:place] == other[:place]
        assert one[place : place + 1] != other[place : place + 1]


def test_a_format_is_printed_with_its_range_and_its_rounding() -> None:
    (full, brain, half) = measure_formats(repeats=2)
    assert str(brain).startswith("bfloat16: ")
    assert "whole numbers to 256, ties to even" in str(brain)
    assert "whole numbers to 2,048, ties to even" in str(half)
    assert full.largest > half.largest
    assert brain.largest > half.largest
    assert brain.to_dict()["gap"] == 2**-7
