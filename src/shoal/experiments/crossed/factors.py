"""Factors: what a level changes in the settings of a training.

A factor is a kind of this file, or any key of a training's settings by its dotted name (``training.learning_rate``,
``task.options.largest``). A new kind is one function with `factor_kind` before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Changes = dict[str, Any]
"""From dotted keys of a training's settings to values."""

FactorKind = Callable[[Any], Changes]
"""From the value of a level to what it changes; raises ValueError for a value that it cannot use."""

FACTORS: dict[str, FactorKind] = {}
"""Every kind of factor by name."""


def factor_kind(name: str) -> Callable[[FactorKind], FactorKind]:
    """Register a function as a kind of factor.

    Args:
        name: the factor's name in files.
    """

    def register(function: FactorKind) -> FactorKind:
        FACTORS[name] = function
        return function

    return register


@factor_kind("task")
def _task(value: Any) -> Changes:
    """A task by name, or a table with ``name``, ``options``, ``rows`` and a ``split`` of its own."""
    if isinstance(value, str):
        return {"task.name": value}
    if not isinstance(value, dict):
        raise ValueError("a task is a name, or a table with name, options and split")  # noqa: TRY004 - pydantic's
    table = dict(value)
    split = table.pop("split", None)
    return {f"task.{key}": entry for key, entry in table.items()} | ({} if split is None else {"split": split})


@factor_kind("split")
def _split(value: Any) -> Changes:
    """A split by name, or a table with ``name`` and ``parameters``."""
    return {"split": {"name": value} if isinstance(value, str) else value}


@factor_kind("model")
def _model(value: Any) -> Changes:
    """A model spec."""
    return {"model": value}


@factor_kind("pretraining")
def _pretraining(value: Any) -> Changes:
    """``pretrained``, or ``random`` for fresh weights of the same architecture."""
    if value not in ("pretrained", "random"):
        raise ValueError("the levels of pretraining are 'pretrained' and 'random'")
    return {"fresh_weights": value == "random"}


@factor_kind("examples")
def _examples(value: Any) -> Changes:
    """The size of the training data: how many of the seen examples."""
    return {"data.examples": value}


@factor_kind("label_noise")
def _label_noise(value: Any) -> Changes:
    """The share of training examples whose completion is that of an example with another one."""
    return {"data.label_noise": value}


@factor_kind("repeats")
def _repeats(value: Any) -> Changes:
    """The quality of the training data: the share of it that repeats other examples."""
    return {"data.repeats": value}


@factor_kind("balance")
def _balance(value: Any) -> Changes:
    """The shares of a tag's values, of word classes say: ``{ tag = "class", shares = { noun = 0.7, verb = 0.3 } }``."""
    return {"data.balance": value}


@factor_kind("augment")
def _augment(value: Any) -> Changes:
    """The augmentation of the training examples: ``none``, a method by name, or a list of methods."""
    if value == "none":
        return {"training.augment": []}
    return {"training.augment": [value] if isinstance(value, str | dict) else value}


@factor_kind("learning_rate")
def _learning_rate(value: Any) -> Changes:
    """The learning rate."""
    return {"training.learning_rate": value}


def changes_of(factor: str, value: Any) -> Changes:
    """What a level changes.

    Args:
        factor: a kind, or a dotted key.
        value: of the level.

    Raises:
        ValueError: the kind cannot use the value.
    """
    return FACTORS[factor](value) if factor in FACTORS else {factor: value}
