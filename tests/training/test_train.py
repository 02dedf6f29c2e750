from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import CONTEXT, byte_tokenizer, gpt2, gpt_neo, llama, own_loss

from architectures import letter_tokenizer, letters
from every_architecture import small_model
from shoal.errors import DataError, ModelError, TooLongError, TrainingError, UsageError
from shoal.tasks import Example
from shoal.text.encoding import encode_pairs
from shoal.training import TrainSettings, train
from shoal.training.batches import PackedExamples

EXAMPLES = [Example(prompt=f"say {place}:", completion=f" {place % 3}" * (1 + place % 5)) for place in range(24)]
SETTINGS = TrainSettings(learning_rate=3e-3, epochs=3, batch_tokens=100, precision="float32")


def _settings(**changes):
    return replace(SETTINGS, **changes)


def _weights(model):
    return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])


@pytest.mark.parametrize("make", [llama, gpt2, gpt_neo])
def test_training_learns_the_completions(make):
    model = make()
    points = []
    done = []
    result = train(
        model,
        byte_tokenizer(),
        EXAMPLES,
        _settings(epochs=12),
        on_step=points.append,
        progress=lambda *args: done.append(args),
    )
    assert result.curve[-1].loss < 0.5 * result.curve[0].loss
    assert tuple(points) == result.curve
    assert done[-1] == ("training", result.steps, result.steps)
    assert [point.step for point in points] == list(range(1, result.steps + 1))
    assert points[-1].tokens == 12 * sum(len(example.completion) + 1 for example in EXAMPLES)
    assert not model.training
    assert result.precision == "float32"


def test_equal_settings_give_equal_bits_and_leave_the_global_generators_alone():
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    runs = []
    for seed in (1, 1, 2):
        model = gpt2()
        result = train(model, byte_tokenizer(), EXAMPLES, _settings(seed=seed, dropout=0.1))
        runs.append((_weights(model), result.curve))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not torch.equal(runs[0][0], runs[2][0])


@pytest.mark.parametrize("make", [llama, gpt2])
def test_gradients_of_micro_batches_add_up_to_that_of_the_step(make):
    settings = _settings(optimizer="sgd", learning_rate=1.0, epochs=1, batch_tokens=10**6, gradient_clip=0.0)
    models = [make() for _ in range(3)]
    start = _weights(models[0])
    curves = [
        train(model, byte_tokenizer(), EXAMPLES, replace(settings, micro_tokens=tokens)).curve
        for model, tokens in zip(models, (0, 64, 1), strict=True)
    ]
    whole = start - _weights(models[0])
    for model, curve in zip(models[1:], curves[1:], strict=True):
        assert curve[0].loss == pytest.approx(curves[0][0].loss, abs=1e-6)
        assert float((start - _weights(model) - whole).abs().max()) < 1e-5 * float(whole.abs().max())


@pytest.mark.parametrize("make", [llama, gpt2])
def test_fifty_steps_agree_with_a_plain_loop_over_the_models_own_loss(make):
    settings = _settings(epochs=17, schedule="constant", warmup=0.0, gradient_clip=0.0)
    model, twin = make(), make()
    result = train(model, byte_tokenizer(), EXAMPLES, settings)
    pairs = encode_pairs(byte_tokenizer(), [(row.prompt, row.completion, row.ends) for row in EXAMPLES])
    source = PackedExamples(pairs, settings, context=CONTEXT)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    assert result.steps >= 50
    for step, point in enumerate(result.curve[:50]):
        loss = own_loss(twin, source.batch(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert point.loss == pytest.approx(float(loss.detach()), abs=1e-4)


def test_dropout_is_set_for_the_training_alone_whatever_the_configuration_says():
    model, other = gpt2(dropout=0.4), gpt2(dropout=0.0)
    train(model, byte_tokenizer(), EXAMPLES, _settings(dropout=0.0))
    train(other, byte_tokenizer(), EXAMPLES, _settings(dropout=0.0))
    assert torch.equal(_weights(model), _weights(other))
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.4}


def test_dropout_falls_on_a_llamas_attention():
    plain, dropped = llama(), llama()
    train(plain, byte_tokenizer(), EXAMPLES, SETTINGS)
    train(dropped, byte_tokenizer(), EXAMPLES, _settings(dropout=0.3))
    assert not torch.equal(_weights(plain), _weights(dropped))
    assert dropped.model.layers[0].self_attn.attention_dropout == 0.0


def test_frozen_weights_stay():
    model = llama()
    model.model.embed_tokens.weight.requires_grad_(False)
    before = model.model.embed_tokens.weight.clone()
    norm = model.model.norm.weight.clone()
    train(model, byte_tokenizer(), EXAMPLES, SETTINGS)
    assert torch.equal(model.model.embed_tokens.weight, before)
    assert not torch.equal(model.model.norm.weight, norm)


def test_auto_takes_one_of_the_two_precisions_and_says_which():
    result = train(llama(), byte_tokenizer(), EXAMPLES, _settings(precision="auto", epochs=1))
    assert result.precision in ("float32", "bfloat16")
    frozen = train(llama(), byte_tokenizer(), EXAMPLES, _settings(precision=result.precision, epochs=1))
    assert frozen.curve == result.curve


def test_gradient_clipping_bounds_the_update():
    model, start = llama(), llama()
    clip = 1e-3
    settings = _settings(
        optimizer="sgd", learning_rate=1.0, warmup=0.0, gradient_clip=clip, batch_tokens=10**6, epochs=1
    )
    result = train(model, byte_tokenizer(), EXAMPLES, settings)
    assert result.steps == 1
    assert result.curve[0].gradient_norm > clip
    assert float((_weights(model) - _weights(start)).norm()) == pytest.approx(clip, rel=1e-2)


def test_a_loss_that_is_not_a_number_stops_and_names_step_and_batch():
    model = llama()
    with pytest.raises(TrainingError, match=r"step \d+ is nan on example \d+"):
        train(model, byte_tokenizer(), EXAMPLES, _settings(learning_rate=1e30, gradient_clip=0.0, warmup=0.0))
    broken = llama()
    with torch.no_grad():
        broken.model.embed_tokens.weight[ord("s") - ord("!")] = math.nan
    with pytest.raises(TrainingError, match="the loss of step 1 is nan on example"):
        train(broken, byte_tokenizer(), EXAMPLES, SETTINGS)


def test_unusable_examples_and_settings_are_refused_before_any_step():
    tokenizer = byte_tokenizer()
    with pytest.raises(DataError, match="no examples"):
        train(llama(), tokenizer, [], SETTINGS)
    with pytest.raises(TooLongError, match=f"example 1 has {CONTEXT + 3} tokens and the model's context is {CONTEXT}"):
        train(llama(), tokenizer, [EXAMPLES[0], Example(prompt="a:", completion="b" * CONTEXT)], SETTINGS)
    with pytest.raises(UsageError, match="batch_tokens = 0"):
        train(llama(), tokenizer, EXAMPLES, _settings(batch_tokens=0))
    with pytest.raises(UsageError, match=r"beta2 = 1.0 is out of range"):
        train(llama(), tokenizer, EXAMPLES, _settings(beta2=1.0))
    with pytest.raises(UsageError, match=r"decay = 0.97 is out of range"):
        train(llama(), tokenizer, EXAMPLES, _settings(schedule="wsd", decay=0.97))


def test_training_takes_rows_as_long_as_the_evaluation_does():
    scaling = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}
    model = small_model("llama", max_position_embeddings=8, rope_parameters=scaling)
    example = Example(prompt=letters(range(1, 15)), completion=letters([7, 9]))

    result = train(model, letter_tokenizer(120), [example], _settings(epochs=1))

    assert math.isfinite(result.curve[0].loss)


def test_rows_that_an_architecture_does_not_take_in_training_are_one_line():
    model, tokenizer = small_model("reformer"), letter_tokenizer(120)

    with pytest.raises(ModelError, match=r"cannot be trained on rows of \d+ tokens: ") as caught:
        train(
            model, tokenizer, [Example(prompt=letters(range(1, 12)), completion=letters([7, 9]))], _settings(epochs=1)
        )
    assert "\n" not in str(caught.value)
