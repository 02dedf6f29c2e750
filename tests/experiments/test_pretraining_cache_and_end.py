"""How a pretraining begins and ends: its prepared data, and what is scored, sampled, saved and told of its weights."""

from __future__ import annotations

import json
import shutil
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import StoreError
from shoal.experiments.pretraining import Recipe, pretrain_run, recipe_from
from shoal.experiments.pretraining.data import Prepared, prepare_data
from shoal.training.watch import ChangesSchedule
from tiny_recipes import tiny_recipe

if TYPE_CHECKING:
    from pathlib import Path


def recipe(**changes: Any) -> Recipe:
    text = tiny_recipe(stories=8, tokens=2400, batch_tokens=240, more='precision = "float32"\n')
    few = {"evaluation.sample_tokens": 4, "evaluation.memorised": 0, "evaluation.every": 2}
    return recipe_from({"name": "tiny"} | tomllib.loads(text), "tiny.toml").with_values(few | changes)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Prepared]:
    """The folder of the prepared data of the recipe, and the data."""
    folder = tmp_path_factory.mktemp("prepared")
    return folder, prepare_data(recipe(), folder)


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_card_of_the_best_weights_has_their_samples_and_scores(tmp_path: Path) -> None:
    # At this rate the model is at its best before the end.
    overfit = {"training.keep_best": True, "training.learning_rate": 2.0, "training.schedule": "constant"}
    found = pretrain_run(recipe(**overfit), tmp_path / "best")
    assert found.model_step < found.steps
    samples = {row["step"]: " ".join(row["text"].split()) for row in rows(found.folder / "samples.jsonl")}
    card = (found.model / "README.md").read_text()
    assert samples[found.model_step] in card
    assert samples[found.steps] not in card
    scores = {row["step"]: row["bits_per_byte"] for row in rows(found.folder / "scores.jsonl")}
    assert found.bits_per_byte["tales"] == pytest.approx(scores[found.model_step], abs=1e-12)
    assert found.bits_per_byte["tales"] < scores[found.steps]


def test_a_run_whose_steps_grow_is_scored_sampled_and_saved_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = ChangesSchedule.observe

    def growing(self: ChangesSchedule, step: int, loss: float, norm: float | None = None, *, done: int) -> Any:
        self.batches = 4 if step >= 3 else 1
        return observe(self, step, loss, norm, done=done)

    monkeypatch.setattr(ChangesSchedule, "observe", growing)
    acting = {"training.schedule": "changes", "training.changes_acts_on": "batch", "checkpoints.every": 100}
    found = pretrain_run(recipe(**acting), tmp_path / "grown")
    planned = json.loads((found.folder / "plan.json").read_text())["steps"]
    assert found.steps == found.model_step == rows(found.folder / "metrics.jsonl")[-1]["step"] < planned
    for name in ("scores", "samples", "evaluations"):
        assert rows(found.folder / f"{name}.jsonl")[-1]["step"] == found.steps, name
    assert found.bits_per_byte["tales"] == rows(found.folder / "scores.jsonl")[-1]["bits_per_byte"]
    assert "None were drawn" not in (found.model / "README.md").read_text()
    saved = found.folder / "checkpoints" / f"step-{found.steps}" / "model.safetensors"
    assert saved.read_bytes() == (found.model / "model.safetensors").read_bytes()


@pytest.mark.parametrize("damage", [b"", b"no such thing", None], ids=["empty", "other", "half"])
@pytest.mark.parametrize(
    "pattern",
    [
        "texts-*.parquet",
        "tokens-*/sizes.npy",
        "tokens-*/tokens/tokens.json",
        "tokens-*/tokens/ends.bin",
        "tokenizer-*/tokenizer.json",
    ],
)
def test_a_damaged_file_of_the_cache_is_named_and_made_anew_once_it_is_deleted(
    cache: tuple[Path, Prepared], tmp_path: Path, pattern: str, damage: bytes | None
) -> None:
    whole, made = cache
    folder = shutil.copytree(whole, tmp_path / "cache")
    (file,) = folder.glob(pattern)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if damage is None else damage)
    with pytest.raises(StoreError, match=r"is damaged \(.*\); delete it and give the same command again") as raised:
        prepare_data(recipe(), folder)
    assert "\n" not in str(raised.value)
    named = folder / str(raised.value).split(" is damaged")[0]
    assert named in (file, *file.parents)
    shutil.rmtree(named) if named.is_dir() else named.unlink()
    again = prepare_data(recipe(), folder)
    assert again.stream.digest == made.stream.digest
    assert again.held_out_ids == made.held_out_ids
