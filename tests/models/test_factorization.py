from __future__ import annotations

import pytest
import torch

from architectures import SETTINGS, tiny_model
from shoal.errors import ModelError
from shoal.models.factorization import factor_model


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("architecture", sorted(SETTINGS))
def test_body_and_head_give_the_logits_of_the_whole(architecture):
    model = tiny_model(architecture)
    ids_BL = torch.randint(0, 300, (3, 40), generator=torch.Generator().manual_seed(1))

    factored = factor_model(model)

    assert factored.path == "factored"
    assert factored.padding == "right"
    expected = model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL)).logits
    torch.testing.assert_close(factored.head.logits(factored.hidden(ids_BL)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("architecture", "scale", "soft_cap"), [("Cohere", 0.25, None), ("Granite", 0.4, None), ("Gemma2", 1.0, 3.0)]
)
def test_the_form_of_the_head_is_found(architecture, scale, soft_cap):
    head = factor_model(tiny_model(architecture)).head

    assert (head.scale, head.soft_cap) == (pytest.approx(scale), soft_cap)


def test_the_bias_of_a_head_is_kept():
    model = tiny_model("Phi")

    assert factor_model(model).head.bias_V is model.lm_head.bias


def test_a_head_that_does_more_than_a_linear_layer_leaves_the_model_whole():
    class Shifted(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x) + 1.0

    model = tiny_model("Llama")
    model.lm_head.__class__ = Shifted

    factored = factor_model(model)

    assert factored.path == "full logits"
    with pytest.raises(ModelError, match="could not be split"):
        factored.hidden(torch.zeros(1, 2, dtype=torch.long))


def test_a_forward_that_changes_the_logits_leaves_the_model_whole():
    model = tiny_model("GPT2")
    inner = model.forward

    def forward(**inputs):
        output = inner(**inputs)
        output.logits = output.logits * 1.001
        return output

    model.forward = forward

    assert factor_model(model).path == "full logits"


def test_a_hook_on_the_model_leaves_it_whole():
    model = tiny_model("GPT2")
    model.register_forward_hook(lambda module, inputs, output: output)

    assert factor_model(model).path == "full logits"


def test_a_model_that_sees_what_follows_is_not_padded():
    model = tiny_model("Llama")
    embedding = model.model.embed_tokens
    embedding.register_forward_hook(lambda module, inputs, output: output + 0.1 * output.mean(1, keepdim=True))

    assert factor_model(model).padding == "none"


def test_the_head_follows_the_weights_when_training_replaces_them():
    model = tiny_model("Llama")
    factor_model(model)
    model.lm_head.weight = torch.nn.Parameter(torch.ones_like(model.lm_head.weight))

    assert factor_model(model).head.weight_VD is model.lm_head.weight


def test_a_hook_that_comes_later_is_noticed():
    model = tiny_model("GPT2")
    assert factor_model(model).path == "factored"

    hook = model.register_forward_hook(lambda module, inputs, output: output)

    assert factor_model(model).path == "full logits"
    hook.remove()
    assert factor_model(model).path == "factored"
