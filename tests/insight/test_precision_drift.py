"""Number formats: what they hold, and what a model says in them."""

from __future__ import annotations

import pytest
import torch

from shoal.errors import DataError
from shoal.insight.layers import measure_formats, measure_precision_drift
from shoal.insight.layers.precision_drift import _last_ids, _prefixes, first_difference
from shoal.models import context_of, load_model


@pytest.fixture(scope="module")
def formats():
    return {each.name: each for each in measure_formats(repeats=2)}


def test_what_is_measured_is_what_torch_says(formats) -> None:
    for name, measured in formats.items():
        known = torch.finfo(getattr(torch, name))
        assert measured.largest == known.max
        assert measured.gap == known.eps
        assert measured.smallest == known.smallest_normal * known.eps
        assert known.eps / 4 < measured.rounding <= known.eps / 2
        assert measured.largest_run == 2 / known.eps
        assert measured.ties == "even"


def test_fewer_bits_give_larger_errors(formats) -> None:
    assert formats["float32"].product_error < formats["float16"].product_error < formats["bfloat16"].product_error


def test_a_format_beside_itself_changes_nothing_and_bfloat16_does() -> None:
    prompts = ["One day, a little", "Once upon a time, there was", "The bear went to"]
    full, brain, half = measure_precision_drift("bundled:searches", prompts, new_tokens=24, repeats=2)
    assert (full.format, full.changed, full.other_choices, full.largest_difference) == ("float32", 0, 0, 0.0)
    assert brain.largest_difference > half.largest_difference > 0
    assert brain.prompts == 3
    assert brain.decisions == full.decisions <= 72


def test_the_first_difference_of_two_texts() -> None:
    assert first_difference([1, 2], [1, 2]) is None
    assert first_difference([1, 2, 3], [1, 4, 3]) == 1
    assert first_difference([1, 2], [1, 2, 3]) == 2


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(DataError, match="token"):
        measure_precision_drift("bundled:searches", ["a", ""], repeats=2)


def test_a_prompt_that_is_cut_keeps_its_beginning_token() -> None:
    loaded = load_model("bundled:searches", device="cpu")
    begin, room = loaded.tokenizer.bos_token_id, 4
    context = context_of(loaded.model)
    (short,), (whole,) = (
        _prefixes(loaded, ["One day, a little bear went out."], context - size) for size in (room, 60)
    )
    if whole[0] == begin:
        assert short == [begin, *whole[-room + 1 :]]
    assert _last_ids([1, 5, 6, 7, 8], 3, 1) == [1, 7, 8]
    assert _last_ids([4, 5, 6, 7, 8], 3, 1) == [6, 7, 8]
    assert _last_ids([1, 5, 6], 3, 1) == [1, 5, 6]
    assert _last_ids([1, 5, 6], 1, 1) == [6]
