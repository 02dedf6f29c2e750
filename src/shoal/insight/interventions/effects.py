"""The effects of interventions: the names of the components that they are effects of, intervals, and significance.

A head or neuron is named ``block 1 head 0`` or ``block 2 neuron 17`` in tables and pages, and parsed by the same names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import ModelError, UnknownNameError
from shoal.insight.hooks import find_parts
from shoal.statistics import enough_units, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from transformers import PreTrainedModel

    from shoal.insight.hooks import Parts

    Components = dict["Unit", list[tuple[int, int]]]

Unit = Literal["head", "neuron"]

_NAME = re.compile(r"\s*block\s+(\d+)\s+(head|neuron)\s+(\d+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentEffect:
    """An effect with its bootstrap interval; the units that are resampled are pairs or items."""

    low: float | None
    """None where there are too few units for an interval, five or fewer at 95%."""

    high: float | None

    @property
    def significant(self) -> bool | None:
        """Whether the interval excludes 0; None where there is none."""
        return excludes_zero(self.low, self.high)

    def interval(self) -> str:
        """The interval in brackets, marked where it holds 0; empty where there is none."""
        return bracketed(self.low, self.high) + ("" if self.significant is not False else " (not significant)")


def excludes_zero(low: float | None, high: float | None) -> bool | None:
    """Whether an interval excludes 0; None where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    return None if low is None or high is None else not low <= 0 <= high


def bracketed(low: float | None, high: float | None) -> str:
    """Format an interval in brackets, with a space before it; empty where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    return "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"


def describe_intervals(units: int, confidence: float, name: str) -> str:
    """Say what the brackets are, or why there are none.

    Args:
        units: the number of units that are resampled.
        confidence: level of the intervals.
        name: of the units, in the plural.
    """
    if enough_units(units, confidence):
        return f"In brackets {100 * confidence:g}% bootstrap intervals over the {name}."
    return f"{units} {name} are too few for {100 * confidence:g}% intervals."


def interval_or_none(
    resampled_R: npt.NDArray[np.float64], units: int, confidence: float
) -> tuple[Any, Any] | tuple[None, None]:
    """The percentile interval of a statistic; (None, None) where it was resampled over too few units.

    Args:
        resampled_R: the statistic of each resample, resamples along the first axis.
        units: the number of units that were resampled.
        confidence: level of the interval.
    """
    return percentile_interval(resampled_R, confidence) if enough_units(units, confidence) else (None, None)


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
        heads = [
            component_name(block, "head", head) for block in range(len(parts.blocks)) for head in range(parts.heads)
        ]
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
