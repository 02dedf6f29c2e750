"""Bagging, boosting and distillation: resampled documents, weighted tokens, soft targets; SAMME as in scikit-learn."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from small_models import gpt2, llama, own_loss, random_batch

from shoal.errors import DataError, StoreError, UsageError
from shoal.models import EnsembleForCausalLM, factor_model
from shoal.statistics import group_folds, mixture_log_likelihoods, out_of_fold
from shoal.training import (
    Batch,
    CorpusShare,
    DocumentSource,
    Teacher,
    TrainSettings,
    bootstrap_counts,
    run_training,
    samme,
    token_weights,
    tokens_in_memory,
)
from shoal.training.distillation import DistilledGradient
from shoal.training.flat_parameters import FlatParameters
from shoal.training.preparation import choose_gradient

X, Y = make_classification(150, 6, n_informative=4, n_classes=3, random_state=1)


def test_a_bootstrap_sample_has_as_many_units_and_leaves_about_a_third_out():
    counts = bootstrap_counts(3000, seed=4)
    assert counts.sum() == 3000
    assert (counts == 0).mean() == pytest.approx(math.exp(-1), abs=0.03)
    assert bootstrap_counts(3, 0, np.array([0, 1, 0])).tolist() == [0, 3, 0]


def test_samples_that_cannot_be_drawn_are_refused():
    with pytest.raises(DataError, match="at least one unit"):
        bootstrap_counts(0, 0)
    with pytest.raises(UsageError, match="weight of 0 or more"):
        bootstrap_counts(2, 0, np.array([0.0, 0.0]))


def test_documents_are_read_as_often_as_they_were_drawn():
    file = tokens_in_memory([[place] * 5 for place in range(6)], vocabulary=10)
    seen = np.array([True, True, True, True, True, False])
    share = CorpusShare(file=file, passes=2, seen=seen, copies=np.array([0, 1, 3, 0, 2, 4]))
    source = DocumentSource([share], context=8, batch_tokens=16)
    read = [int(one.ids[0]) for step in range(source.steps) for one in source.batch(step).documents]
    assert Counter(read) == {1: 2, 2: 6, 4: 4}
    with pytest.raises(DataError, match="copies must be 6"):
        DocumentSource([replace(share, copies=np.array([1]))], context=8, batch_tokens=16)


@pytest.mark.parametrize("make", [llama, gpt2])
def test_weighted_tokens_count_as_often_in_loss_and_gradient(make):
    model, draws = make(), np.random.default_rng(0)
    batch = random_batch((40, 7, 90))
    weights = [draws.random(len(one.ids) - one.boundary).astype(np.float32) * 2 for one in batch.documents]
    weighted = Batch(
        tuple(replace(one, weights=part) for one, part in zip(batch.documents, weights, strict=True)), batch.name
    )
    total = (
        sum(
            (own_token_losses(model, one) * torch.from_numpy(part)).sum()
            for one, part in zip(batch.documents, weights, strict=True)
        )
        / batch.targets
    )
    names, parameters = zip(*model.named_parameters(), strict=True)
    wanted = dict(zip(names, torch.autograd.grad(total, parameters), strict=True))
    with FlatParameters(model) as flat:
        loss = float(choose_gradient(model, flat, dropout=False)(weighted, "float32", batch.targets))
        found = {name: weight.grad.clone() for name, weight in flat.parameters.items()}
    assert loss == pytest.approx(float(total.detach()), rel=1e-5)
    scale = max(float(one.abs().max()) for one in wanted.values())
    for name, one in wanted.items():
        assert float((found[name] - one).abs().max()) <= 1e-5 * scale, name


def own_token_losses(model, document):
    ids = torch.from_numpy(document.ids)[None]
    logits = model(input_ids=ids[:, :-1]).logits[0, document.boundary - 1 :]
    return torch.nn.functional.cross_entropy(logits, ids[0, document.boundary :], reduction="none")


def test_the_weights_of_tokens_are_one_over_their_probability_up_to_the_cut():
    p = np.random.default_rng(1).uniform(0.2, 1, 500)
    found = token_weights(np.log(p))
    np.testing.assert_allclose(found.weights_N, (1 / p) / (1 / p).mean(), rtol=1e-4)
    hard = np.append(np.log(p), [-300.0, -np.inf])
    cut = token_weights(hard, max_weight=3.0)
    assert cut.weights_N.max() == pytest.approx(3.0, rel=1e-4)
    assert cut.weights_N.mean() == pytest.approx(1.0, rel=1e-5)
    assert 0 < cut.effective < found.effective <= 1


def test_tokens_that_are_all_impossible_count_alike_and_one_alone_gets_what_it_may():
    with np.errstate(invalid="raise", divide="raise", over="raise"):
        alike = token_weights(np.full(5, -np.inf))
        assert alike.weights_N.tolist() == [1.0] * 5
        assert alike.effective == 1.0
        # Of four tokens one may weigh four times the mean, whatever the cut is.
        alone = token_weights(np.array([-0.1, -0.1, -0.1, -np.inf]), max_weight=8.0)
        np.testing.assert_allclose(alone.weights_N, [0, 0, 0, 4], atol=1e-6)
        assert token_weights(np.array([-3.0])).weights_N.tolist() == [1.0]


def test_the_weights_raise_a_lower_bound_of_the_descent():
    # Of two candidates the one with the greater weighted log-likelihood lowers the loss of a small mixture more.
    draws = np.random.default_rng(2)
    p, better, worse = draws.dirichlet(np.ones(4), size=(3, 300))[:, :, 0].clip(1e-3)
    better = np.maximum(better, p.mean() / p * 0.05)
    weights = token_weights(np.log(p), max_weight=1e6).weights_N
    assert (weights * np.log(better)).sum() > (weights * np.log(worse)).sum()

    def loss(share, q):
        return -np.log((1 - share) * p + share * q).mean()

    gains = [loss(0, q) - minimize_scalar(lambda a, q=q: loss(a, q), bounds=(0, 1), method="bounded").fun
             for q in (better, worse)]  # fmt: skip
    assert gains[0] > gains[1]


def test_boosting_ends_where_a_model_makes_no_error_or_is_no_better_than_chance():
    asked: list[np.ndarray] = []

    def boosted(*answers):
        """Models that give these answers, one after the other, whatever the weights are."""
        asked.clear()
        coming = iter(answers)

        def fit(weights):
            asked.append(weights)
            return next(coming)

        return samme(fit, lambda model: model, list("aabb"), rounds=3)

    perfect = boosted("aaba", "aabb", "bbaa")
    assert len(perfect.models) == len(asked) == 2
    assert perfect.errors == (0.25, 0.0)
    assert perfect.weights == (pytest.approx(math.log(3)), 1.0)
    # What the first model got wrong counts as much as all that it got right.
    np.testing.assert_allclose(asked[1], [1 / 6, 1 / 6, 1 / 6, 1 / 2])
    chance = boosted("aaba", "bbaa", "aabb")
    assert len(chance.models) == 1
    assert chance.vote(["aaba"]) == list("aaba")
    with pytest.raises(DataError, match="the first model is no better than chance over 2 classes"):
        boosted("abab")
    assert perfect.classes == ("a", "b")


def test_samme_is_ada_boost_of_scikit_learn():
    theirs = AdaBoostClassifier(LogisticRegression(C=0.05), n_estimators=6).fit(X, Y)
    ours = samme(
        lambda weights: LogisticRegression(C=0.05).fit(X, Y, sample_weight=weights),
        lambda model: model.predict(X).tolist(),
        Y.tolist(),
        rounds=6,
    )
    np.testing.assert_allclose(ours.errors, theirs.estimator_errors_[: len(ours.errors)], atol=1e-3)
    np.testing.assert_allclose(ours.weights, theirs.estimator_weights_[: len(ours.weights)], atol=1e-3)
    assert len(ours.models) == len(theirs.estimators_) > 2
    voted = ours.vote([model.predict(X).tolist() for model in ours.models])
    assert np.mean(np.array(voted) == theirs.predict(X)) > 0.999


def test_a_mixture_of_bagged_models_is_that_of_scikit_learn():
    theirs = BaggingClassifier(LogisticRegression(), n_estimators=4, random_state=0).fit(X, Y)
    fitted = [LogisticRegression().fit(X[places], Y[places]) for places in theirs.estimators_samples_]
    logs = [model.predict_log_proba(X) for model in fitted]
    for label in range(3):
        mixed = mixture_log_likelihoods(np.stack([one[:, label] for one in logs], axis=1), [0.25] * 4)
        np.testing.assert_allclose(np.exp(mixed), theirs.predict_proba(X)[:, label], atol=1e-3)


def test_stacking_on_predictions_out_of_fold_is_that_of_scikit_learn():
    groups = np.arange(150) // 3
    folds = list(GroupKFold(4).split(X, Y, groups))
    models = {"strong": LogisticRegression(C=0.01), "weak": LogisticRegression(C=10)}
    theirs = StackingClassifier(list(models.items()), LogisticRegression(), cv=folds).fit(X, Y)
    inputs = np.hstack([
        out_of_fold(
            lambda places, C=model.C: LogisticRegression(C=C).fit(X[places], Y[places]),
            lambda one, places: one.predict_proba(X[places]),
            group_folds(groups.tolist(), 4),
        )
        for model in models.values()
    ])  # fmt: skip
    final = LogisticRegression().fit(inputs, Y)
    whole = np.hstack([LogisticRegression(C=model.C).fit(X, Y).predict_proba(X) for model in models.values()])
    np.testing.assert_allclose(final.predict_proba(whole), theirs.predict_proba(X), atol=1e-3)


def test_boosting_that_cannot_begin_is_refused():
    with pytest.raises(DataError, match="two classes"):
        samme(lambda weights: None, lambda model: ["a"], ["a"], rounds=2)
    with pytest.raises(DataError, match="no better than chance"):
        samme(lambda weights: None, lambda model: ["b", "a"], ["a", "b"], rounds=2)
    with pytest.raises(UsageError, match="a round or more"):
        samme(lambda weights: None, lambda model: [], ["a", "b"], rounds=0)
    with pytest.raises(UsageError, match="above 1"):
        token_weights(np.zeros(3), max_weight=1.0)
    with pytest.raises(DataError, match="log-probability of each"):
        token_weights(np.array([np.nan]))


def taught(share=1.0, temperature=2.0):
    ensemble = EnsembleForCausalLM([llama(seed=5), llama(seed=6)], [0.3, 0.7]).eval()
    return Teacher(model=ensemble, digest="both", temperature=temperature, share=share)


def source_of(documents):
    file = tokens_in_memory([list(one.ids) for one in documents], vocabulary=260)
    return DocumentSource([CorpusShare(file=file)], context=128, batch_tokens=256)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_loss_of_a_student_is_the_divergence_from_the_mixture_and_the_loss_of_the_text(share):
    model, teacher = llama(), taught(share)
    documents = random_batch((30, 9)).documents
    source = source_of(documents)
    first = source.batch(0)
    divergences = []
    with torch.inference_mode():
        for one in first.documents:
            ids = torch.from_numpy(one.ids)[None, :-1]
            wanted = (teacher.model(input_ids=ids).logits / 2).softmax(-1)
            divergences.append(
                (wanted * (wanted.log() - (model(input_ids=ids).logits / 2).log_softmax(-1))).sum(-1)[
                    0, one.boundary - 1 :
                ]
            )
    expected = share * 4 * float(torch.cat(divergences).mean()) + (1 - share) * float(own_loss(model, first).detach())
    settings = TrainSettings(learning_rate=0.0, precision="float32")
    result = run_training(model, source, settings, teacher=teacher)
    assert result.curve[0].loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_weighted_tokens_count_as_often_in_the_loss_of_a_student(share):
    (document,) = random_batch((12,)).documents
    weights = np.linspace(0, 2, len(document.ids) - document.boundary, dtype=np.float32)

    def loss(weights):
        batch = Batch((replace(document, weights=weights),), "one")
        model, teacher = llama(), taught(share)
        with FlatParameters(model):
            gradient = DistilledGradient(model, factor_model(model).head, teacher)
            return float(gradient(batch, "float32", batch.targets))

    alone = [loss(np.eye(len(weights), dtype=np.float32)[place]) for place in range(len(weights))]
    assert loss(weights) == pytest.approx(float(np.dot(weights, alone)), rel=1e-4)
    assert loss(None) == pytest.approx(sum(alone), rel=1e-4)


def test_a_student_comes_near_its_teacher_and_is_resumed_with_the_same_one_alone(tmp_path):
    model, teacher = llama(), taught(temperature=1.0)
    source = source_of(random_batch((60, 60, 60, 60)).documents * 12)
    settings = TrainSettings(learning_rate=3e-3, precision="float32")
    curve = run_training(model, source, settings, teacher=teacher, folder=tmp_path).curve
    assert curve[-1].loss < 0.7 * curve[0].loss
    with pytest.raises(StoreError):
        run_training(llama(), source, settings, teacher=replace(teacher, digest="another"), folder=tmp_path)
    with pytest.raises(UsageError, match="soft already"):
        run_training(llama(), source, replace(settings, label_smoothing=0.1), teacher=teacher)
    with pytest.raises(UsageError, match="above 0"):
        taught(temperature=0)
    with pytest.raises(UsageError, match="from 0 to 1"):
        taught(share=2)
