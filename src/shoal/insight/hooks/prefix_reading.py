"""A text read so that the activations at each position are those of the prefix that ends there.

In most causal models, one pass over the text gives them: no position depends on what follows. Models with LongRoPE
(Ding et al. 2024, arXiv:2402.13753) rotate by other frequencies once the text is longer than their original context,
and those with dynamic NTK scaling by other frequencies at every length beyond it. A prediction from a short prefix then
differs from the one that a pass over the whole text shows at the same position. `shoal.models` finds at which lengths
that happens; the text is read once per range of lengths that agree, as `shoal.evaluation` scores it.

Shapes: B rows, L positions, J keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from shoal.insight.hooks.capture import capture
from shoal.models import factor_model, forget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from transformers import PreTrainedModel

    from shoal.insight.hooks.capture import Reduce


class Segment(NamedTuple):
    """Positions whose activations one pass gives: the pass over everything up to the last of them."""

    start: int
    stop: int

    forget: bool
    """Whether the model must first be made to forget the length of the last text that it read."""


def find_segments(model: PreTrainedModel, length: int) -> list[Segment]:
    """Divide the positions of a text into segments; one segment where the length plays no part.

    Args:
        model: a causal language model in evaluation mode.
        length: the number of tokens.
    """
    # Found once per model, by a handful of passes; the fast models do not look at the length.
    lengths = factor_model(model, max_length=length).lengths
    segments, start = [], 0
    while start < length:
        last = lengths.last(start + 1)
        stop = length if last is None else min(last, length)
        segments.append(Segment(start, stop, lengths.keeps_state))
        start = stop
    return segments


@torch.inference_mode()
def read_activations(
    model: PreTrainedModel,
    ids_BL: torch.Tensor,
    names: Iterable[str],
    *,
    reduce: Reduce | None = None,
    axis: Callable[[str], int] | None = None,
) -> dict[str, torch.Tensor]:
    """Capture the activations of rows of one length, each position as the prefix that ends there gives it.

    Args:
        model: a causal language model in evaluation mode.
        ids_BL: rows of token ids without padding.
        names: names or patterns of activations; keys and values of attention are not among them, since a segment has
            its own of all positions before it.
        reduce: called with (name, value), where the value has all positions of one segment and as many keys as the
            text has; its result is stored.
        axis: from a name to the axis of positions in the stored value; by default that of the activation itself.

    Returns:
        The activations by name, in the order of the pass.
    """
    length = ids_BL.shape[1]
    segments = find_segments(model, length)
    axis = _positions_axis if axis is None else axis
    found: dict[str, list[torch.Tensor]] = {}
    for segment in segments:

        def part(name: str, value: torch.Tensor, segment: Segment = segment) -> torch.Tensor:
            # The usual case must stay a plain pass: not a copy, and the same numbers to the last bit.
            value = value if len(segments) == 1 else _of_segment(name, value, segment, length)
            return value if reduce is None else reduce(name, value)

        if segment.forget:
            forget(model)
        with capture(model, names, reduce=part) as cache:
            model(ids_BL[:, : segment.stop], use_cache=False)
        for name, value in cache.items():
            found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else torch.cat(values, axis(name)) for name, values in found.items()}


@torch.inference_mode()
def read_position(
    model: PreTrainedModel, ids_L: torch.Tensor, names: Iterable[str], position: int
) -> dict[str, torch.Tensor]:
    """Capture the activations at one position of a text, as the prefix that ends there gives them.

    Args:
        model: a causal language model in evaluation mode.
        ids_L: the text.
        names: names or patterns of activations whose second axis is that of positions.
        position: the position, from 0.

    Returns:
        The activations by name, without the axes of rows and positions.
    """
    segment = next(each for each in find_segments(model, len(ids_L)) if position < each.stop)
    if segment.forget:
        forget(model)
    with capture(model, names, reduce=lambda _, value: value[0, position]) as cache:
        model(ids_L[None, : segment.stop], use_cache=False)
    return dict(cache)


def _positions_axis(name: str) -> int:
    return 2 if name.endswith((".queries", ".weights")) else 1


def _of_segment(name: str, value: torch.Tensor, segment: Segment, length: int) -> torch.Tensor:
    """The positions of a segment, and zeros for the keys behind it."""
    value = value.narrow(_positions_axis(name), segment.start, segment.stop - segment.start)
    if name.endswith(".weights"):
        value = torch.nn.functional.pad(value, (0, length - segment.stop))
    return value
