"""The names of activations, and the patterns that choose among them.

Shapes: B rows, L positions, J keys, D width of the residual stream, H query heads, G key heads, K width of a head,
F neurons, V vocabulary.

| name | shape | what |
|---|---|---|
| `embedding` | B × L × D | the residual stream before the first block |
| `blocks.N.residual_in` | B × L × D | the residual stream as block N reads it |
| `blocks.N.attention.queries` | B × H × L × K | after rotation |
| `blocks.N.attention.keys` | B × G × J × K | after rotation |
| `blocks.N.attention.values` | B × G × J × K | |
| `blocks.N.attention.weights` | B × H × L × J | each row sums to 1 |
| `blocks.N.attention.heads` | B × L × H × K | what each head read, before the output projection |
| `blocks.N.attention.output` | B × L × D | what attention adds to the residual stream |
| `blocks.N.mlp.neurons` | B × L × F | after the activation function, and the gate where there is one |
| `blocks.N.mlp.output` | B × L × D | what the MLP adds |
| `blocks.N.residual_out` | B × L × D | the residual stream after block N |
| `final_norm` | B × L × D | as the unembedding reads it |
| `logits` | B × L × V | |
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from shoal.errors import ModelError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.insight.hooks.parts import Parts

BY_INTERFACE = ("queries", "keys", "values", "weights")
"""What only the attention function itself sees."""

_ATTENTION = tuple(f"attention.{name}" for name in (*BY_INTERFACE, "heads", "output"))
_MLP_OUTPUT, _NEURONS = "mlp.output", "mlp.neurons"
_OF_A_BLOCK = ("residual_in", *_ATTENTION, _NEURONS, _MLP_OUTPUT, "residual_out")
_BLOCK = re.compile(r"blocks\.(\d+)(\..*)?")


def activation_names(parts: Parts) -> tuple[str, ...]:
    """Every name that this model has, from the first to the last."""
    names = ["embedding"]
    for number, block in enumerate(parts.blocks):
        lacking = {
            *(_ATTENTION if block.projection is None else ()),
            *((_NEURONS,) if block.down is None else ()),
            *((_MLP_OUTPUT,) if block.mlp is None else ()),
        }
        names += [f"blocks.{number}.{name}" for name in _OF_A_BLOCK if name not in lacking]
    names += ["final_norm"] if parts.final_norm is not None else []
    return (*names, "logits")


def match_names(parts: Parts, patterns: Iterable[str]) -> tuple[str, ...]:
    """The names that patterns choose, each once, from the first to the last.

    ``*`` stands for any run of characters between two dots, and a pattern takes all that lies below it:
    ``blocks.*.attention`` is everything of every attention.

    Raises:
        UnknownNameError: a pattern chooses nothing; with the nearest name.
        UsageError: a block that the model does not have.
        ModelError: a name that other architectures have and this one has not.
    """
    names = activation_names(parts)
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if _matches(name, pattern)]
        if not found:
            raise _nothing(parts, pattern, names)
        chosen.update(found)
    return tuple(name for name in names if name in chosen)


def _matches(name: str, pattern: str) -> bool:
    words, wanted = name.split("."), pattern.split(".")
    return len(wanted) <= len(words) and all(map(fnmatchcase, words, wanted))


def _nothing(parts: Parts, pattern: str, names: tuple[str, ...]) -> Exception:
    """The fault of a pattern that chooses nothing."""
    block = _BLOCK.fullmatch(pattern)
    if block is not None and int(block[1]) >= len(parts.blocks):
        return UsageError(
            f"{pattern!r} asks for block {block[1]}, and {parts.name} has {len(parts.blocks)} blocks, "
            f"0 to {len(parts.blocks) - 1}"
        )
    known = [f"blocks.0.{name}" for name in _OF_A_BLOCK]
    if any(_matches(name, re.sub(r"^blocks\.[^.]*", "blocks.0", pattern)) for name in known):
        what = pattern.rsplit(".", 1)[-1]
        return ModelError(f"{parts.name} has no {what} that could be found; its names: {_brief(names)}")
    return UnknownNameError("activation", pattern, names)


def _brief(names: tuple[str, ...]) -> str:
    """The names with the block's number left open."""
    return ", ".join(dict.fromkeys(re.sub(r"^blocks\.\d+", "blocks.N", name) for name in names))
