"""Streams whose changes are known: what the engine is tested and measured on.

Every generator takes the lengths of the pieces and a seed (or a NumPy ``Generator``) and returns a `Sample`: the
values and the true places. Each piece is an independent draw of a stationary ergodic process.
"""

from shoal.changes.generators.independent import bernoulli, uniform_pieces
from shoal.changes.generators.linear import autoregressive, moving_average
from shoal.changes.generators.markov import markov
from shoal.changes.generators.parity import hidden_parity
from shoal.changes.generators.rotations import BETAS, hidden_rotation, rotation
from shoal.changes.generators.sample import Sample

__all__ = [
    "BETAS",
    "Sample",
    "autoregressive",
    "bernoulli",
    "hidden_parity",
    "hidden_rotation",
    "markov",
    "moving_average",
    "rotation",
    "uniform_pieces",
]
