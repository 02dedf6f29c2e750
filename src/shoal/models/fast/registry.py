"""Which architectures have a body of shoal's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.models.fast.gpt2 import GPT2Body
from shoal.models.fast.gpt_neo import GPTNeoBody
from shoal.models.fast.llama import LlamaBody

if TYPE_CHECKING:
    from shoal.models.fast.body import FastModel

_BODIES: dict[str, type[FastModel]] = {body.model_type: body for body in (GPT2Body, GPTNeoBody, LlamaBody)}


def body_class(model_type: str) -> type[FastModel] | None:
    """The body for the ``model_type`` of a configuration; None where there is none."""
    return _BODIES.get(model_type)
