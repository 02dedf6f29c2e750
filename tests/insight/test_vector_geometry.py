"""Geometry of clouds whose shape is known, and how far a plane can be trusted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.insight.vectors import (
    MEASURES,
    iso_score,
    measure_agreement,
    measure_geometry,
    nearest_neighbours,
    partition_ratio,
    project,
    trustworthiness,
)

NAMES = [f"w{row}" for row in range(500)]


def cloud(count: int, width: int, seed: int = 0, scales: np.ndarray | None = None) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, width))
    return (made if scales is None else made * scales).astype(np.float32)


@pytest.mark.parametrize("spectrum", [[5.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0], [10.0, 0.1, 0.1]])
def test_the_explained_variance_is_that_of_the_two_largest_eigenvalues(spectrum: list[float]) -> None:
    random = np.random.default_rng(0)
    left = np.linalg.qr(random.normal(size=(60, len(spectrum))) - 0)[0]
    left -= left.mean(axis=0)
    left = np.linalg.qr(left)[0]
    points = left * spectrum @ np.linalg.qr(random.normal(size=(len(spectrum), len(spectrum))))[0]
    found = project(points.astype(np.float32))
    squares = np.square(spectrum)
    assert found.explained_variance == pytest.approx(squares[:2].sum() / squares.sum(), rel=0.02)


def test_in_a_plane_every_neighbour_is_preserved_and_in_noise_few_are() -> None:
    plane = np.pad(cloud(60, 2), ((0, 0), (0, 8)))
    found = project(plane)
    assert found.explained_variance == pytest.approx(1.0)
    assert found.neighbours_preserved == 1.0
    noise = project(cloud(200, 40))
    assert noise.explained_variance < 0.2
    assert noise.neighbours_preserved < 0.3


def test_tsne_has_no_explained_variance_and_preserves_more_neighbours_of_groups() -> None:
    groups = np.concatenate([cloud(20, 12, seed) + 9 * np.eye(12, dtype=np.float32)[seed] for seed in range(4)])
    pca, tsne = project(groups), project(groups, "tsne", seed=1)
    assert tsne.explained_variance is None
    assert tsne.neighbours_preserved > pca.neighbours_preserved
    np.testing.assert_array_equal(tsne.points_N2, project(groups, "tsne", seed=1).points_N2)


@pytest.mark.parametrize("count", [3, 4])
def test_the_fewest_points_are_projected(count: int) -> None:
    for method in ("pca", "tsne"):
        found = project(cloud(count, 5), method)
        assert found.points_N2.shape == (count, 2)
        assert 0 <= found.neighbours_preserved <= 1


def test_points_that_are_all_one_lie_in_the_plane() -> None:
    found = project(np.ones((5, 3), np.float32))
    assert found.explained_variance == 1.0
    assert not found.points_N2.any()


def test_what_cannot_be_projected_is_refused() -> None:
    with pytest.raises(DataError, match="at least 3"):
        project(cloud(2, 5))
    with pytest.raises(UnknownNameError, match="did you mean 'tsne'"):
        project(cloud(5, 5), "tsn")


def test_a_cone_has_the_cosine_of_its_angle() -> None:
    """Vectors at 60 degrees around an axis: cos² of the angle is what two random ones share."""
    random = np.random.default_rng(0)
    around = random.normal(size=(500, 30))
    around[:, 0] = 0
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    axis = np.zeros(30)
    axis[0] = 1.0
    cone = (0.5 * axis + np.sqrt(0.75) * around).astype(np.float32)
    found = measure_geometry(cone, NAMES, space="cone")
    assert found.mean_cosine == pytest.approx(0.25, abs=0.02)
    assert found.centred_cosine == pytest.approx(0.0, abs=0.02)
    assert found.mean_cosine_error < 0.01


def test_geometry_hangs_on_directions_and_not_on_the_unit_of_length() -> None:
    points = cloud(300, 20) + 0.5
    one, other = (measure_geometry(points * scale, NAMES, space="x") for scale in (1.0, 8.0))
    assert other.mean_cosine == pytest.approx(one.mean_cosine, abs=1e-6)
    assert other.iso_score == pytest.approx(one.iso_score, abs=1e-6)
    assert other.hubs == one.hubs


@pytest.mark.parametrize("directions", [1, 2, 4, 8])
def test_the_iso_score_is_the_share_of_directions_that_are_used(directions: int) -> None:
    width = 8
    corners = np.eye(width)[:directions]
    points = np.concatenate([corners, -corners])
    assert iso_score(points) == pytest.approx((directions - 1) / (width - 1), abs=1e-6)


def test_a_space_of_one_direction_has_no_iso_score() -> None:
    assert iso_score(np.arange(5.0)[:, None]) == 0.0
    assert iso_score(np.zeros((4, 3))) == 0.0


def test_the_partition_ratio_does_not_overflow() -> None:
    assert 0 <= partition_ratio(cloud(50, 6).astype(np.float64) * 1e4) <= 1
    assert partition_ratio(cloud(50, 6).astype(np.float64) * 1e-6) == pytest.approx(1.0, abs=1e-3)


def test_few_vectors_have_no_hubs_and_fewer_than_three_no_geometry() -> None:
    found = measure_geometry(cloud(20, 6), NAMES, space="few")
    assert (found.hub_skewness, found.orphans, found.hubs) == (None, None, ())
    assert json.loads(json.dumps(found.to_dict()))["space"] == "few"
    with pytest.raises(DataError, match="at least 3 tokens"):
        measure_geometry(cloud(2, 6), NAMES, space="none")


def test_a_vector_of_length_zero_breaks_nothing() -> None:
    points = cloud(40, 6)
    points[3] = 0.0
    assert np.isfinite(measure_geometry(points, NAMES, space="zero").mean_cosine)
    (found,) = nearest_neighbours(points, NAMES, [3], count=2)
    assert found.length == 0.0


def test_the_dot_product_prefers_long_vectors_and_the_distance_near_ones() -> None:
    points = np.array([[1.0, 0.0], [9.0, 3.0], [1.1, 0.4], [0.2, 0.01]], np.float32)
    (found,) = nearest_neighbours(points, ["query", "long", "near", "same direction"], [0], count=1)
    first = {measure: found.nearest[measure][0][0] for measure in MEASURES}
    assert first == {"cosine": "same direction", "Euclidean distance": "near", "dot product": "long"}
    assert found.only == {measure: (first[measure],) for measure in MEASURES}
    values = {measure: found.nearest[measure][0][1] for measure in MEASURES}
    assert values["dot product"] == pytest.approx(9.0)
    assert values["Euclidean distance"] == pytest.approx(np.hypot(0.1, 0.4), rel=1e-5)


@pytest.mark.parametrize("count", [0, 5, 6])
def test_no_more_neighbours_than_there_are_others(count: int) -> None:
    with pytest.raises(UsageError, match="1 to 4 neighbours"):
        nearest_neighbours(cloud(5, 3), NAMES, [0], count=count)


def test_agreement_is_of_every_pair_of_measures() -> None:
    found = measure_agreement(cloud(100, 10), count=5, sample=30)
    assert [(each.first, each.second) for each in found] == [
        (MEASURES[0], MEASURES[1]),
        (MEASURES[0], MEASURES[2]),
        (MEASURES[1], MEASURES[2]),
    ]
    assert all(0 <= each.shared <= 1 and 0 <= each.same_first <= 1 for each in found)


def test_trustworthiness_is_that_of_scikit_learn():
    manifold = pytest.importorskip("sklearn.manifold")
    points = cloud(40, 8).astype(np.float64)
    for after in (points[:, :2], np.random.default_rng(5).normal(size=(40, 2))):
        expected = manifold.trustworthiness(points, after, n_neighbors=5)
        assert trustworthiness(points, after) == pytest.approx(expected)
    assert project(cloud(40, 8)).trustworthiness > trustworthiness(
        points, np.random.default_rng(5).normal(size=(40, 2))
    )
    plane = np.random.default_rng(6).normal(size=(30, 2)).astype(np.float32)
    assert project(plane).trustworthiness == pytest.approx(1)
