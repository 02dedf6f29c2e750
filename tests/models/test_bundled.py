from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from shoal.models import bundled_folder, bundled_names, load_model
from shoal.text.encoding import encode_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.models import LoadedModel

NAMES = ["searches", "stories"]


@pytest.fixture(scope="module", params=NAMES)
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load_model(f"bundled:{request.param}")


@pytest.fixture(scope="module")
def searches() -> LoadedModel:
    return load_model("bundled:searches")


@pytest.fixture(scope="module")
def stories() -> LoadedModel:
    return load_model("bundled:stories")


def unary_chunks(ones: int) -> list[str]:
    first, *rest = ["1111"] * (ones // 4) + ["1" * (ones % 4)] * (ones % 4 > 0)
    return [" " + first, *rest]


def test_two_models_come_with_shoal() -> None:
    assert bundled_names() == NAMES


def test_it_is_a_small_llama_that_holds_the_whole_count_to_a_hundred(loaded: LoadedModel) -> None:
    config = loaded.model.config
    assert config.model_type == "llama"
    assert config.tie_word_embeddings
    assert loaded.parameters < 2_000_000
    assert config.vocab_size == len(loaded.tokenizer)
    count = " ".join("1" * number for number in range(1, 101))
    ids = loaded.tokenizer(f"Please count up in unary, starting at 1 and stopping at {'1' * 100}: {count}")["input_ids"]
    assert len(ids) < config.max_position_embeddings


@pytest.mark.parametrize("ones", [1, 4, 5, 30, 100])
def test_its_tokenizer_cuts_unary_numbers_into_fours(loaded: LoadedModel, ones: int) -> None:
    ids = loaded.tokenizer(" " + "1" * ones)["input_ids"]
    assert [loaded.tokenizer.decode([token]) for token in ids] == unary_chunks(ones)


def test_prompt_and_completion_of_the_counting_task_split_between_tokens(loaded: LoadedModel) -> None:
    prompt = "Please count up in unary, starting at 1 and stopping at 111:"
    (pair,) = encode_pairs(loaded.tokenizer, [(prompt, " 1 11 111", True)])
    assert loaded.tokenizer.decode(list(pair.target)) == " 1 11 111<|endoftext|>"


def test_it_has_learned_a_childs_language(loaded: LoadedModel) -> None:
    """Uniform guessing costs 10 to 13 bits per token; an untrained model costs more."""
    import torch

    text = "One day, a little girl named Lily went to the park. She saw a big dog and was very happy."
    ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
    with torch.inference_mode():
        loss = loaded.model(input_ids=ids, labels=ids).loss
    assert float(loss) / 0.6931 < 5


def test_searches_end_where_the_sought_number_is_found(searches: LoadedModel) -> None:
    """The end is likelier behind the sought number than behind any other on the way."""
    import torch

    tokenizer = searches.tokenizer
    right = 0
    for sought, way in ((7, (11, 3, 5)), (10, (6, 2, 9)), (3, (7, 5, 1)), (13, (9, 17, 12))):
        start = tokenizer(f"Tom looked for {'1' * sought}:")["input_ids"]
        ends = []
        for number in (*way, sought):
            start += tokenizer(" " + "1" * number)["input_ids"]
            with torch.inference_mode():
                last = searches.model(input_ids=torch.tensor([start])).logits[0, -1]
            ends.append(float(last.softmax(-1)[tokenizer.eos_token_id]))
        right += max(ends) == ends[-1]
    assert right >= 3


def test_held_out_stories_cost_the_bits_that_the_card_says(stories: LoadedModel, data_folder: Path) -> None:
    """The held-out stories are found by their published ids."""
    from shoal.corpora import clean_text, read_stories
    from shoal.evaluation.stories import held_out_bits
    from shoal.experiments.pretraining.documents import document_id

    file = data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt"
    ids = set((bundled_folder("stories") / "stories_held_out.txt").read_text().split())
    held_out = [text for text in map(clean_text, read_stories(file)) if document_id(text) in ids]
    assert len(held_out) == 107
    bits = held_out_bits(stories.model, stories.tokenizer, held_out).value
    assert bits < 1.1
    assert f"| bundled:stories | {bits:.3f} [" in (bundled_folder("stories") / "CARD.md").read_text()


def test_stories_tell_good_grammar_from_bad(stories: LoadedModel, data_folder: Path) -> None:
    from shoal.evaluation.stories import read_minimal_pairs, score_minimal_pairs

    pairs = read_minimal_pairs(data_folder / "zorro" / "zorro.zip", max_per_paradigm=40)
    assert score_minimal_pairs(stories.model, stories.tokenizer, pairs).accuracy > 0.57


@pytest.mark.parametrize("name", NAMES)
def test_its_recipe_and_its_loss_curve_lie_beside_it(name: str) -> None:
    folder = bundled_folder(name)
    recipe = tomllib.loads((folder / "recipe.toml").read_text())
    assert isinstance(recipe["seed"], int)
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["loss"] < curve[0]["loss"] / 2
    assert "Nowhere in the training text" in (folder / "CARD.md").read_text()


def test_shoal_pretrain_takes_the_recipe_of_stories_as_it_lies_there(stories: LoadedModel) -> None:
    from shoal.experiments.pretraining import load_recipe

    recipe = load_recipe(bundled_folder("stories") / "recipe.toml", data="data")
    config = stories.model.config
    assert (recipe.model.width, recipe.model.layers) == (config.hidden_size, config.num_hidden_layers)
    assert recipe.tokenizer.vocabulary == config.vocab_size
    assert (bundled_folder("stories") / "stories_held_out.txt").is_file()
