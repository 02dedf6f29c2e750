"""Fast models are the models of transformers, computed in another way."""

from __future__ import annotations

import random

import pytest
import torch

from architectures import tiny_model
from shoal.models import decode_greedily
from shoal.models.factorization import factor_model
from shoal.models.fast import fast_class, wrap
from shoal.models.fast.base import FusedLinear
from tiny_models import tiny_llama

ROUNDING = 3e-5
"""Of the largest logit: what float32 may differ by when the order of operations does."""


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def random_gpt_neo(chance):
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    kinds = chance.choice([["global", "local"], ["local"], ["global"], ["local", "local", "global"]])
    times = chance.randint(1, 2)
    heads = chance.choice([1, 2, 4])
    config = GPTNeoConfig(
        hidden_size=heads * chance.choice([4, 6, 16]),
        num_heads=heads,
        num_layers=times * len(kinds),
        attention_types=[[kinds, times]],
        window_size=chance.choice([1, 5, 64, 300]),
        intermediate_size=chance.choice([None, 20]),
        layer_norm_epsilon=chance.choice([1e-5, 1e-3]),
        tie_word_embeddings=chance.random() < 0.5,
        vocab_size=200,
        max_position_embeddings=160,
    )
    return GPTNeoForCausalLM(config)


def random_gpt2(chance):
    from transformers import GPT2Config, GPT2LMHeadModel

    heads = chance.choice([1, 2, 4])
    config = GPT2Config(
        n_embd=heads * chance.choice([4, 6, 16]),
        n_head=heads,
        n_layer=chance.randint(1, 3),
        n_inner=chance.choice([None, 20]),
        n_positions=160,
        layer_norm_epsilon=chance.choice([1e-5, 1e-3]),
        tie_word_embeddings=chance.random() < 0.5,
        vocab_size=200,
    )
    return GPT2LMHeadModel(config)


def random_llama(chance):
    from transformers import LlamaConfig, LlamaForCausalLM

    key_heads, groups = chance.choice([1, 2]), chance.choice([1, 2, 3])
    heads = key_heads * groups
    config = LlamaConfig(
        hidden_size=heads * chance.choice([4, 8]),
        intermediate_size=chance.choice([12, 40]),
        num_hidden_layers=chance.randint(1, 3),
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        head_dim=chance.choice([None, 8, 16]),
        rms_norm_eps=chance.choice([1e-6, 1e-3]),
        rope_parameters={"rope_type": "default", "rope_theta": chance.choice([100.0, 10000.0, 500000.0])},
        tie_word_embeddings=chance.random() < 0.5,
        vocab_size=200,
        max_position_embeddings=160,
    )
    return LlamaForCausalLM(config)


KINDS = {"gpt_neo": random_gpt_neo, "gpt2": random_gpt2, "llama": random_llama}


def random_model(kind, seed, dtype=torch.float32):
    """A model of a random shape, with weights so large that its logits spread."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False):
        torch.manual_seed(seed)
        model = KINDS[kind](random.Random(seed)).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(0.0, 0.3) if weight.ndim > 1 else weight.add_(torch.randn_like(weight), alpha=0.1)
    return model.to(dtype)


def random_ids(seed, rows, length):
    return torch.randint(0, 200, (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_a_body_gives_the_logits_of_the_original(kind, seed):
    model = random_model(kind, seed)
    ids_BL = random_ids(seed, 2, 1 + 31 * seed)
    expected = model(input_ids=ids_BL).logits

    found = logits_of(wrap(model), ids_BL)

    torch.testing.assert_close(found, expected, rtol=0.0, atol=ROUNDING * float(expected.abs().max()))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_in_float64_only_the_original_rounds(kind, seed):
    ids_BL = random_ids(seed, 2, 1 + 31 * seed)
    expected = random_model(kind, seed)(input_ids=ids_BL).logits.double()

    found = logits_of(wrap(random_model(kind, seed)).to(dtype=torch.float64), ids_BL)

    assert found.dtype is torch.float64
    torch.testing.assert_close(found, expected, rtol=0.0, atol=ROUNDING * float(expected.abs().max()))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_in_half_precision_a_body_is_as_near_to_the_truth_as_the_original(kind, seed):
    model = random_model(kind, seed, torch.bfloat16)
    ids_BL = random_ids(seed, 2, 1 + 31 * seed)
    body = wrap(model)
    truth = logits_of(body.to(dtype=torch.float64), ids_BL)

    def error(logits):
        return float((logits.double() - truth).square().mean().sqrt())

    found = logits_of(body, ids_BL)

    assert found.dtype is torch.bfloat16
    assert error(found) < 1.5 * error(model(input_ids=ids_BL).logits)


def logits_of(body, ids_BL):
    return body.head.logits(body.hidden(ids_BL))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_padding_on_the_right_changes_nothing(kind, seed):
    body = wrap(random_model(kind, seed))
    ids_BL = random_ids(seed, 2, 50)
    padded = torch.cat([ids_BL, random_ids(seed + 1, 2, 30)], dim=1)

    torch.testing.assert_close(body.hidden(padded)[:, :50], body.hidden(ids_BL), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("may_pad", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_continuation_is_that_of_generate(kind, may_pad, seed):
    model = random_model(kind, seed)
    chance = random.Random(seed)
    prefixes = [random_ids(place, 1, chance.randint(1, 60))[0].tolist() for place in range(7)]
    limits = [12, 1, 30, 0, 25, 7, 90]

    def generated(prefix, limit, end_id):
        if not limit:
            return []
        stops = {} if end_id is None else {"eos_token_id": end_id}
        output = model.generate(
            torch.tensor([prefix]),
            attention_mask=torch.ones(1, len(prefix), dtype=torch.long),
            do_sample=False,
            max_new_tokens=limit,
            pad_token_id=0,
            **({"eos_token_id": None} | stops),
        )
        return output[0, len(prefix) :].tolist()

    end_id = generated(prefixes[2], 10, None)[6]

    said = decode_greedily(wrap(model), prefixes, limits, end_id, may_pad=may_pad)

    assert said == [generated(*row, end_id) for row in zip(prefixes, limits, strict=True)]
    assert said[2][-1] == end_id


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_llama_sees_all_of_a_text_that_is_longer_than_its_context(dtype):
    model = random_model("llama", 1, dtype)
    model.config.max_position_embeddings = 16
    ids = random_ids(0, 2, 70)
    ids[1, :20] = ids[0, :20]
    fast = wrap(model)
    for shared in (0, 20):
        found, wanted = fast.head.logits(fast.hidden_after_prefix(shared, ids)), model(ids).logits[:, shared:]
        assert (found - wanted).abs().max() < ROUNDING * wanted.abs().max()
    prefix = ids[:1, :5]
    own = model.generate(prefix, max_new_tokens=40, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert decode_greedily(model, prefix.tolist(), [40], None) == own[:, 5:].tolist()


def test_a_body_shares_the_weights_and_names_of_the_model():
    model = tiny_llama(tied=True)

    body = wrap(model)

    assert body.weights["model.norm.weight"].data_ptr() == model.model.norm.weight.data_ptr()
    assert body.named_weights().keys() == model.state_dict().keys()
    assert body.parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_plain_is_run_by_its_body(kind):
    model = random_model(kind, 1)

    assert type(factor_model(model).fast) is fast_class(kind)


def hooked(model):
    model.model.layers[0].mlp.register_forward_hook(lambda module, inputs, output: output)


def patched(model):
    inner = model.model.layers[0].mlp.forward
    model.model.layers[0].mlp.forward = lambda x: inner(x) * 1.01


def subclassed(model):
    class Louder(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x) * 1.01

    model.model.layers[0].mlp.up_proj.__class__ = Louder


def half_of_it(model):
    model.model.norm.bfloat16()


@pytest.mark.parametrize("change", [hooked, patched, subclassed, half_of_it])
def test_a_model_that_was_changed_is_left_alone(change):
    model = tiny_llama()
    assert factor_model(model).fast is not None

    change(model)

    assert wrap(model) is None


def test_a_model_that_is_changed_later_runs_itself():
    model = tiny_llama()
    ids_BL = random_ids(0, 1, 9)
    before = factor_model(model).hidden(ids_BL)

    patched(model)
    factored = factor_model(model)

    assert factored.fast is None
    assert not torch.allclose(factored.hidden(ids_BL), before)


@pytest.mark.parametrize(
    "settings",
    [
        {"attention_bias": True},
        {"mlp_bias": True},
        {"hidden_act": "gelu"},
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
    ],
)
def test_a_llama_of_another_kind_is_left_alone(settings):
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}

    assert wrap(LlamaForCausalLM(LlamaConfig(vocab_size=60, **sizes))) is not None
    assert wrap(LlamaForCausalLM(LlamaConfig(vocab_size=60, **sizes, **settings))) is None


def test_an_architecture_without_a_body_is_left_alone():
    assert wrap(tiny_model("Gemma2")) is None


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_training_replaced_are_seen(kind):
    model = random_model(kind, 0)
    ids_BL = random_ids(0, 1, 20)
    before = factor_model(model).hidden(ids_BL)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.1)

    factored = factor_model(model)

    logits = factored.head.logits(factored.hidden(ids_BL))
    torch.testing.assert_close(logits, model(input_ids=ids_BL).logits, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(factored.hidden(ids_BL), before)


@pytest.mark.parametrize("shared", [0, 1, 7, 40, 99])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_an_opening_that_is_read_once_changes_nothing(kind, seed, shared):
    body = wrap(random_model(kind, seed))
    ids_BL = random_ids(seed, 3, 100)
    ids_BL[:, :shared] = ids_BL[0, :shared]

    found = body.hidden_after_prefix(shared, ids_BL)

    torch.testing.assert_close(found, body.hidden(ids_BL)[:, shared:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("columns", [8, 1500])
def test_a_fused_linear_multiplies_by_each_matrix(columns):
    chance = torch.Generator().manual_seed(0)
    matrices = [torch.randn(rows, columns, generator=chance) for rows in (300, 100, 100)]
    x = torch.randn(2, 5, columns, generator=chance)

    found = FusedLinear(*matrices)(x)

    torch.testing.assert_close(found, x @ torch.cat(matrices).T, rtol=1e-4, atol=1e-3)


def test_large_matrices_are_not_copied():
    matrices = [torch.zeros(600, 600), torch.zeros(600, 600)]

    fused = FusedLinear(*matrices)

    assert [part.data_ptr() for part in fused._matrices] == [part.data_ptr() for part in matrices]
