"""The rows of a small comparison: mixtures, students and asymptotes by the tables of their members; what fails."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shoal.errors import StoreError, TrainingError
from shoal.experiments.overfitting import OverfitPlan, OverfitResult, load_overfit, read_overfit, run_overfit
from shoal.experiments.overfitting.texts import scored_texts
from shoal.experiments.pretraining import load_recipe
from shoal.experiments.pretraining.data import prepare_data
from tiny_recipes import tiny_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.overfitting import OverfitRow

COMPARISON = """
[methods]
refused = { training.optimizer = "muon", training.l1 = 1e-3 }

[ensembles.deep]
kind = "seeds"
compute = "members"

[ensembles.boosted]
kind = "boosting"

[ensembles.stacked]
kind = "stacking"
rows = ["baseline", "refused"]

[distilled.student]
teacher = "deep"
sampled = 0.2

[distilled."student of a mixture"]
teacher = "boosted"

[growth]
members = 3
sizes = [{ model.heads = 1 }, { model.heads = 2 }, { model.heads = 4 }]

[[claims]]
claim = "More members are better."
better = "deep"
than = "baseline"
smallest_effect = 0.01

[[claims]]
claim = "A row that failed shows nothing."
better = "stacked"
than = "baseline"
smallest_effect = 0.01

[[claims]]
claim = "Models that differ in their heads alone have one size."
better = "members of baseline"
than = "sizes of baseline"
smallest_effect = 0.01
"""


def loaded(folder: Path, text: str, *, tokens: int = 240, more: str = "") -> OverfitPlan:
    folder.mkdir(exist_ok=True)
    (folder / "r.toml").write_text(tiny_recipe(stories=16, tokens=tokens, batch_tokens=120, more=more))
    (folder / "o.toml").write_text(f'recipe = "r.toml"\nseeds = 2\nmembers = 2\ndocuments = 3\n{text}')
    return load_overfit(folder / "o.toml")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, OverfitPlan, OverfitResult]:
    """The folder of a finished comparison, its plan, and its result."""
    folder = tmp_path_factory.mktemp("rows")
    plan = loaded(folder, COMPARISON)
    return folder / "run", plan, run_overfit(plan, folder / "run", workers=0)


def row(result: OverfitResult, name: str) -> OverfitRow:
    return next(one for one in result.rows if one.name == name)


def records(folder: Path, **wanted: Any) -> list[dict[str, Any]]:
    found = [json.loads(file.read_text()) for file in sorted((folder / "trainings").glob("*/done.json"))]
    return [one for one in found if all(one[key] == value for key, value in wanted.items())]


def log_p(folder: Path, spec_folder: Path) -> tuple[np.ndarray[Any, Any], list[float]]:
    """Log p of the test text of each member of a saved ensemble (N × K), and the members' weights."""
    members = json.loads((spec_folder / "ensemble.json").read_text())["members"]
    keys = [one["spec"].split("/")[-2] for one in members]
    tables = [np.load(folder / "trainings" / key / "log_p.npz")["test"].astype(float) for key in keys]
    return np.stack(tables, axis=1), [one["weight"] for one in members]


@pytest.mark.parametrize("name", ["deep", "boosted"])
def test_an_ensemble_is_scored_as_the_mixture_of_its_members(
    done: tuple[Path, OverfitPlan, OverfitResult], name: str
) -> None:
    folder, _, result = done
    found = row(result, name)
    for seed in range(2):
        logs_NK, weights = log_p(folder, folder / "ensembles" / name / f"seed-{seed}")
        size = records(folder, state="complete")[0]["sizes"]["test"]
        assert sum(weights) == pytest.approx(1)
        mixed = -np.log2(np.exp(logs_NK) @ np.array(weights)).sum() / size
        assert found.by_seed[seed] == pytest.approx(mixed, rel=1e-9)
        # Of equal weights it is better than its members are on average, by the concavity of the logarithm.
        if name == "deep":
            assert mixed < -logs_NK.mean(axis=1).sum() / np.log(2) / size


def test_boosting_says_what_its_weights_are_worth_and_costs_what_it_scores(
    done: tuple[Path, OverfitPlan, OverfitResult],
) -> None:
    found = row(done[2], "boosted")
    assert found.notes is not None
    assert 0 < found.notes["effective share of the tokens"] <= 1
    trained = 6.0 * found.parameters / 2 * found.tokens
    assert found.training_compute > trained


def test_a_student_costs_its_teacher_too_and_reads_what_the_teacher_wrote(
    done: tuple[Path, OverfitPlan, OverfitResult],
) -> None:
    _, _, result = done
    student, teacher, base = (row(result, name) for name in ("student", "deep", "baseline"))
    assert student.parameters == base.parameters
    assert student.inference_compute == base.inference_compute
    assert student.training_compute > teacher.training_compute + base.training_compute
    assert student.meaning.endswith("of deep over texts, 20% of them written by it")
    assert abs(student.tokens - base.tokens) <= 0.25 * base.tokens


def test_an_asymptote_is_fitted_to_mixtures_of_all_choices_of_members(
    done: tuple[Path, OverfitPlan, OverfitResult],
) -> None:
    (members,) = done[2].asymptotes
    assert members.sizes == (1, 2, 3)
    assert not members.exponent_is_fitted
    assert members.exponent == 1
    for losses in members.losses:
        assert losses[0] > losses[1] > losses[2]
    assert members.floor.value < members.losses_mean[-1]
    # Of the first member alone the mean over choices is that of all three.
    assert members.losses_mean[0] != pytest.approx(row(done[2], "baseline").test.value, rel=1e-12)  # type: ignore[union-attr]
    assert members.at(1e9) == pytest.approx(members.floor.value)


def test_what_fails_is_said_and_leaves_the_other_rows(done: tuple[Path, OverfitPlan, OverfitResult]) -> None:
    folder, _, result = done
    assert [one.name for one in result.rows if one.failed] == ["refused", "stacked"]
    assert "l1 = 0.001" in row(result, "refused").failed
    assert str(folder) not in row(result, "stacked").failed
    assert not (folder / "ensembles" / "stacked").exists()
    deep, stacked, sizes = result.claims
    assert deep.effect is not None
    assert deep.verdict in ("supported", "refuted", "underpowered")
    for claim in (stacked, sizes):
        assert claim.effect is None
        assert claim.verdict == "underpowered"
        assert f"No answer: {claim.better} or {claim.than} has no numbers." in str(claim)
    plain = json.loads((folder / "result.json").read_text())
    assert plain["claims"][1]["effect"] is None
    assert [one["test"] for one in plain["rows"] if one["failed"]] == [None, None]


def test_the_same_call_and_a_reading_give_the_same_result_without_a_training(
    done: tuple[Path, OverfitPlan, OverfitResult],
) -> None:
    folder, plan, result = done
    before = (folder / "timings.jsonl").read_text()
    trained: list[object] = []
    again = run_overfit(plan, folder, workers=0, on_training=trained.append)
    assert again.to_dict() == result.to_dict() == read_overfit(folder).to_dict()
    assert not trained
    assert (folder / "timings.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("damage", "name"),
    [(b"", "empty"), (b"PK\x03\x04 cut short", "cut short"), (b"no archive at all", "another file")],
)
def test_a_damaged_table_is_named_with_what_to_do(
    done: tuple[Path, OverfitPlan, OverfitResult], tmp_path: Path, damage: bytes, name: str
) -> None:
    folder = shutil.copytree(done[0], tmp_path / name.replace(" ", "-"))
    member = json.loads((folder / "ensembles" / "deep" / "seed-0" / "ensemble.json").read_text())["members"][1]
    table = folder / "trainings" / member["spec"].split("/")[-2] / "log_p.npz"
    table.write_bytes(damage)
    with pytest.raises(StoreError, match=r"log_p\.npz cannot be read .* delete its folder and give the same command"):
        read_overfit(folder)


def test_members_that_share_too_few_tokens_fail_alone(tmp_path: Path) -> None:
    # A twelfth of the tokens is less than a piece of text: the baseline, which has them all, is trained.
    plan = loaded(tmp_path, '[ensembles.many]\nkind = "seeds"\n', tokens=30)
    plan = plan.model_copy(update={"overfit": plan.overfit.model_copy(update={"members": 12})})
    result = run_overfit(plan, tmp_path / "run", workers=0)
    assert row(result, "baseline").test is not None
    assert row(result, "many").failed.startswith("this leaves no token to train on")


def test_a_baseline_that_fails_ends_the_comparison_with_its_reason(tmp_path: Path) -> None:
    plan = loaded(tmp_path, "[methods]\na = { training.dropout = 0.1 }\n", more='freeze = ["*"]\n')
    with pytest.raises(TrainingError, match=r"the recipe, seed 0 failed, and all rows .*: every weight .* is frozen"):
        run_overfit(plan, tmp_path / "run", workers=0)
    with pytest.raises(TrainingError, match="the baseline has no result"):
        read_overfit(tmp_path / "run")


def test_a_document_of_two_corpora_is_on_one_side_alone(tmp_path: Path) -> None:
    # The second corpus is told by the same seed: it has all documents of the first, and as many more.
    more = '\n[[corpus]]\nname = "again"\ngrammar = 32\nheld_out = 0.5\n'
    (tmp_path / "r.toml").write_text(tiny_recipe(stories=16, tokens=100, batch_tokens=50) + more)
    recipe = load_recipe(tmp_path / "r.toml")
    prepared = prepare_data(recipe, tmp_path / "prepared")
    first, second = (set(corpus.ids_D.tolist()) for corpus in prepared.corpora.values())
    assert first < second
    whole: dict[str, set[tuple[int, ...]]] = {}
    for part, text in scored_texts(prepared, recipe, 100).items():
        # Windows of two stories may be alike; all windows of a document together are not.
        documents: dict[int, tuple[int, ...]] = {}
        for number, scored in zip(text.document_R, text.rows, strict=True):
            documents[number] = documents.get(number, ()) + scored.ids
        whole[part] = set(documents.values())
        # A text of both corpora is scored in each of them.
        assert len(documents) > len(whole[part])
    assert not whole["validation"] & whole["test"]
    assert not whole["training"] & (whole["validation"] | whole["test"])
