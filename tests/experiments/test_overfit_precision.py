"""The precision that a recipe of a comparison states is that of its trainings."""

from __future__ import annotations

import json

import pytest

from shoal.experiments.overfitting import load_overfit, run_overfit
from tiny_recipes import tiny_recipe

COMPARISON = """recipe = "r.toml"
seeds = 2
members = 2
documents = 4

[methods]
halved = { "training.precision" = "bfloat16" }
"""


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    """From the precision of the recipe to the digests of the weights, the baseline's first."""
    found = {}
    for precision in ("auto", "float32", "bfloat16"):
        folder = tmp_path_factory.mktemp(precision)
        recipe = tiny_recipe(stories=24, tokens=400, batch_tokens=200, more=f'precision = "{precision}"\n')
        (folder / "r.toml").write_text(recipe)
        (folder / "o.toml").write_text(COMPARISON)
        run_overfit(load_overfit(folder / "o.toml"), folder / "run", workers=0)
        records = [json.loads(file.read_text()) for file in (folder / "run").glob("trainings/*/done.json")]
        found[precision] = {record["digest"] for record in records}
    return found


def test_a_precision_that_would_be_measured_is_float32(digests):
    assert digests["auto"] == digests["float32"]


def test_a_row_and_a_recipe_in_bfloat16_are_trained_so(digests):
    assert len(digests["float32"]) == 4
    assert len(digests["bfloat16"]) == 2
    assert digests["bfloat16"] < digests["float32"]
