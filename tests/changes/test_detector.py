"""The conventions of ruptures and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes import ChangePointDetector, change_points
from shoal.changes.generators import hidden_rotation, uniform_pieces
from shoal.errors import DataError, UnknownNameError, UsageError

SHIFT = np.concatenate([np.random.default_rng(0).normal(size=300), np.random.default_rng(1).normal(size=300) + 3.0])


def test_fit_predict_gives_the_places_of_the_engine() -> None:
    values = hidden_rotation(seed=2).values
    detector = ChangePointDetector(min_distance=0.15, process_count=2)
    assert detector.fit_predict(values) == change_points(values, 0.15, 2).places
    assert detector.predict() == detector.changes_.places
    assert detector.fit(values).predict() == detector.predict()


def test_places_end_with_the_length_where_that_is_asked_for_as_ruptures_has_it() -> None:
    assert ChangePointDetector(with_end=True).fit_predict(SHIFT)[-1] == 600
    assert 600 not in ChangePointDetector().fit_predict(SHIFT)


def test_predict_of_another_stream_finds_its_own_changes() -> None:
    detector = ChangePointDetector().fit(SHIFT)
    assert detector.predict(SHIFT[:250]) == []


def test_a_dated_series_gives_dates() -> None:
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(SHIFT, index=pandas.date_range("2020-01-01", periods=600))
    (date,) = ChangePointDetector().fit_predict(series)
    place = change_points(SHIFT).places[0]
    assert date == series.index[place].to_datetime64()
    with pytest.raises(UsageError, match="no label"):
        ChangePointDetector(with_end=True).fit_predict(series)


def test_parameters_are_read_set_and_refused_by_name() -> None:
    detector = ChangePointDetector(min_distance=0.2)
    assert detector.get_params()["min_distance"] == 0.2
    assert detector.set_params(alpha=0.01) is detector
    assert detector.alpha == 0.01
    with pytest.raises(UnknownNameError, match="min_distance"):
        detector.set_params(min_distence=0.1)
    again = type(detector)(**detector.get_params())
    assert again.get_params() == detector.get_params()


def test_scikit_learn_clones_it() -> None:
    base = pytest.importorskip("sklearn.base")
    detector = ChangePointDetector(min_distance=0.15, process_count=2)
    copy = base.clone(detector)
    assert copy is not detector
    assert copy.get_params() == detector.get_params()
    assert not hasattr(copy, "changes_")


def test_a_bad_parameter_is_refused_when_it_is_used() -> None:
    with pytest.raises(UsageError, match="min_distance"):
        ChangePointDetector(min_distance=2.0).fit(SHIFT)
    with pytest.raises(UsageError, match="nothing was fitted"):
        ChangePointDetector().predict()
    with pytest.raises(DataError, match="empty"):
        ChangePointDetector().fit([])


def test_groups_of_pieces_are_kept() -> None:
    detector = ChangePointDetector(min_distance=0.15, process_count=2).fit(uniform_pieces(seed=4).values)
    assert detector.changes_.processes == (0, 1, 0)
