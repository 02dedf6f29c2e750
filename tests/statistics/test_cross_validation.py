"""Folds without leakage, cross-validation and nested cross-validation beside scikit-learn, the corrected interval."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut, cross_val_predict, cross_val_score

from shoal.errors import DataError, UsageError
from shoal.statistics import (
    Candidates,
    corrected_interval,
    cross_validate,
    group_folds,
    leave_one_group_out,
    nested_cross_validate,
    out_of_fold,
)

X, Y = make_classification(240, 8, n_informative=4, random_state=3)
GROUPS = np.random.default_rng(0).integers(0, 17, 240)


def fit_with(strength):
    return lambda places: LogisticRegression(C=strength).fit(X[places], Y[places])


def accuracy(model, places):
    return model.score(X[places], Y[places])


@given(
    groups=st.lists(st.integers(0, 9), min_size=4, max_size=60),
    folds=st.integers(2, 6),
    seed=st.none() | st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_no_fold_shares_a_group_and_every_example_is_tested_once(groups, folds, seed):
    if len(set(groups)) < folds:
        with pytest.raises(UsageError, match="never divided"):
            group_folds(groups, folds, seed=seed)
        return
    made = group_folds(groups, folds, seed=seed)
    for fold in made:
        assert not {groups[place] for place in fold.train} & {groups[place] for place in fold.test}
        assert sorted([*fold.train, *fold.test]) == list(range(len(groups)))
        assert len(fold.test)
    assert sorted(place for fold in made for place in fold.test) == list(range(len(groups)))


def test_scores_of_grouped_folds_are_those_of_scikit_learn():
    ours = cross_validate(fit_with(1.0), accuracy, group_folds(GROUPS, 5))
    theirs = cross_val_score(LogisticRegression(), X, Y, groups=GROUPS, cv=GroupKFold(5))
    np.testing.assert_allclose(ours.scores, theirs, atol=1e-3)


def test_scores_of_one_group_left_out_are_those_of_scikit_learn():
    ours = cross_validate(fit_with(1.0), accuracy, leave_one_group_out(GROUPS.tolist()))
    theirs = cross_val_score(LogisticRegression(), X, Y, groups=GROUPS, cv=LeaveOneGroupOut())
    np.testing.assert_allclose(ours.scores, theirs, atol=1e-3)


def test_nested_scores_are_those_of_a_grid_search_of_scikit_learn_in_each_outer_fold():
    strengths = [0.001, 0.01, 1.0]
    ours = nested_cross_validate(
        Candidates(strengths, lambda strength, places: fit_with(strength)(places)),
        accuracy,
        group_folds(GROUPS, 4),
        lambda places: group_folds(GROUPS[places], 3),
    )
    theirs = []
    for train, test in GroupKFold(4).split(X, Y, GROUPS):
        search = GridSearchCV(LogisticRegression(), {"C": strengths}, cv=GroupKFold(3))
        search.fit(X[train], Y[train], groups=GROUPS[train])
        theirs.append(search.score(X[test], Y[test]))
    np.testing.assert_allclose(ours.scores, theirs, atol=1e-3)
    assert {fold.chosen for fold in ours.folds} <= set(map(str, strengths))


def test_out_of_fold_predictions_are_those_of_scikit_learn():
    ours = out_of_fold(
        fit_with(1.0), lambda model, places: model.predict_proba(X[places]), group_folds(GROUPS.tolist(), 5)
    )
    theirs = cross_val_predict(LogisticRegression(), X, Y, groups=GROUPS, cv=GroupKFold(5), method="predict_proba")
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_stratified_folds_have_nearly_equal_shares_of_each_class():
    groups, classes = np.repeat(np.arange(60), 4), np.repeat(np.arange(60) % 3 == 0, 4)
    for fold in group_folds(groups.tolist(), 5, classes=classes.tolist(), seed=1):
        assert len(fold.test) == 48
        assert classes[fold.test].mean() == pytest.approx(1 / 3)


def test_the_interval_is_that_of_nadeau_and_bengio():
    scores = [0.8, 0.7, 0.9, 0.75, 0.85]
    found = corrected_interval(scores, trained_on=80, tested_on=20)
    # (1/5 + 20/80) s², 4 degrees of freedom: t = 2.7764.
    half = 2.7764451 * np.sqrt(0.45 * np.var(scores, ddof=1))
    assert (found.low, found.high) == pytest.approx((0.8 - half, 0.8 + half), rel=1e-6)


def nearest_mean(x, y, places):
    return np.array([x[places][y[places] == label].mean(axis=0) for label in (0, 1)])


def share_right(means, x, y, places):
    return float(np.mean(((x[places, None] - means) ** 2).sum(axis=2).argmin(axis=1) == y[places]))


def test_the_corrected_interval_holds_the_expected_score_where_the_plain_one_fails():
    draws, ends, truths = np.random.default_rng(5), [], []
    for _ in range(150):
        x = draws.normal(size=(400, 2))
        y = (x[:, 0] + draws.normal(size=400) > 0).astype(int)
        result = cross_validate(
            lambda places, x=x, y=y: nearest_mean(x, y, places),
            lambda means, places, x=x, y=y: share_right(means, x, y, places),
            group_folds(range(60), 10),
        )
        half = (result.high - result.low) / 2
        ends.append((result.mean, half * np.sqrt((1 / 10) / (1 / 10 + 6 / 54)), half))
        truths.append(share_right(nearest_mean(x, y, np.arange(54)), x, y, np.arange(60, 400)))
    missed = [np.mean([abs(mean - np.mean(truths)) > half[which] for mean, *half in ends]) for which in (0, 1)]
    assert missed[1] < missed[0]
    assert missed[1] <= 0.05


@pytest.mark.parametrize(
    ("groups", "folds", "options", "message"),
    [
        ([1, 1, 2], 3, {}, "3 folds cannot be made of 2 groups"),
        ([1, 2, 3], 1, {}, "2 folds or more"),
        ([], 2, {}, "no examples"),
        ([1, 2, 3, 4], 2, {"classes": "aabb", "wanted": ["c"]}, "class 'c' has no members"),
        ([1, 2, 3, 4], 2, {"classes": "aaab"}, "class 'b' stands in 1 group, fewer than the 2 folds"),
        ([1, 2, 3, 4], 2, {"classes": "aab"}, "a class per example"),
    ],
)
def test_folds_that_cannot_be_made_are_refused_in_one_line(groups, folds, options, message):
    with pytest.raises((UsageError, DataError), match=message) as caught:
        group_folds(groups, folds, **options)
    assert "\n" not in str(caught.value)


def test_a_single_group_cannot_be_left_out():
    with pytest.raises(UsageError, match="one group"):
        leave_one_group_out(["a", "a"])


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(UsageError, match="finite"):
        cross_validate(lambda places: None, lambda model, places: float("nan"), group_folds([1, 2, 3], 3))


@pytest.mark.parametrize("first", [float("nan"), float("inf")])
def test_a_candidate_that_diverges_is_named_and_never_chosen(first):
    candidates = Candidates(["wild", "tame"], lambda name, places: name)
    folds = group_folds([1, 2, 3, 4], 2)
    with pytest.raises(UsageError, match="'wild' has no finite score"):
        nested_cross_validate(
            candidates,
            lambda name, places: first if name == "wild" else 0.9,
            folds,
            lambda places: group_folds(places.tolist(), 2),
        )


def test_a_choice_without_inner_folds_is_refused():
    candidates = Candidates(["one"], lambda name, places: name)
    with pytest.raises(UsageError, match="inner fold"):
        nested_cross_validate(candidates, lambda name, places: 0.5, group_folds([1, 2], 2), lambda places: [])


def test_examples_without_a_group_are_refused_and_not_divided():
    nowhere = np.array([1.0, 1.0, np.nan, np.nan, 2.0, 2.0]).tolist()
    for divide in (lambda: group_folds(nowhere, 2), lambda: leave_one_group_out(nowhere)):
        with pytest.raises(DataError, match="example 2 has no group"):
            divide()
    with pytest.raises(DataError, match="example 1 has no group or class"):
        group_folds([1, 2, 3, 4], 2, classes=["a", float("nan"), "a", "b"])
    with pytest.raises(UsageError, match="there are no folds"):
        out_of_fold(lambda places: None, lambda model, places: np.zeros(len(places)), [])
