from __future__ import annotations

import pytest

from shoal.errors import UsageError
from shoal.models import weight_digest
from shoal.models.build import GptNeoShape, LlamaShape, build_gpt_neo, build_llama

SHAPE = LlamaShape(vocabulary=40, width=16, layers=2, heads=2, inner=24, context=64, end_token_id=0)


def test_a_built_model_has_the_shape_that_was_asked_for() -> None:
    model = build_llama(SHAPE, seed=0)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.lm_head.weight is model.model.embed_tokens.weight
    attention, feed_forward, gains = 4 * 16 * 16, 3 * 16 * 24, 2 * 16
    assert sum(weight.numel() for weight in model.parameters()) == 40 * 16 + 2 * (attention + feed_forward + gains) + 16


def test_equal_seeds_give_equal_weights_and_leave_the_process_generator_alone() -> None:
    import torch

    before = torch.random.get_rng_state()
    first, second, other = (weight_digest(build_llama(SHAPE, seed=seed)) for seed in (3, 3, 4))
    assert first == second != other
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("sizes", "message"), [({"heads": 3}, "do not divide"), ({"layers": 0}, "at least 1")])
def test_a_shape_that_cannot_be_is_refused(sizes: dict[str, int], message: str) -> None:
    given = {"vocabulary": 40, "width": 16, "layers": 2, "heads": 2, "inner": 24} | sizes
    with pytest.raises(UsageError, match=message):
        build_llama(LlamaShape(**given), seed=0)


def test_a_gpt_neo_looks_at_all_and_at_a_window_in_turn() -> None:
    import torch

    shape = GptNeoShape(vocabulary=40, width=16, layers=2, heads=2, inner=32, context=24, window=4, end_token_id=0)
    model = build_gpt_neo(shape, seed=0)
    assert type(model).__name__ == "GPTNeoForCausalLM"
    assert model.config.attention_layers == ["global", "local"]
    attention, feed_forward, norms = 4 * 16 * 16 + 16, 2 * 16 * 32 + 32 + 16, 4 * 16
    places = 40 * 16 + 24 * 16
    assert sum(weight.numel() for weight in model.parameters()) == places + 2 * (attention + feed_forward + norms) + 32
    assert (
        weight_digest(model)
        == weight_digest(build_gpt_neo(shape, seed=0))
        != weight_digest(build_gpt_neo(shape, seed=1))
    )
    ids = torch.arange(1, 21)[None]
    changed = ids.clone()
    changed[0, 0] = 30
    with torch.inference_mode():
        first, second = (model(input_ids=one).logits[0, -1] for one in (ids, changed))
    assert not torch.equal(first, second), "the global block carries the first token to the last place"


def test_gpt_neo_heads_divide_the_width() -> None:
    with pytest.raises(UsageError, match="3 heads do not divide a width of 16"):
        build_gpt_neo(GptNeoShape(vocabulary=40, width=16, layers=1, heads=3, inner=32), seed=0)
