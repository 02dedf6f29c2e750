"""Rows are put into batches by the plan alone: each once, within the budget, whatever their order."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, TooLongError
from shoal.evaluation.batching import ScoringRow, encode_rows, fill_batches, pad_batch, scored_places, split_row
from shoal.models import Lengths
from shoal.tasks import Example

TOKENIZER = letter_tokenizer()


@st.composite
def scoring_rows(draw):
    rows = []
    for item in range(draw(st.integers(1, 12))):
        prompt, target = draw(st.integers(1, 9)), draw(st.integers(1, 6))
        ids = tuple(draw(st.lists(st.integers(1, 5), min_size=prompt + target, max_size=prompt + target)))
        start = draw(st.integers(0, target - 1))
        rows.append(ScoringRow(item, ids, prompt, start, draw(st.integers(start + 1, target))))
    return rows


@settings(max_examples=100, deadline=None)
@given(rows=scoring_rows(), budget=st.integers(1, 40))
def test_every_row_stands_in_one_batch_within_the_budget(rows, budget):
    batches = fill_batches(rows, budget)
    assert sorted(row.item for batch in batches for row in batch) == [row.item for row in rows]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(row.fed for row in batch) <= budget


@settings(max_examples=100, deadline=None)
@given(rows=scoring_rows(), budget=st.integers(1, 40), chance=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_plays_no_part(rows, budget, chance):
    def read(batches):
        return [[row.ids[: row.fed] for row in batch] for batch in batches]

    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert read(fill_batches(shuffled, budget)) == read(fill_batches(rows, budget))


@settings(max_examples=100, deadline=None)
@given(rows=scoring_rows())
def test_padding_stands_behind_and_each_scored_place_predicts_its_target(rows):
    ids_BL = pad_batch(rows, torch.device("cpu"))
    which_N, where_N, target_N = (part.tolist() for part in scored_places(rows))
    assert ids_BL.shape == (len(rows), max(row.fed for row in rows))
    for row, ids_L in zip(rows, ids_BL.tolist(), strict=True):
        assert tuple(ids_L[: row.fed]) == row.ids[: row.fed]
        assert set(ids_L[row.fed :]) <= {0}
    expected = [
        (place, row.boundary + position - 1, row.ids[row.boundary + position])
        for place, row in enumerate(rows)
        for position in range(row.start, row.stop)
    ]
    assert list(zip(which_N, where_N, target_N, strict=True)) == expected


def test_a_row_is_whole_where_lengths_make_no_difference():
    row = ScoringRow(0, tuple(range(20)), 10, 0, 10)
    assert split_row(row, Lengths()) == [row]


def test_examples_become_rows_over_their_whole_target():
    model = tiny_model("Llama")
    examples = [Example(prompt=letters([5, 6, 7]), completion=letters([8, 9])),
                Example(prompt=letters([5]), completion=letters([8]), ends=False)]  # fmt: skip
    first, second = encode_rows(model, TOKENIZER, examples)
    assert (first.item, first.ids, first.boundary, first.start, first.stop) == (0, (5, 6, 7, 8, 9, 0), 3, 0, 3)
    assert (second.item, second.ids, second.boundary, second.stop, second.fed) == (1, (5, 8), 1, 1, 1)


def test_what_the_model_cannot_read_is_refused_by_number():
    long = Example(prompt=letters([5] * 5000), completion=letters([6]))
    with pytest.raises(TooLongError, match=r"example 1 .* takes 5002 tokens, its prompt 5000, and the model reads at"):
        encode_rows(tiny_model("Llama"), TOKENIZER, [Example(prompt=letters([1]), completion=letters([2])), long])
    with pytest.raises(DataError, match="example 0 has the token id 290, and the model knows 100 tokens"):
        encode_rows(
            tiny_model("Llama", vocab_size=100), TOKENIZER, [Example(prompt=letters([290]), completion=letters([2]))]
        )
