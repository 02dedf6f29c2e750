"""The vectors of a text in a model: sizes, neighbours, shapes and maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, TooLongError, UnknownNameError, UsageError
from shoal.insight.vectors import (
    describe_vectors,
    iso_score,
    measure_agreement,
    measure_geometry,
    nearest_neighbours,
    partition_ratio,
    project,
    read_vectors,
)
from shoal.models import LoadedModel, load_model
from shoal.reports import vectors_page

TEXT = "One day, a little bear <b>went</b> to the park and the dog ran."


@pytest.fixture(scope="module")
def stories():
    return load_model("bundled:searches")


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(600, 20)).astype(np.float32)


def test_vectors_are_the_models_own(stories) -> None:
    found = read_vectors(stories, TEXT)
    ids = torch.tensor([stories.tokenizer(TEXT)["input_ids"]])
    with torch.inference_mode():
        states = stories.model(ids, output_hidden_states=True).hidden_states
    assert found.ids == tuple(ids[0].tolist())
    assert len(found.contextual) == len(states)
    for ours, theirs in zip(found.contextual, states, strict=True):
        np.testing.assert_array_equal(ours, theirs[0].numpy())
    np.testing.assert_array_equal(found.spaces["input"], stories.model.get_input_embeddings()(ids)[0].detach().numpy())
    assert found.tied
    assert "output" not in found.spaces


def test_output_vectors_that_are_not_tied_are_read_too() -> None:
    model, tokenizer = tiny_model("GPTNeoX"), letter_tokenizer()
    own = LoadedModel(spec="tiny", model=model, tokenizer=tokenizer, digest="", parameters=0, origin="")
    found = read_vectors(own, letters([5, 6, 7, 5, 6]))
    np.testing.assert_array_equal(
        found.spaces["output"], model.get_output_embeddings().weight.detach().numpy()[list(found.ids)]
    )
    assert not found.tied


def test_neighbours_are_those_of_a_full_sort(cloud: np.ndarray) -> None:
    wide = cloud * np.random.default_rng(1).uniform(0.2, 3, size=(600, 1)).astype(np.float32)
    (found,) = nearest_neighbours(wide, [str(row) for row in range(600)], [7], count=5)
    others = np.delete(np.arange(600), 7)
    costs = {
        "cosine": -(wide @ wide[7]) / np.linalg.norm(wide, axis=1),
        "Euclidean distance": np.linalg.norm(wide - wide[7], axis=1),
        "dot product": -(wide @ wide[7]),
    }
    for measure, cost in costs.items():
        expected = others[np.argsort(cost[others])][:5]
        assert [int(name) for name, _ in found.nearest[measure]] == expected.tolist()


def test_on_vectors_of_one_length_all_measures_agree(cloud: np.ndarray) -> None:
    unit = cloud / np.linalg.norm(cloud, axis=1, keepdims=True)
    assert all(each.shared > 0.999 and each.same_first > 0.99 for each in measure_agreement(unit))
    assert min(each.shared for each in measure_agreement(cloud * np.linspace(0.1, 5, 600)[:, None])) < 0.5


def test_an_even_cloud_is_even_and_a_common_direction_is_seen(cloud: np.ndarray) -> None:
    names = [str(row) for row in range(len(cloud))]
    even = measure_geometry(cloud, names, space="even")
    assert abs(even.mean_cosine) < 4 * even.mean_cosine_error + 0.01
    assert even.iso_score > 0.85
    shifted = measure_geometry(cloud + 5, names, space="shifted")
    assert shifted.mean_cosine > 0.9
    assert abs(shifted.centred_cosine) < 0.02
    assert shifted.partition_ratio < even.partition_ratio


def test_iso_score_of_one_direction_is_zero_and_of_all_is_one() -> None:
    line = np.outer(np.arange(50.0), np.ones(8))
    assert iso_score(line) == pytest.approx(0, abs=1e-6)
    corners = np.concatenate([np.eye(8), -np.eye(8)])
    assert iso_score(corners) == pytest.approx(1, abs=1e-6)
    assert partition_ratio(corners) == pytest.approx(1, abs=1e-6)


def test_a_planted_hub_is_named(cloud: np.ndarray) -> None:
    wide = np.random.default_rng(0).normal(size=(400, 60)).astype(np.float32) + 0.9
    wide[13] = wide.mean(axis=0)
    found = measure_geometry(wide, [f"w{row}" for row in range(400)], space="hub")
    assert found.hubs[0][0] == "w13"
    assert found.hub_skewness > 2


def test_a_plane_is_projected_onto_itself() -> None:
    random = np.random.default_rng(0)
    plane = random.normal(size=(30, 2)) @ np.linalg.qr(random.normal(size=(9, 2)))[0].T
    made = project(plane.astype(np.float32))
    assert made.explained_variance == pytest.approx(1, abs=1e-6)
    before, after = (np.linalg.norm(points[:, None] - points, axis=-1) for points in (plane, made.points_N2))
    np.testing.assert_allclose(before, after, atol=1e-4)


def test_tsne_keeps_groups_together() -> None:
    random = np.random.default_rng(0)
    groups = np.concatenate([random.normal(size=(15, 10)) + 12 * place for place in range(3)]).astype(np.float32)
    made = project(groups, "tsne")
    middles = made.points_N2.reshape(3, 15, 2).mean(axis=1)
    nearest = np.linalg.norm(made.points_N2[:, None] - middles, axis=-1).argmin(axis=1)
    assert nearest.tolist() == [0] * 15 + [1] * 15 + [2] * 15
    assert made.neighbours_preserved > 0.4


def test_the_page_shows_every_token_and_escapes_the_text(stories) -> None:
    report = describe_vectors(stories, TEXT)
    html = vectors_page(report)
    assert "<b>went" not in html
    assert "https:" not in html
    assert "input vectors, PCA" in html
    assert f"{len(report.vectors.ids)} by 64 numbers" in html
    assert html.count("<title>") >= 2 * len(set(report.vectors.ids))
    shapes = report.to_dict()["shapes"]
    assert shapes["contextual"] == (len(report.vectors.ids), 64)


def test_one_token_has_neighbours_and_no_map(stories) -> None:
    report = describe_vectors(stories, "One")
    assert report.projections == {}
    assert [each.space for each in report.geometry] == ["input"]
    assert "Nearest neighbours" in vectors_page(report)


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("", {}, DataError),
        ("day " * 3000, {}, TooLongError),
        ("One day he", {"neighbours": 5000}, UsageError),
        ("One day he", {"method": "umapp"}, UnknownNameError),
    ],
)
def test_bad_input_is_refused(stories, text: str, options: dict, error: type) -> None:
    with pytest.raises(error):
        describe_vectors(stories, text, **options)


def test_the_error_of_the_mean_cosine_is_that_of_drawing_other_vectors() -> None:
    names = [str(row) for row in range(100)]
    found = [
        measure_geometry((random.normal(size=(100, 16)) + 1).astype(np.float32), names, space="shifted", seed=seed)
        for seed in range(40)
        for random in [np.random.default_rng(seed)]
    ]
    spread = np.std([each.mean_cosine for each in found], ddof=1)
    assert np.mean([each.mean_cosine_error for each in found]) == pytest.approx(spread, rel=0.35)
