"""When a head takes its role, found again in series and in checkpoints where it is known."""

import numpy as np
import pytest
import torch
from planted import HEAD, TOKENS, attention_model, neuron_model

from architectures import letter_tokenizer, letters
from shoal.errors import DataError
from shoal.insight import (
    checkpoint_folders,
    find_head_types,
    head_history,
    head_types_over_training,
    neurons_over_training,
)
from shoal.insight.head_scores import HEAD_TYPES
from shoal.models import save_model

STEPS = [100 * place for place in range(40)]
TAKES = 23


@pytest.fixture(scope="module")
def planted_roles():
    return find_head_types(attention_model())


def series(level_before, level_after, place=TAKES, seed=0):
    """Scores of 2 blocks, 2 heads in every role: noise, but for two heads that jump."""
    draws = np.random.default_rng(seed)
    scores = draws.normal(0.03, 0.01, (40, 2, 2, len(HEAD_TYPES)))
    for block, role in ((0, "previous token"), (1, "induction")):
        part = scores[:, block, 0, HEAD_TYPES.index(role)]
        part[:] = np.where(np.arange(40) < place, level_before, level_after) + draws.normal(0, 0.02, 40)
    return scores


def test_a_head_that_jumps_is_placed_by_both_ways(planted_roles):
    history = head_history(STEPS, series(0.03, 0.9), planted_roles)
    assert {(each.block, each.head, each.role) for each in history.moments} == {
        (0, 0, "previous token"),
        (1, 0, "induction"),
    }
    for each in history.moments:
        assert each.rise.change_step == each.rise.threshold_step == STEPS[TAKES]
        assert each.rise.change_low <= STEPS[TAKES] <= each.rise.change_high
        assert each.rise.p_value < 0.05
    assert any("by change point step 2300" in line for line in str(history).splitlines())


def test_a_head_that_never_changes_has_no_change_point_and_its_threshold_from_the_start(planted_roles):
    history = head_history(STEPS, series(0.9, 0.9), planted_roles)
    assert all(each.rise.change_step is None for each in history.moments)
    assert all(each.rise.threshold_step == 0 for each in history.moments)


def test_a_head_that_loses_its_role_is_not_said_to_take_it(planted_roles):
    history = head_history(STEPS, series(0.9, 0.03), planted_roles)
    assert all(each.rise.change_step is None and each.rise.threshold_step is None for each in history.moments)


def test_checkpoints_of_a_training_show_when_the_planted_head_appears(tmp_path):
    """The induction head is put in at the eighth of fourteen checkpoints; the head below it is always there."""
    tokenizer = letter_tokenizer(TOKENS)
    for place in range(14):
        model = attention_model()
        with torch.no_grad():
            model.transformer.h[1].attn.c_attn.weight[:, :HEAD] *= float(place >= 7)
        save_model(model, tokenizer, tmp_path / f"checkpoint-{50 * place}")
    history = head_types_over_training(tmp_path)
    moments = {(each.block, each.head): each for each in history.moments}
    assert moments[1, 0].rise.threshold_step == 350
    assert moments[1, 0].rise.change_step == 350
    assert moments[0, 0].rise.threshold_step == 0
    assert history.steps == tuple(range(0, 700, 50))


def test_checkpoints_show_when_the_planted_neuron_begins_to_fire_on_its_class(tmp_path):
    """Its weights on the class are put in at the ninth of fourteen checkpoints."""
    tokenizer, draws = letter_tokenizer(TOKENS), np.random.default_rng(0)
    texts = [letters(draws.integers(1, TOKENS, 30).tolist()) for _ in range(30)]
    for place in range(14):
        model = neuron_model(range(3, 8))
        with torch.no_grad():
            model.transformer.h[0].mlp.c_fc.weight[:, 5] *= float(place >= 8)
        save_model(model, tokenizer, tmp_path / f"checkpoint-{50 * place}")
    history = neurons_over_training(tmp_path, texts)
    (found,) = [each for each in history.moments if (each.block, each.neuron) == (0, 5)]
    assert set("".join(found.tokens)) == set(letters(range(3, 8)))
    assert found.rise.threshold_step == found.rise.change_step == 400
    assert max(found.scores[:8]) < found.threshold < min(found.scores[8:])
    assert any("neuron 5" in line and "step 400" in line for line in str(history).splitlines())


def test_folders_without_steps_are_no_checkpoints(tmp_path):
    for name in ("step20", "checkpoint-3", "best", "a/b-100"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
    assert [step for step, _ in checkpoint_folders(tmp_path)] == [3, 20, 100]
    (tmp_path / "x-20").mkdir()
    (tmp_path / "x-20" / "config.json").write_text("{}")
    with pytest.raises(DataError, match="two checkpoints of step 20"):
        checkpoint_folders(tmp_path)
    with pytest.raises(DataError, match="holds 0 checkpoints"):
        checkpoint_folders(tmp_path / "best" / "none")
