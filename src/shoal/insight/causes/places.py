"""Heads and neurons by the names that tables and pages give them: ``block 1 head 0``, ``block 2 neuron 17``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from shoal.errors import ModelError, UnknownNameError
from shoal.insight.hooks.parts import find_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from shoal.insight.hooks.parts import Parts

    Places = dict[Literal["head", "neuron"], list[tuple[int, int]]]

_NAME = re.compile(r"\s*block\s+(\d+)\s+(head|neuron)\s+(\d+)\s*")


def read_places(model: PreTrainedModel, names: Sequence[str]) -> Places:
    """The (block, number) of named heads and neurons, by unit, each once and in the order given.

    Raises:
        UnknownNameError: a name that the model does not have; the message names the nearest one.
        ModelError: the model has no such units.
    """
    parts = find_parts(model)
    found: Places = {}
    for name in names:
        unit, place = _place(parts, name)
        places = found.setdefault(unit, [])
        if place not in places:
            places.append(place)
    return found


def _place(parts: Parts, name: str) -> tuple[Literal["head", "neuron"], tuple[int, int]]:
    """What one name means."""
    match = _NAME.fullmatch(name)
    if match is None:
        heads = [f"block {block} head {head}" for block in range(len(parts.blocks)) for head in range(parts.heads)]
        raise UnknownNameError("head or neuron", name, [*heads, "block 0 neuron 0"])
    unit: Literal["head", "neuron"] = "head" if match[2] == "head" else "neuron"
    count = parts.heads if unit == "head" else parts.neurons
    if not count:
        raise ModelError(f"{parts.name} has no {unit}s that could be found, so none can be taken away")
    given = int(match[1]), int(match[3])
    nearest = min(given[0], len(parts.blocks) - 1), min(given[1], count - 1)
    if nearest != given:
        raise UnknownNameError(unit, name.strip(), [f"block {nearest[0]} {unit} {nearest[1]}"])
    return unit, given
