"""Periods of tokens and splits against a search through all of them."""

from __future__ import annotations

import pytest

from shoal.tasks import Example
from shoal.tasks.narrowing.measurements import EncodedExample
from shoal.tasks.narrowing.repeats import find_cycles

COUNT = 60


def items(last_token, *, indexed: bool = True) -> tuple[list[Example], list[EncodedExample]]:
    """One item for each number, whose completion grows by a token and ends in the token given."""
    examples = [Example(prompt="", completion="x", tags={"index": k} if indexed else {}) for k in range(COUNT)]
    ids = [EncodedExample((), (*range(1000, 1000 + k), last_token(k)), True) for k in range(COUNT)]
    return examples, ids


def cycles_of(last_token, held, *, indexed: bool = True):
    examples, ids = items(last_token, indexed=indexed)
    seen = [k for k in range(COUNT) if not held(k)]
    out = [k for k in range(COUNT) if held(k)]
    return find_cycles([examples[k] for k in seen], [ids[k] for k in seen], [examples[k] for k in out],
                       [ids[k] for k in out])  # fmt: skip


@pytest.mark.parametrize("period", [2, 3, 4, 7, 10])
@pytest.mark.parametrize("indexed", [True, False])
def test_the_period_of_the_last_tokens_is_found(period: int, indexed: bool) -> None:
    found = cycles_of(lambda k: k % period, lambda k: k % 5 == 0, indexed=indexed)
    assert found.token_period == period
    assert found.split_period == 5
    assert found.order == ("index" if indexed else "length")


def test_phases_are_remainders_of_the_index_and_new_ones_are_named() -> None:
    found = cycles_of(lambda k: k % 4, lambda k: k % 4 == 1)
    assert (found.seen_phases, found.new_phases) == ((0, 2, 3), (1,))


def test_a_token_that_never_changes_and_one_that_never_comes_back_have_no_period() -> None:
    assert cycles_of(lambda k: 5, lambda k: k % 2 == 0).token_period is None
    assert cycles_of(lambda k: k * k, lambda k: k % 2 == 0).token_period is None


@pytest.mark.parametrize(("first", "last"), [(10, 10), (10, 14), (0, 29)])
def test_the_longest_gap_is_the_longest_run_of_held_out_items(first: int, last: int) -> None:
    found = cycles_of(lambda k: k % 4, lambda k: first <= k <= last)
    assert found.longest_gap == last - first + 1
    assert found.split_period is None


def test_several_prompts_of_one_index_are_one_item() -> None:
    examples, ids = items(lambda k: k % 4)
    found = find_cycles(examples[::2] * 2, ids[::2] * 2, examples[1::2], ids[1::2])
    assert (found.token_period, found.split_period, found.longest_gap) == (4, 2, 1)
