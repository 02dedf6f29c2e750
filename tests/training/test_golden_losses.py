"""Losses of small trainings are those that were written down, so that a change of the arithmetic is seen.

The files in ``losses/`` hold 30 steps of each training. After a change that is meant to change the numbers, write them
again and look at the difference before committing it::

    pytest tests/training/test_golden_losses.py --write-losses

Another processor or number of threads sums in another order, and 30 steps of training let the rounding of float32
(6e-8) grow about a hundredfold; so the curves must agree to 1e-5 of each loss. A wrong gradient, schedule or order of
the data moves them by 1e-3 or more.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_models import gpt_neo, llama

from shoal.training import Callbacks, CorpusShare, DocumentSource, TrainSettings, run_training, tokens_in_memory

FOLDER = Path(__file__).parent / "losses"
TOLERANCE = 1e-5
STEPS = 30
RATE = 1e-2
MODELS = {"llama": llama, "gpt-neo": gpt_neo}


def _documents():
    """Short and long documents in which the next token is the one after, nine times in ten."""
    rng = np.random.default_rng(20)
    for length in rng.integers(4, 90, 120):
        ids = [0, int(rng.integers(1, 30))]
        while len(ids) < length:
            ids.append(int(ids[-1] % 30 + 1 if rng.random() < 0.9 else rng.integers(1, 30)))
        yield ids


def losses_of(model, optimizer, packing, learning_rate=RATE):
    """The losses of 30 steps.

    Args:
        model: the name of an architecture.
        optimizer: its name.
        packing: ``packed``: documents fill each step, read whole; ``padded``: in micro-batches of few documents, cut
            at a context of 24 tokens.
        learning_rate: at its peak.
    """
    padded = packing == "padded"
    source = DocumentSource(
        [CorpusShare(file=tokens_in_memory(_documents(), vocabulary=250), passes=6)],
        context=24 if padded else 100,
        batch_tokens=400,
        seed=7,
        bare=0.5,
    )
    settings = TrainSettings(
        learning_rate=learning_rate,
        optimizer=optimizer,
        micro_tokens=120 if padded else 0,
        weight_decay=0.1,
        schedule="wsd",
        precision="float32",
        seed=7,
    )
    points = []
    run_training(MODELS[model](), _First(source), settings, callbacks=Callbacks(on_step=points.append))
    return [point.loss for point in points]


class _First:
    """The first steps of a source."""

    def __init__(self, source):
        self.steps, self.digest, self.batch = STEPS, source.digest, source.batch


@pytest.mark.parametrize("packing", ["packed", "padded"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_losses_are_those_that_were_written_down(model, optimizer, packing, request):
    file = FOLDER / f"{model}-{optimizer}-{packing}.json"
    losses = losses_of(model, optimizer, packing)
    if request.config.getoption("--write-losses"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(json.dumps(losses, indent=1) + "\n")
    expected = json.loads(file.read_text())
    assert len(losses) == STEPS
    assert losses[-1] < 0.8 * losses[0]
    np.testing.assert_allclose(losses, expected, rtol=TOLERANCE)


def test_a_learning_rate_that_is_a_thousandth_larger_would_be_seen():
    expected = json.loads((FOLDER / "llama-adamw-packed.json").read_text())
    other = losses_of("llama", "adamw", "packed", learning_rate=RATE * 1.001)
    assert np.abs(np.divide(other, expected) - 1).max() > 3 * TOLERANCE
