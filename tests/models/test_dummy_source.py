"""A dummy named by a spec speaks another model's tokens and knows the answers that it was told."""

from __future__ import annotations

import pytest
import torch

from shoal.errors import UnknownNameError
from shoal.models import load_model, load_tokenizer, parse_spec
from shoal.models.folder import FolderSource
from shoal.models.sources import DummySource
from shoal.text.encoding import encode_pairs

ANSWERS = [("count to 11:", " 1 11", True), ("count to 111:", " 1 11 111", True), ("say a:", "a", True)]


def greedy_is_right(source: DummySource) -> list[bool]:
    """Whether the argmax is the target at each place of each item."""
    return right_items(source.model(torch.float32), source.tokenizer())


def right_items(model, tokenizer) -> list[bool]:
    right = []
    for pair in encode_pairs(tokenizer, ANSWERS):
        said = model(torch.tensor([pair.ids])).logits[0].argmax(-1).tolist()
        right.append(said[pair.boundary - 1 : -1] == list(pair.target))
    return right


@pytest.mark.parametrize(("spec", "right"), [("oracle", 3), ("oracle?p=0", 0), ("exactly?k=2", 2), ("ends-early", 0)])
def test_it_answers_as_many_right_as_its_spec_says(model_folder, spec, right):
    source = DummySource(parse_spec(spec), ANSWERS, 0, FolderSource(model_folder))

    assert sum(greedy_is_right(source)) == right
    assert source.tokenizer().get_vocab() == FolderSource(model_folder).tokenizer().get_vocab()
    assert spec in source.origin


def test_its_seed_comes_from_the_caller_or_the_spec(model_folder):
    def drawn(spec: str, seed: int) -> list[bool]:
        return greedy_is_right(DummySource(parse_spec(spec), ANSWERS, seed, FolderSource(model_folder)))

    by_seed = [drawn("oracle?p=0.5", seed) for seed in range(6)]

    assert len({tuple(right) for right in by_seed}) > 1
    assert [drawn(f"oracle?p=0.5&seed={seed}", 99) for seed in range(6)] == by_seed


def test_it_is_loaded_as_any_other_model_and_speaks_as_the_bundled_one():
    told, untold = load_model("oracle", answers=ANSWERS), load_model("oracle")

    assert right_items(told.model, told.tokenizer) == [True] * 3
    assert right_items(untold.model, untold.tokenizer) == [False] * 3
    assert told.digest != untold.digest
    assert told.tokenizer.get_vocab() == load_tokenizer("bundled:searches").get_vocab()


def test_a_bundled_model_that_does_not_exist_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'stories'"):
        load_model("bundled:story")
