"""A body around the weights of a living model of `transformers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.models.fast.registry import body_class

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from shoal.models.fast.body import FastModel


def adopt(model: PreTrainedModel) -> FastModel | None:
    """A body that shares the model's weights as they are now; None where the model is not plainly its architecture.

    A model with modules of other classes, hooks, forwards of their own or weights in several dtypes is left alone. The
    body is for one use: weights that training replaces, and those that were joined, do not follow.
    """
    body = body_class(model.config.model_type)
    if body is None or not all(_is_plain(module, body.modules) for module in model.modules()):
        return None
    settings = {key: getattr(model.config, key, default) for key, default in body.defaults.items()}
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    if not body.fits(settings) or not body.takes(settings, weights):
        return None
    return body(settings, weights)


def _is_plain(module: torch.nn.Module, known: frozenset[str]) -> bool:
    """Whether a module is just what its class says."""
    own = {"forward", "_attn"} & vars(module).keys()
    hooks = (module._forward_hooks, module._forward_pre_hooks)
    return type(module).__name__ in known and not own and not any(hooks)
