"""Whatever happens within a block, no hook and no replaced function is left, and what is captured is what was asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from architectures import tiny_model
from shoal.errors import ModelError, UnknownNameError, UsageError
from shoal.insight import activation_names, capture, edit, find_parts, read_activations
from shoal.insight.hooks import match_names
from shoal.models import context_of, hooks_present

IDS = torch.randint(1, 300, (2, 20), generator=torch.Generator().manual_seed(0))
ARCHITECTURES = ["GPTNeo", "GPT2", "Llama", "Gemma2"]


def traces(model: torch.nn.Module) -> list[object]:
    """Every hook and replaced function that could be left."""
    hooks = [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]
    own = [name for module in model.modules() for name in ("_attn", "forward") if name in vars(module)]
    return [*hooks, *own, *ALL_ATTENTION_FUNCTIONS._local_mapping]


@torch.no_grad()
def forward(model: torch.nn.Module) -> torch.Tensor:
    return model(IDS, use_cache=False).logits


@pytest.fixture(autouse=True)
def _registers_are_left_alone() -> Iterator[None]:
    before = dict(ALL_ATTENTION_FUNCTIONS._local_mapping)
    yield
    assert dict(ALL_ATTENTION_FUNCTIONS._local_mapping) == before


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_error_in_a_reduction_leaves_nothing(architecture: str) -> None:
    model = tiny_model(architecture)
    plain = forward(model)

    def fail(_: str, __: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    for names in (["blocks.0.mlp.output"], ["blocks.1.attention.weights"], ["*"]):
        with pytest.raises(ZeroDivisionError), capture(model, names, reduce=fail):
            forward(model)
        assert traces(model) == []
    assert torch.equal(forward(model), plain)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_error_in_an_edit_leaves_nothing(architecture: str) -> None:
    model = tiny_model(architecture)
    plain = forward(model)

    def fail(_: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), edit(model, {"blocks.1.attention.heads": fail}):
        forward(model)
    assert traces(model) == []
    assert torch.equal(forward(model), plain)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_name_that_fails_after_others_were_hooked_leaves_nothing(architecture: str) -> None:
    model = tiny_model(architecture)
    with pytest.raises(UnknownNameError), capture(model, ["blocks.0.mlp.output", "blocks.0.mlp.outputs"]):
        pass
    with (
        pytest.raises(UsageError, match="only captured"),
        edit(model, {"blocks.0.mlp.output": torch.zeros_like, "blocks.0.attention.weights": torch.zeros_like}),
    ):
        pass
    assert traces(model) == []


def test_a_model_that_fails_in_its_pass_leaves_nothing() -> None:
    model = tiny_model("GPT2")
    with pytest.raises(IndexError), capture(model, ["*"]):
        model(torch.tensor([[1, 2, 10_000]]), use_cache=False)
    assert traces(model) == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_captures_may_stand_within_each_other(architecture: str) -> None:
    model = tiny_model(architecture)
    names = ["blocks.*.attention.weights", "blocks.1.residual_out"]
    with capture(model, names) as alone:
        forward(model)
    with capture(model, names) as outer:
        with capture(model, names) as inner:
            forward(model)
        assert all(torch.equal(inner[name], alone[name]) for name in alone)
    assert all(torch.equal(outer[name], alone[name]) for name in alone)
    assert traces(model) == []


def test_an_attention_function_that_was_registered_before_is_put_back() -> None:
    model = tiny_model("Llama")
    kernel = model.config._attn_implementation
    original = ALL_ATTENTION_FUNCTIONS[kernel]
    calls = []

    def counting(*args, **kwargs):
        calls.append(1)
        return original(*args, **kwargs)

    ALL_ATTENTION_FUNCTIONS[kernel] = counting
    try:
        with capture(model, ["blocks.0.attention.weights"]):
            forward(model)
        assert ALL_ATTENTION_FUNCTIONS[kernel] is counting
        assert len(calls) == 2  # a model of two blocks, each of which calls what was registered
    finally:
        del ALL_ATTENTION_FUNCTIONS[kernel]


def test_another_model_is_not_captured() -> None:
    one, other = tiny_model("Llama"), tiny_model("Llama", seed=1)
    with capture(one, ["blocks.0.attention.weights", "logits"]) as cache:
        forward(other)
        assert len(cache) == 0
        forward(one)
    assert len(cache) == 2


def test_a_cache_holds_the_last_pass_in_the_order_of_the_pass() -> None:
    model = tiny_model("GPT2")
    with capture(model, ["logits", "embedding", "blocks.1.mlp.output"]) as cache:
        model(IDS[:, :5], use_cache=False)
        first = cache["logits"]
        model(IDS[:1], use_cache=False)
    assert list(cache) == ["embedding", "blocks.1.mlp.output", "logits"]
    assert cache["logits"].shape[:2] == (1, 20)
    assert first.shape[:2] == (2, 5)


def test_what_was_not_captured_says_why() -> None:
    model = tiny_model("GPT2")
    with capture(model, ["logits"]) as cache:
        with pytest.raises(UsageError, match="run the model inside the with block"):
            cache["logits"]
        with pytest.raises(UnknownNameError, match="did you mean 'logits'"):
            cache["logit"]
        assert "logits" not in list(cache)


def test_values_are_detached_unless_gradients_are_wanted() -> None:
    model = tiny_model("GPT2")
    with capture(model, ["blocks.0.mlp.output"]) as cache:
        model(IDS, use_cache=False)
    assert not cache["blocks.0.mlp.output"].requires_grad
    with capture(model, ["blocks.0.mlp.output"], gradients=True) as cache:
        model(IDS, use_cache=False)
    assert cache["blocks.0.mlp.output"].requires_grad


def test_two_patterns_for_one_activation_are_refused() -> None:
    with (
        pytest.raises(UsageError, match="matched by two patterns"),
        edit(tiny_model("GPT2"), {"blocks.*.mlp.output": torch.zeros_like, "blocks.1": torch.zeros_like}),
    ):
        pass


@pytest.mark.parametrize(
    ("pattern", "count"), [("*", 22), ("blocks.*", 20), ("blocks.0.attention", 6), ("blocks.*.mlp", 4), ("*_norm", 1)]
)
def test_a_pattern_matches_all_that_is_below_it(pattern: str, count: int) -> None:
    parts = find_parts(tiny_model("GPT2"))
    found = match_names(parts, [pattern])
    every = activation_names(parts)
    assert set(found) <= set(every)
    assert len(found) == count + (1 if pattern == "*" else 0)
    assert list(found) == [name for name in every if name in found]


def test_a_model_without_blocks_is_refused() -> None:
    model = tiny_model("GPT2")
    model.config.n_layer = 7
    with pytest.raises(ModelError, match="no list of 7 blocks"):
        find_parts(model)


def test_reading_activations_leaves_nothing_and_changes_nothing() -> None:
    model = tiny_model("Llama")
    plain = forward(model)
    found = read_activations(model, IDS, ["blocks.*.attention.weights", "logits"])
    assert torch.equal(found["logits"], plain)
    assert traces(model) == []
    assert not hooks_present(model)
    assert find_parts(model).context == context_of(model) == 96
