"""Rows go through the model together, and what they begin with is read once."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from architectures import tiny_model
from shoal.evaluation import evaluate
from shoal.evaluation.batching import ScoringRow, shared_opening
from shoal.models import bundled_folder
from shoal.tasks import Example
from shoal.text.plain_tokenizer import read_plain_tokenizer


def row(text: str, boundary: int, start: int = 0) -> ScoringRow:
    return ScoringRow(0, tuple(map(ord, text)), boundary, start, len(text) - boundary)


@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        ([row("abcdefgh|xy", 9), row("abcdefgz|xy", 9)], 7),
        ([row("abcdefgh|xy", 9), row("abcdefgh|xz", 9)], 8),  # the one before the boundary predicts
        ([row("abcdefgh|xy", 9), row("abcdefgh|xy", 9)], 8),
        ([row("abcdefgh|xy", 9), row("abcdefghij|xy", 6)], 5),
        ([row("abcdefgh|xyz", 9, start=2), row("abcdefgh|xyw", 9, start=2)], 10),
        ([row("abc|" + 20 * "x", 4), row("abc|" + 20 * "z", 4)], 0),  # too few of all
        ([row("abc|" + 7 * letter, 4) for letter in "vwxyz"], 3),
        ([row("abcdefgh|xy", 9)], 0),  # nobody to share with
        ([row("abcdefgh|xy", 9), row("zbcdefgh|xy", 9)], 0),
    ],
)
def test_what_rows_share_ends_before_what_is_scored(rows, shared):
    assert shared_opening(rows) == shared
    assert shared_opening(rows[::-1]) == shared


@pytest.mark.parametrize("early_exit", [False, True])
@pytest.mark.parametrize("architecture", ["GPTNeo", "GPT2", "Llama"])
def test_examples_that_share_an_opening_score_as_each_by_itself(architecture, early_exit):
    tokenizer = read_plain_tokenizer(bundled_folder("searches"))
    model = tiny_model(architecture, vocab_size=1024)
    instruction = "please tell me what comes next:"
    examples = [
        Example(prompt=f"{instruction} {word}", completion=f" {word} a") for word in ("one", "two", "a dog", "b")
    ]

    together = evaluate(model, tokenizer, examples, early_exit=early_exit)
    alone = [evaluate(model, tokenizer, [one], early_exit=early_exit).items[0] for one in examples]

    for index, (one, other) in enumerate(zip(together.items, alone, strict=True)):
        for field in dataclasses.fields(one):
            found, expected = getattr(one, field.name), getattr(other, field.name)
            if field.name == "index":
                expected = index
            if field.name == "token_margins":
                torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), rtol=1e-4, atol=1e-4)
            elif isinstance(found, float):
                assert math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-4)
            else:
                assert found == expected
