"""The residual stream block by block: how long it is, what attention and MLP add to it, and how far it turns.

The length of what a part adds says how much it writes, not what for: that is what direct attribution and patching
tell. The first position is often an outlier, whose length is many times that of the others (Sun et al. 2024,
arXiv:2402.17762), so that medians over the positions are told.

Shapes: L positions, D width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.names import activation_names

if TYPE_CHECKING:
    from shoal.insight.hooks.parts import Parts

_ADDED = ("attention.output", "mlp.output")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReading:
    """The residual stream after one layer; all numbers are medians over the positions."""

    layer: str
    """``embedding``, or ``block N``."""

    length: float
    """Its Euclidean norm."""

    attention: float | None
    """The norm of what attention added; None of the embedding, and where there is none."""

    mlp: float | None
    turned: float | None
    """The cosine between the stream before and after the block; None of the embedding."""

    to_last: float
    """The cosine between it and the stream after the last block."""

    longest: int
    """The position at which it is longest."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def stream_readings(parts: Parts, ids_L: torch.Tensor) -> tuple[StreamReading, ...]:
    """Measure the residual stream of one text, from the embedding to the last block."""
    blocks = range(len(parts.blocks))
    known = set(activation_names(parts))
    streams = ["embedding", *(f"blocks.{number}.residual_out" for number in blocks)]
    added = [name for number in blocks for what in _ADDED if (name := f"blocks.{number}.{what}") in known]
    with capture(parts.model, [*streams, *added], keep=lambda _, value: value[0].float()) as seen:
        parts.model(ids_L[None], use_cache=False)
    last_LD = seen[streams[-1]]
    readings = []
    for place, name in enumerate(streams):
        lengths_L = seen[name].norm(dim=-1)
        attention, mlp = (
            float(seen[part].norm(dim=-1).median())
            if place and (part := f"blocks.{place - 1}.{what}") in known
            else None
            for what in _ADDED
        )
        readings.append(
            StreamReading(
                layer=name if place == 0 else f"block {place - 1}",
                length=float(lengths_L.median()),
                attention=attention,
                mlp=mlp,
                turned=_cosine(seen[streams[place - 1]], seen[name]) if place else None,
                to_last=_cosine(seen[name], last_LD),
                longest=int(lengths_L.argmax()),
            )
        )
    return tuple(readings)


def _cosine(first_LD: torch.Tensor, second_LD: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(first_LD, second_LD, dim=-1).median())
