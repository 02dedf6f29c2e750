"""The shape of a Llama of about a number of parameters."""

from __future__ import annotations

import math

from shoal.errors import UsageError
from shoal.experiments.pretraining.tables import ModelTable

_WIDTH_PER_LAYER = 80 / 3
"""Small models of this proportion: 80 wide and 3 deep at 0.3 million parameters, 160 wide and 6 deep at 2 million."""

_HEADS = 4
# Halves of a head are rotated against each other, so that its width must be even.
_STEP = 2 * _HEADS
_MAX_LAYERS = 64


def model_of_size(parameters: int, vocabulary: int, context: int) -> ModelTable:
    """The Llama with tied embeddings that comes nearest to a number of parameters.

    Args:
        parameters: of the whole model, the embedding included.
        vocabulary: tokens that the model knows.
        context: tokens that it reads.

    Raises:
        UsageError: the embedding alone would have more.
    """
    if parameters < _count(_STEP, 1, vocabulary):
        raise UsageError(
            f"a model of {parameters:,} parameters is too small for {vocabulary:,} tokens; give at least "
            f"{_count(_STEP, 1, vocabulary):,}, or a smaller vocabulary"
        )
    found = [_shape(parameters, vocabulary, layers) for layers in range(1, _MAX_LAYERS + 1)]
    width, layers = min(found, key=lambda shape: abs(math.log(shape[0] / shape[1] / _WIDTH_PER_LAYER)))
    return ModelTable(width=width, layers=layers, heads=_HEADS, inner=_inner(width), context=context)


def _shape(parameters: int, vocabulary: int, layers: int) -> tuple[int, int]:
    """The width at which a model of so many layers comes nearest to the number of parameters."""
    # parameters = 12 layers width² + vocabulary width, norms left out
    root = math.sqrt(vocabulary**2 + 48 * layers * parameters)
    width = max(_STEP, _STEP * round((root - vocabulary) / (24 * layers) / _STEP))
    return width, layers


def _inner(width: int) -> int:
    """8/3 of the width, as Llama has it (Touvron et al. 2023, section 2.2)."""
    return 8 * round(width / 3)


def _count(width: int, layers: int, vocabulary: int) -> int:
    """Parameters of the matrices."""
    return vocabulary * width + layers * width * (4 * width + 3 * _inner(width))
