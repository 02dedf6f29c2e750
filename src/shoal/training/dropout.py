"""Dropout as a setting of the training, whatever the model's configuration has.

Architectures hold it in many ways: as modules, as numbers that a functional dropout reads from its module, as numbers
that are read from the configuration in each forward pass, and as the share of layers that are skipped. All of them are
set by their names, and that they were is proved: without dropout passes in training mode give the same numbers again
and again, with it they do not.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules.dropout import _DropoutNd

from shoal.errors import ModelError, UsageError
from shoal.models import context_of, logits_of_all, same_numbers, spread_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

_PASSES = 4
_TOKENS = 64
_PLAIN = 0.5
"""A share that no pass can hide, for the proof that dropout arrives."""

_WORDS = ("drop", "jitter")
_ZERO = ("layerdrop", "layer_drop", "drop_path", "jitter")
"""What skips whole layers or adds noise is no dropout of inputs, and is never used."""


@contextmanager
def dropout_set_to(model: PreTrainedModel, share: float) -> Iterator[None]:
    """Within it every dropout of the model drops ``share`` of its inputs; afterwards they are as before.

    Args:
        model: its modules and its configuration are changed for the time.
        share: between 0 and 1; 0 turns all dropout off.

    Raises:
        UsageError: dropout is above 0 for an architecture that has none.
        ModelError: the model draws random numbers in training whatever its dropout is.
    """
    with ExitStack() as stack:
        # First everything off, so that what is still random is known not to be dropout.
        stack.enter_context(_set(list(model.modules()), 0.0))
        if _is_random(model):
            # Only now, since the configuration may be saved with the model while it learns.
            stack.enter_context(_set(_configurations(model), 0.0))
            if _is_random(model):
                raise ModelError(
                    f"{type(model).__name__} ({model.config.model_type}) is random in training with every dropout at "
                    "0, so that its loss cannot be trusted and no training can be done again; train another "
                    "architecture"
                )
        if share:
            stack.enter_context(_dropping(model, share))
        yield


@contextmanager
def _dropping(model: PreTrainedModel, share: float) -> Iterator[None]:
    """The share set wherever it arrives: in the modules, or else in the configurations."""
    for places in (list(model.modules()), _configurations(model)):
        with _set(places, _PLAIN):
            arrives = _is_random(model)
        if arrives:
            with _set(places, share):
                yield
            return
    raise UsageError(f"dropout = {share}, but {type(model).__name__} has no dropout; set it to 0")


@contextmanager
def _set(owners: list[Any], share: float) -> Iterator[None]:
    """Every dropout that these modules or configurations hold, set to a share."""
    before = [(owner, name, value) for owner in owners for name, value in list(_dropouts(owner))]
    for owner, name, _ in before:
        setattr(owner, name, 0.0 if any(word in name for word in _ZERO) else share)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _dropouts(owner: Any) -> Iterator[tuple[str, float]]:
    """Names and values of the dropouts that a module or a configuration holds itself."""
    for name, value in vars(owner).items():
        is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        # The modules of torch hold theirs as ``p``; everywhere else a name of one letter would be a guess.
        named = name == "p" if isinstance(owner, _DropoutNd) else any(word in name.lower() for word in _WORDS)
        if is_share and named:
            yield name, value


def _configurations(model: PreTrainedModel) -> list[Any]:
    """The configurations that modules of the model can read."""
    # By identity: configurations have no hash, and all modules of a model usually share one.
    found = {
        id(config): config for module in model.modules() if (config := getattr(module, "config", None)) is not None
    }
    return list(found.values())


def _is_random(model: PreTrainedModel) -> bool:
    """Whether passes in training mode over the same few tokens differ."""
    # Module by module, since a caller may have put a part of the model into evaluation mode.
    training = [module for module in model.modules() if module.training]
    devices = [model.device] if model.device.type == "cuda" else []
    ids_BL = spread_ids(model, min(_TOKENS, context_of(model) or _TOKENS))[None]
    try:
        model.train()
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            passes = []
            for seed in range(_PASSES):
                torch.manual_seed(seed)
                passes.append(logits_of_all(model, ids_BL))
    finally:
        model.eval()
        for module in training:
            module.training = True
    return not all(same_numbers(again, passes[0]) for again in passes[1:])
