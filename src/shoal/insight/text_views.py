"""Views of one text: the attention patterns of all heads, and the residual stream by layer.

The norm of what a part adds to the residual stream shows how much it writes, not what for: direct attribution and
patching show that. The first position is often an outlier with many times the norm of the others (Sun et al. 2024,
arXiv:2402.17762), so medians over the positions are reported.

Shapes: L positions, H heads, T strongest links of a query, D width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import ModelError
from shoal.figures import HeadPattern, links_that_fit
from shoal.insight.hooks import activation_names, read_activations

if TYPE_CHECKING:
    from shoal.insight.head_types import HeadTypes
    from shoal.insight.hooks import Parts

_ADDED = ("attention.output", "mlp.output")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualReading:
    """The residual stream after one layer; all numbers are medians over the positions."""

    layer: str
    """``embedding``, or ``block N``."""

    length: float
    """Its Euclidean norm."""

    attention: float | None
    """The norm of what attention added; None for the embedding, and where there is no attention."""

    mlp: float | None
    turned: float | None
    """The cosine between the stream before and after the block; None for the embedding."""

    to_last: float
    """The cosine between it and the stream after the last block."""

    longest: int
    """The position with the largest norm."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def head_patterns(parts: Parts, ids_L: torch.Tensor, types: HeadTypes | None) -> tuple[HeadPattern, ...]:
    """Compute the attention pattern of every head of every block.

    Only the strongest links of each query are returned, and they are chosen block by block, so that memory holds the
    weights of one block at a time.

    Args:
        parts: the parts of the model.
        ids_L: the text.
        types: the types of the heads, which become notes of the patterns.

    Raises:
        ModelError: the model has no attention that could be captured.
    """
    if not parts.heads:
        raise ModelError(f"{parts.name} has no attention that could be found, so no patterns can be shown")
    links = links_that_fit(len(ids_L), len(parts.blocks) * parts.heads)

    def strongest(_: str, weights_1HLL: torch.Tensor) -> torch.Tensor:
        weights_HLT, keys_HLT = weights_1HLL[0].float().topk(links, dim=-1)
        return torch.stack([weights_HLT, keys_HLT.float()])

    weights = ["blocks.*.attention.weights"]
    seen = read_activations(parts.model, ids_L[None], weights, reduce=strongest, axis=lambda _: 2)
    # Keys are uint16 below: thousands of links go into a page, and positions end before 65,536.
    notes = {} if types is None else {(head.block, head.head): ", ".join(head.roles) for head in types.heads}
    return tuple(
        HeadPattern(
            block=block,
            head=head,
            keys_LT=links_2HLT[1, head].cpu().numpy().astype(np.uint16),
            weights_LT=links_2HLT[0, head].cpu().numpy(),
            note=notes.get((block, head), ""),
        )
        for block, links_2HLT in enumerate(seen.values())
        for head in range(parts.heads)
    )


@torch.inference_mode()
def residual_readings(parts: Parts, ids_L: torch.Tensor) -> tuple[ResidualReading, ...]:
    """Measure the residual stream of one text, from the embedding to the last block.

    Args:
        parts: the parts of the model.
        ids_L: the text.
    """
    blocks = range(len(parts.blocks))
    known = set(activation_names(parts))
    streams = ["embedding", *(f"blocks.{number}.residual_out" for number in blocks)]
    added = [name for number in blocks for what in _ADDED if (name := f"blocks.{number}.{what}") in known]
    values = read_activations(parts.model, ids_L[None], [*streams, *added])
    seen = {name: value[0].float() for name, value in values.items()}
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
            ResidualReading(
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
