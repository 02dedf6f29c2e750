from __future__ import annotations

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.models import ModelShape, architecture_names, build_model, find_architecture, model_digest
from shoal.models.architectures.base import Architecture

SHAPE = ModelShape(vocabulary=40, width=16, layers=2, heads=2, inner=24, context=64, end_token_id=0)


def test_a_built_model_has_the_shape_that_was_asked_for() -> None:
    model = build_model("llama", SHAPE, seed=0)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.lm_head.weight is model.model.embed_tokens.weight
    attention, feed_forward, gains = 4 * 16 * 16, 3 * 16 * 24, 2 * 16
    assert sum(weight.numel() for weight in model.parameters()) == 40 * 16 + 2 * (attention + feed_forward + gains) + 16


def test_equal_seeds_give_equal_weights_and_leave_the_process_generator_alone() -> None:
    import torch

    before = torch.random.get_rng_state()
    first, second, other = (model_digest(build_model("llama", SHAPE, seed=seed)) for seed in (3, 3, 4))
    assert first == second != other
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("sizes", "message"), [({"heads": 3}, "do not divide"), ({"layers": 0}, "at least 1")])
def test_a_shape_that_cannot_be_is_refused(sizes: dict[str, int], message: str) -> None:
    given = {"vocabulary": 40, "width": 16, "layers": 2, "heads": 2, "inner": 24} | sizes
    with pytest.raises(UsageError, match=message):
        build_model("llama", ModelShape(**given), seed=0)


def test_a_gpt_neo_looks_at_all_and_at_a_window_in_turn() -> None:
    import torch

    shape = ModelShape(vocabulary=40, width=16, layers=2, heads=2, inner=32, context=24, window=4, end_token_id=0)
    model = build_model("gpt-neo", shape, seed=0)
    assert type(model).__name__ == "GPTNeoForCausalLM"
    assert model.config.attention_layers == ["global", "local"]
    attention, feed_forward, norms = 4 * 16 * 16 + 16, 2 * 16 * 32 + 32 + 16, 4 * 16
    places = 40 * 16 + 24 * 16
    assert sum(weight.numel() for weight in model.parameters()) == places + 2 * (attention + feed_forward + norms) + 32
    assert (
        model_digest(model)
        == model_digest(build_model("gpt-neo", shape, seed=0))
        != model_digest(build_model("gpt-neo", shape, seed=1))
    )
    ids = torch.arange(1, 21)[None]
    changed = ids.clone()
    changed[0, 0] = 30
    with torch.inference_mode():
        first, second = (model(input_ids=one).logits[0, -1] for one in (ids, changed))
    assert not torch.equal(first, second), "the global block carries the first token to the last place"


def test_gpt_neo_heads_divide_the_width() -> None:
    with pytest.raises(UsageError, match="3 heads do not divide a width of 16"):
        build_model("gpt-neo", ModelShape(vocabulary=40, width=16, layers=1, heads=3, inner=32), seed=0)


@pytest.mark.parametrize("name", architecture_names())
def test_every_architecture_is_built_reads_and_is_the_class_that_its_card_names(name: str) -> None:
    import torch

    shape = ModelShape(vocabulary=40, width=24, layers=2, heads=2, context=16, tied=False)
    model = build_model(name, shape, seed=0)
    kind = find_architecture(name)
    assert type(model).__name__ == kind.class_name
    assert model.config.intermediate_size == kind.default_inner(24)
    with torch.inference_mode():
        assert model(input_ids=torch.arange(16)[None]).logits.shape == (1, 16, 40)
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    spread = float(model.get_input_embeddings().weight.detach().std())
    assert 0.017 < spread < 0.023


def test_an_unknown_architecture_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown architecture 'lama'; did you mean 'llama'"):
        find_architecture("lama")


def test_a_subclass_registers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Architecture, "known", dict(Architecture.known))

    class Twin(find_architecture("llama")):  # type: ignore[misc]
        name = "twin"

    assert find_architecture("twin") is Twin
    assert "twin" in architecture_names()
