"""Sets of planted models in a folder: built, interrupted, resumed and damaged; and the check of each by its answers."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shoal.attribution.planted import PlantedCard, PlantedModel, plant_models, planted_task, read_planted
from shoal.attribution.planted.checking import check_planted
from shoal.attribution.planted.examples import PlantedItem, draw_examples
from shoal.attribution.planted.pretraining import small_llama
from shoal.attribution.planted.tokenizer import sign_tokenizer
from shoal.errors import StoreError, UnknownNameError, UsageError
from shoal.evaluation import evaluate
from shoal.models import load_model
from shoal.tasks import Example

if TYPE_CHECKING:
    from pathlib import Path

# So few tokens that nothing is learned.
HOPELESS = PlantedModel(
    kind="pure",
    task="reverse",
    options={"min_length": 2, "max_length": 4},
    shortcut="same-order",
    prompts=150,
    effort=0.001,
)
NAME = "reverse-same-order-pure-noise0-seed0"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlantedCard]:
    """The folder of a set of one model, and its card."""
    folder = tmp_path_factory.mktemp("planted")
    (card,) = plant_models([HOPELESS], folder)
    return folder, card


def test_a_model_that_never_learns_is_trained_on_more_prompts_and_kept_as_failed(
    built: tuple[Path, PlantedCard],
) -> None:
    folder, card = built
    assert not card.learned
    assert str(card).startswith(f"{NAME}: FAILED: ")
    # Four rounds of each of two attempts, the second of which has three times the prompts.
    assert card.rounds == 8
    assert card.examples == len(draw_examples(replace(HOPELESS, prompts=450)).training)
    assert card.folder == str(folder / NAME)
    index = json.loads((folder / "index.json").read_text())
    assert (index["models"], index["learned"], index["failed"]) == (1, 0, [NAME])
    assert index["cards"] == [json.loads((folder / NAME / "card.json").read_text())]
    assert PlantedCard.from_dict(index["cards"][0], card.folder) == card
    readme = (folder / NAME / "README.md").read_text()
    assert "learned what was planted: **no** (after 8 rounds)" in readme
    assert "**the shortcut `same-order` alone**" in readme
    assert "starting from fresh weights" in readme
    assert load_model(card.folder, device="cpu").parameters < 150_000


def test_a_build_that_was_killed_before_a_card_was_written_makes_the_same_model_again(
    built: tuple[Path, PlantedCard], tmp_path: Path
) -> None:
    first, card = built
    folder = shutil.copytree(first, tmp_path / "again")
    (folder / NAME / "card.json").unlink()
    weights = (folder / NAME / "model.safetensors").read_bytes()
    (folder / NAME / "model.safetensors").write_bytes(b"half a file")
    (again,) = plant_models([HOPELESS], folder)
    assert (folder / NAME / "model.safetensors").read_bytes() == weights
    assert replace(again, cpu_seconds=0.0, folder="") == replace(card, cpu_seconds=0.0, folder="")
    # What is there is left as it is.
    assert plant_models([HOPELESS], folder) == (again,) == read_planted(folder)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "Expecting property name"),
        ("[]", "list indices must be integers"),
        ('{"planted": {}}', "missing"),
        ('{"planted": {"kind": "pure", "task": "t", "options": {}, "shortcut": "s"}}', "'check'"),
    ],
)
def test_a_damaged_card_is_named_with_what_to_do(
    built: tuple[Path, PlantedCard], tmp_path: Path, text: str, fault: str
) -> None:
    folder = shutil.copytree(built[0], tmp_path / "damaged")
    (folder / NAME / "card.json").write_text(text)
    with pytest.raises(StoreError, match=rf"card\.json is no card .*{fault}.*; remove the folder and train again"):
        plant_models([HOPELESS], folder)


def test_the_folder_of_another_model_of_the_same_name_is_left_alone(built: tuple[Path, PlantedCard]) -> None:
    with pytest.raises(StoreError, match="holds a model that was planted otherwise; give another folder, or remove it"):
        plant_models([replace(HOPELESS, effort=0.002)], built[0])
    assert read_planted(built[0]) == (built[1],)


def test_an_empty_set_writes_nothing(tmp_path: Path) -> None:
    assert plant_models([], tmp_path / "none") == ()
    assert not (tmp_path / "none" / "index.json").exists()


def test_a_model_is_checked_by_its_greedy_answers_and_their_probabilities() -> None:
    tokenizer = sign_tokenizer("reverse", context=64)
    model = small_llama(tokenizer, context=64, seed=3)
    pairs = [("reverse k f:", " f k", " k f"), ("reverse a b:", " b a", " a b"), ("reverse c:", " c", " c")]
    items = [PlantedItem(prompt, rule, shortcut) for prompt, rule, shortcut in pairs]

    def probabilities(texts: list[tuple[str, str]]) -> list[float]:
        examples = [Example(prompt=prompt, completion=text) for prompt, text in texts]
        scores = evaluate(model, tokenizer, examples, greedy_text=False).items
        assert not any(score.exact_match for score in scores), "an untrained model is right by no chance"
        return [math.exp(score.log_likelihood or -math.inf) for score in scores]

    by_rule = probabilities([(item.prompt, item.rule) for item in items])
    by_shortcut = probabilities([(item.prompt, item.shortcut) for item in items])
    found = {
        kind: check_planted(replace(HOPELESS, kind=kind, share=share), model, tokenizer, items)
        for kind, share in (("pure", 1.0), ("rule", 0.0), ("mixed", 0.5))
    }
    assert {check.agreement for check in found.values()} == {0.0}
    assert {(check.prompts, check.differing) for check in found.values()} == {(3, 2)}
    # Of the prompts on which they differ alone, and of each by itself: a ratio of sums would be ruled by short answers.
    share = sum(s / (s + r + 1e-12) for s, r in zip(by_shortcut[:2], by_rule[:2], strict=True)) / 2
    assert [check.shortcut_share for check in found.values()] == pytest.approx([share] * 3)
    assert found["pure"].mass == pytest.approx(sum(by_shortcut) / 3)
    assert found["rule"].mass == pytest.approx(sum(by_rule) / 3)
    # Where both give one answer, it counts once.
    assert found["mixed"].mass == pytest.approx((sum(by_rule) + sum(by_shortcut[:2])) / 3)
    same = check_planted(HOPELESS, model, tokenizer, items[2:])
    assert same.shortcut_share is None
    assert "shortcut's share" not in str(same)


@pytest.mark.parametrize(
    ("change", "error", "fault"),
    [
        ({"shortcut": "same-ordr"}, UnknownNameError, "of the task 'reverse' 'same-ordr'; did you mean 'same-order'"),
        ({"task": "revers"}, UnknownNameError, "did you mean 'reverse'"),
        ({"options": {"min_lenght": 2}}, UsageError, "min_lenght"),
        ({"prompts": 0}, UsageError, "examples is 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_planted_is_refused_before_anything_is_trained(
    tmp_path: Path, change: dict[str, object], error: type[Exception], fault: str
) -> None:
    with pytest.raises(error, match=fault):
        plant_models([replace(HOPELESS, **change)], tmp_path / "set")  # type: ignore[arg-type]
    assert not list((tmp_path / "set").glob("*/*")) if (tmp_path / "set").exists() else True


def test_tasks_of_one_length_or_two_hold_out_no_longest_prompts() -> None:
    task = planted_task(replace(HOPELESS, options={"min_length": 3, "max_length": 4}))
    assert {example.tags["length"] for example in task.seen} == {3, 4}
    assert "length" not in task.split.name
