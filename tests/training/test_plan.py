"""What a training says of itself beforehand is what it does."""

import pytest

from shoal.models import load_model
from shoal.tasks import Example
from shoal.training import TrainSettings, plan_training, train

ROWS = [Example(prompt=f"Tim had {number} dogs.", completion=" He was glad.") for number in range(1, 8)]


@pytest.mark.parametrize(("epochs", "batch_tokens"), [(2.0, 64), (0.5, 16), (9.0, 2048)])
def test_the_plan_is_what_the_training_does(epochs: float, batch_tokens: int) -> None:
    loaded = load_model("bundled:searches")
    settings = TrainSettings(epochs=epochs, batch_tokens=batch_tokens, precision="float32")
    plan = plan_training(loaded.model, loaded.tokenizer, ROWS, settings)
    result = train(loaded.model, loaded.tokenizer, ROWS, settings)
    assert plan.steps == result.steps
    assert plan.rows == 7
    assert result.curve[-1].tokens == pytest.approx(plan.completion_tokens * epochs, rel=0.2)
    assert plan.rows_per_step * plan.steps == pytest.approx(7 * epochs)
    assert ("a smaller --batch-tokens" in plan.line()) == (plan.steps < epochs)
