from __future__ import annotations

import pytest

from shoal.errors import UsageError
from shoal.models import weight_digest
from shoal.models.build import LlamaShape, build_llama

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
