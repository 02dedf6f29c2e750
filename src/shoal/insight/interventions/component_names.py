"""The names of heads and neurons in tables and pages: ``block 1 head 0``, ``block 2 neuron 17``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from shoal.errors import ModelError, UnknownNameError
from shoal.insight.hooks import find_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from shoal.insight.hooks import Parts

    Components = dict["Unit", list[tuple[int, int]]]

Unit = Literal["head", "neuron"]

_NAME = re.compile(r"\s*block\s+(\d+)\s+(head|neuron)\s+(\d+)\s*")


def component_name(block: int, unit: str, index: int) -> str:
    """The name of a head or neuron.

    Args:
        block: number of the block.
        unit: ``head`` or ``neuron``.
        index: number of the head or neuron in its block.
    """
    return f"block {block} {unit} {index}"


def parse_components(model: PreTrainedModel, names: Sequence[str]) -> Components:
    """Parse names into (block, index) by unit, each once and in the order given.

    Args:
        model: the model whose components are named.
        names: such as ``block 2 neuron 17``.

    Raises:
        UnknownNameError: a name that the model does not have; the message names the nearest one.
        ModelError: the model has no such units.
    """
    parts = find_parts(model)
    found: Components = {}
    for name in names:
        unit, component = _parse(parts, name)
        components = found.setdefault(unit, [])
        if component not in components:
            components.append(component)
    return found


def _parse(parts: Parts, name: str) -> tuple[Unit, tuple[int, int]]:
    match = _NAME.fullmatch(name)
    if match is None:
        heads = [component_name(block, "head", head) for block in range(len(parts.blocks)) for head in range(parts.heads)]
        raise UnknownNameError("head or neuron", name, [*heads, component_name(0, "neuron", 0)])
    unit: Unit = "head" if match[2] == "head" else "neuron"
    count = parts.heads if unit == "head" else parts.neurons
    if not count:
        raise ModelError(f"{parts.name} has no {unit}s that could be found, so none can be ablated")
    given = int(match[1]), int(match[3])
    nearest = min(given[0], len(parts.blocks) - 1), min(given[1], count - 1)
    if nearest != given:
        raise UnknownNameError(unit, name.strip(), [component_name(nearest[0], unit, nearest[1])])
    return unit, given
