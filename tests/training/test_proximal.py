from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import byte_tokenizer, llama

from shoal.errors import UsageError
from shoal.tasks import Example
from shoal.training import TrainSettings, add_elastic_net, train

sklearn_linear = pytest.importorskip("sklearn.linear_model")

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
SETTINGS = TrainSettings(learning_rate=3e-3, epochs=3, batch_tokens=100, precision="float32")


def _regression(features=7, rows=60):
    """Three features matter, the others do not; columns of unlike scales, so that a metric has something to do."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(rows, features)) * np.linspace(0.7, 1.6, features)
    y = x[:, :3] @ [2.0, -1.0, 0.6] + 0.5 + 0.3 * rng.normal(size=rows)
    return x, y


def _fitted(x, y, loss, optimizer, *, l1, l2, steps):
    """A linear layer after full-batch steps, with a falling learning rate for Adam; its weights and bias."""
    layer = torch.nn.Linear(x.shape[1], 1, dtype=torch.float64)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(np.asarray(y, dtype=np.float64))
    kind, rate = optimizer
    stepper = kind(layer.parameters(), lr=rate)
    add_elastic_net(stepper, l1=l1, l2=l2)
    for step in range(steps):
        if kind is not torch.optim.SGD:
            stepper.param_groups[0]["lr"] = rate * (1 - step / steps)
        stepper.zero_grad()
        loss(layer(inputs)[:, 0], targets).backward()
        stepper.step()
    return layer.weight.detach().numpy()[0], float(layer.bias.detach())


def _half_squares(found, targets):
    return 0.5 * (found - targets).square().mean()


SGD, ADAM = (torch.optim.SGD, 0.3), (torch.optim.Adam, 0.1)


@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.2), (0.1, 0.2)], ids=["lasso", "ridge", "elastic net"])
def test_a_linear_regression_is_that_of_scikit_learn(l1, l2, optimizer):
    x, y = _regression()
    if not l1:
        expected = sklearn_linear.Ridge(alpha=len(x) * l2, tol=1e-10).fit(x, y)
    elif not l2:
        expected = sklearn_linear.Lasso(alpha=l1, tol=1e-10).fit(x, y)
    else:
        expected = sklearn_linear.ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), tol=1e-10).fit(x, y)
    weights, bias = _fitted(x, y, _half_squares, optimizer, l1=l1, l2=l2, steps=400)
    np.testing.assert_allclose(weights, expected.coef_, atol=1e-3)
    assert bias == pytest.approx(expected.intercept_, abs=1e-3)
    # Exactly the same weights are exactly 0.
    np.testing.assert_array_equal(weights == 0.0, expected.coef_ == 0.0)
    assert (weights == 0.0).any() == bool(l1)


@pytest.mark.parametrize(("l1", "l2"), [(0.02, 0.0), (0.0, 0.05), (0.02, 0.05)], ids=["l1", "l2", "elastic net"])
def test_a_logistic_regression_is_that_of_scikit_learn(l1, l2):
    x, y = _regression(rows=120)
    labels = (y > 0.5).astype(float)
    expected = sklearn_linear.LogisticRegression(
        solver="saga", C=1 / (len(x) * (l1 + l2)), l1_ratio=l1 / (l1 + l2), tol=1e-9, max_iter=10_000
    ).fit(x, labels)
    weights, bias = _fitted(
        x, labels, torch.nn.functional.binary_cross_entropy_with_logits, (_adamw, 0.2), l1=l1, l2=l2, steps=500
    )
    np.testing.assert_allclose(weights, expected.coef_[0], atol=1e-3)
    assert bias == pytest.approx(expected.intercept_[0], abs=1e-3)
    np.testing.assert_array_equal(weights == 0.0, expected.coef_[0] == 0.0)


def _adamw(parameters, lr):
    return torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0)


def test_weight_decay_of_sgd_is_the_l2_of_the_objective():
    x, y = _regression()
    by_step = _fitted(x, y, _half_squares, SGD, l1=0.1, l2=0.2, steps=400)
    by_gradient = _fitted(
        x, y, _half_squares, (lambda given, lr: torch.optim.SGD(_decayed(given), lr=lr), 0.3), l1=0.1, l2=0.0, steps=400
    )
    np.testing.assert_allclose(by_gradient[0], by_step[0], atol=1e-4)


def _decayed(parameters):
    weight, bias = parameters
    return [{"params": [weight], "weight_decay": 0.2}, {"params": [bias], "weight_decay": 0.0}]


def test_one_step_is_the_proximal_point_in_the_metric_of_the_step():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(5, 4, dtype=torch.float64))
    twin = torch.nn.Parameter(weight.detach().clone())
    gradients = [torch.randn(5, 4, dtype=torch.float64) for _ in range(3)]
    rate, l1, l2, eps = 0.1, 0.7, 0.4, 1e-8
    plain = torch.optim.Adam([twin], lr=rate, eps=eps)
    proximal = torch.optim.Adam([weight], lr=rate, eps=eps)
    handle = add_elastic_net(proximal, l1=l1, l2=l2)
    for gradient in gradients:
        with torch.no_grad():
            twin.copy_(weight)
        twin.grad, weight.grad = gradient.clone(), gradient.clone()
        plain.step()
        proximal.step()
        # The minimiser of l1 |u| + l2/2 u² + d (u - v)² / (2 rate) by a fine grid of its subgradient's sign change.
        squares = proximal.state[weight]["exp_avg_sq"] / (1 - 0.999 ** float(proximal.state[weight]["step"]))
        d, v, u = squares.sqrt() + eps, twin.detach(), weight.detach()
        slope = l2 * u + d * (u - v) / rate
        at_zero = u == 0
        assert torch.all((slope[~at_zero] + l1 * u[~at_zero].sign()).abs() < 1e-9)
        assert torch.all(slope[at_zero].abs() <= l1 + 1e-9)
    assert bool((weight == 0).any())
    assert bool((weight != 0).any())
    handle.remove()
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    proximal.param_groups[0]["lr"] = 0.0
    proximal.step()
    assert torch.equal(weight.detach(), before)


def test_what_is_unusable_is_refused():
    layer = torch.nn.Linear(2, 1)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    with pytest.raises(UsageError, match=r"l1 = -1.0 is out of range; expected ≥ 0"):
        add_elastic_net(sgd, l1=-1.0)
    with pytest.raises(UsageError, match="l2 = nan is out of range"):
        add_elastic_net(sgd, l2=float("nan"))
    with pytest.raises(UsageError, match="Adagrad has no metric"):
        add_elastic_net(torch.optim.Adagrad(layer.parameters()), l1=0.1)
    with pytest.raises(UsageError, match="none of the optimizer's"):
        add_elastic_net(sgd, l1=0.1, parameters=[torch.zeros(2, 2)])
    with pytest.raises(UsageError, match=r"optimizer = 'muon'.*take adamw, adam or sgd"):
        TrainSettings(optimizer="muon", l1=0.1)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_a_training_with_l1_has_exact_zeros_in_its_blocks_alone(optimizer):
    model, plain = llama(), llama()
    settings = replace(SETTINGS, optimizer=optimizer, epochs=1, l1=3e-4 if optimizer != "sgd" else 0.1)
    train(model, byte_tokenizer(), EXAMPLES, settings)
    train(plain, byte_tokenizer(), EXAMPLES, replace(settings, l1=0.0))
    shares = {
        name: float((weight == 0).float().mean()) for name, weight in model.named_parameters() if weight.ndim == 2
    }
    assert shares.pop("model.embed_tokens.weight") == 0.0
    assert all(share > 0.0 for share in shares.values()), shares
    assert min(shares.values()) < 0.9
    assert not any(bool((weight == 0).any()) for weight in plain.parameters())


def test_l2_shrinks_the_blocks_and_weight_decay_the_embeddings_too():
    plain, ridge, decayed = llama(), llama(), llama()
    train(plain, byte_tokenizer(), EXAMPLES, SETTINGS)
    train(ridge, byte_tokenizer(), EXAMPLES, replace(SETTINGS, l2=0.5))
    train(decayed, byte_tokenizer(), EXAMPLES, replace(SETTINGS, weight_decay=30.0))

    def size(model, part):
        return float(sum(weight.detach().norm() for name, weight in model.named_parameters() if part in name))

    assert size(ridge, "mlp") < 0.9 * size(plain, "mlp")
    assert size(decayed, "mlp") < 0.9 * size(plain, "mlp")
    assert size(decayed, "embed") < 0.9 * size(plain, "embed")
    assert size(ridge, "embed") > 0.97 * size(plain, "embed")
