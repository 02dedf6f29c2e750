"""The experiment that a studio is tried with: two arms of a model that comes with shoal, hardly anything to learn."""

from __future__ import annotations

_TOY = """\
name = "{name}"
hypothesis = "Given weights beat fresh ones."
treatment = "given"
baseline = "fresh"
seeds = 2
device = "cpu"
[task]
name = "counting"
options = {{ largest = {largest} }}
[split]
name = "last-digit"
[arms]
given = "bundled:searches"
fresh = "random:bundled:searches"
[training]
batch_tokens = 32
precision = "float32"
{training}
[measure]
primary = "agreed_prefix"
smallest_effect = 0.1
[controls]
shuffled_weights = false
"""


def toy_experiment(name: str, *, largest: int, **training: float) -> str:
    """The file of a toy experiment of two seeds.

    Args:
        name: of the experiment.
        largest: number that the task counts up to.
        training: further keys of the table ``[training]``; without a learning rate it is tuned.
    """
    lines = "\n".join(f"{key} = {value}" for key, value in training.items())
    return _TOY.format(name=name, largest=largest, training=lines)
