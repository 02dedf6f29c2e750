from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from shoal.models import load_model
from shoal.models.bundled import bundled_folder
from shoal.text.encoding import encode_pairs

if TYPE_CHECKING:
    from shoal.models import LoadedModel

FOLDER = bundled_folder("stories")


@pytest.fixture(scope="module")
def stories() -> LoadedModel:
    return load_model("bundled:stories")


def unary_chunks(ones: int) -> list[str]:
    first, *rest = ["1111"] * (ones // 4) + ["1" * (ones % 4)] * (ones % 4 > 0)
    return [" " + first, *rest]


def test_it_is_a_small_llama_that_holds_the_whole_count_to_a_hundred(stories: LoadedModel) -> None:
    config = stories.model.config
    assert config.model_type == "llama"
    assert config.tie_word_embeddings
    assert stories.parameters < 2_000_000
    assert config.vocab_size == len(stories.tokenizer)
    count = " ".join("1" * number for number in range(1, 101))
    ids = stories.tokenizer(f"Please count up in unary, starting at 1 and stopping at {'1' * 100}: {count}")[
        "input_ids"
    ]
    assert len(ids) < config.max_position_embeddings


@pytest.mark.parametrize("ones", [1, 4, 5, 30, 100])
def test_its_tokenizer_cuts_unary_numbers_into_fours(stories: LoadedModel, ones: int) -> None:
    ids = stories.tokenizer(" " + "1" * ones)["input_ids"]
    assert [stories.tokenizer.decode([token]) for token in ids] == unary_chunks(ones)


def test_prompt_and_completion_of_the_counting_task_split_between_tokens(stories: LoadedModel) -> None:
    prompt = "Please count up in unary, starting at 1 and stopping at 111:"
    (pair,) = encode_pairs(stories.tokenizer, [(prompt, " 1 11 111", True)])
    assert stories.tokenizer.decode(list(pair.target)) == " 1 11 111<|endoftext|>"


def test_it_has_learned_a_childs_language(stories: LoadedModel) -> None:
    """Uniform guessing costs 10 bits a token; an untrained model costs more."""
    import torch

    text = "One day, a little girl named Lily went to the park. She saw a big dog and was very happy."
    ids = torch.tensor([stories.tokenizer(text)["input_ids"]])
    with torch.inference_mode():
        loss = stories.model(input_ids=ids, labels=ids).loss
    assert float(loss) / 0.6931 < 5


def test_it_ends_a_search_where_the_sought_number_is_found(stories: LoadedModel) -> None:
    """The end is likelier behind the sought number than behind any other on the way."""
    import torch

    tokenizer = stories.tokenizer
    right = 0
    for sought, way in ((7, (11, 3, 5)), (10, (6, 2, 9)), (3, (7, 5, 1)), (13, (9, 17, 12))):
        start = tokenizer(f"Tom looked for {'1' * sought}:")["input_ids"]
        ends = []
        for number in (*way, sought):
            start += tokenizer(" " + "1" * number)["input_ids"]
            with torch.inference_mode():
                last = stories.model(input_ids=torch.tensor([start])).logits[0, -1]
            ends.append(float(last.softmax(-1)[tokenizer.eos_token_id]))
        right += max(ends) == ends[-1]
    assert right >= 3


def test_its_recipe_and_its_loss_curve_lie_beside_it() -> None:
    recipe = tomllib.loads((FOLDER / "recipe.toml").read_text())
    assert isinstance(recipe["seed"], int)
    curve = [json.loads(line) for line in (FOLDER / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["loss"] < curve[0]["loss"] / 2
    assert "Nowhere in the training text" in (FOLDER / "CARD.md").read_text()
