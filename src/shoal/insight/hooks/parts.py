"""The parts of a causal language model by their function: its blocks, and in each the attention and the MLP.

Architectures name the same parts differently; the few names in use are tried in turn. A part that is not found is None,
and a view that needs it raises: a recurrent model has blocks and a residual stream, but no attention.

A head or neuron is named ``block 1 head 0`` or ``block 2 neuron 17`` in tables and pages, and parsed by the same names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import nn

from shoal.errors import ModelError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    Components = dict["Unit", list[tuple[int, int]]]

Unit = Literal["head", "neuron"]

_NAME = re.compile(r"\s*block\s+(\d+)\s+(head|neuron)\s+(\d+)\s*")

# The names in use in the decoders of transformers; what each holds is the same.
_ATTENTION = ("self_attn", "attn", "attention", "self_attention")
_INNER_ATTENTION = "attention"
_PROJECTION = ("o_proj", "c_proj", "out_proj", "dense", "wo")
_MLP = ("mlp", "feed_forward")
_DOWN = ("down_proj", "c_proj", "dense_4h_to_h", "fc2", "fc_out", "w2")
_FINAL_NORM = ("norm", "ln_f", "final_layer_norm", "final_layernorm", "norm_f")
_AFTER_ATTENTION, _AFTER_MLP = "post_attention_layernorm", "post_feedforward_layernorm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBlock:
    """One layer, which reads the residual stream and adds to it."""

    module: nn.Module

    attention: nn.Module | None
    """The layer that computes queries, keys and values; None where there is none."""

    projection: nn.Module | None
    """The linear map from the concatenated heads to what attention adds."""

    mlp: nn.Module | None
    down: nn.Module | None
    """The linear map from neurons to what the MLP adds."""

    attention_norm: nn.Module | None
    """A norm between attention and the residual stream (Gemma 2); None where there is none."""

    mlp_norm: nn.Module | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What `find_parts` returns."""

    model: PreTrainedModel
    blocks: tuple[ModelBlock, ...]
    final_norm: nn.Module | None

    heads: int
    """Query heads per block; 0 without attention."""

    key_heads: int
    """Key and value heads per block; fewer than ``heads`` where queries share them."""

    neurons: int
    """Neurons per MLP; 0 where the MLP could not be taken apart."""

    @property
    def name(self) -> str:
        """The model's class."""
        return type(self.model).__name__

    @property
    def context(self) -> int | None:
        """The maximum number of tokens that the model reads; None where its configuration names none."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)


def find_parts(model: PreTrainedModel) -> Parts:
    """Find the parts of a model by the names that architectures give them.

    Raises:
        ModelError: it has no list of blocks that could be found.
    """
    config = model.config.get_text_config()
    stack, holder = _blocks(model, getattr(config, "num_hidden_layers", 0))
    blocks = tuple(_block(module) for module in stack)
    # Hybrid models have attention in some blocks only; a table of heads by block would then have holes.
    attends = all(block.projection is not None for block in blocks)
    heads = int(config.num_attention_heads) if attends else 0
    down = blocks[0].down if blocks else None
    return Parts(
        model=model,
        blocks=blocks,
        final_norm=_child(holder, _FINAL_NORM),
        heads=heads,
        key_heads=int(getattr(config, "num_key_value_heads", None) or heads) if attends else 0,
        neurons=_inputs(down) if down is not None else 0,
    )


def _blocks(model: PreTrainedModel, count: int) -> tuple[nn.ModuleList, nn.Module]:
    """The list of blocks, and the module that it stands in."""
    for holder in model.base_model.modules():
        for child in holder.children():
            # By length and not by name: it is called layers, h, blocks and more.
            if isinstance(child, nn.ModuleList) and len(child) == count:
                return child, holder
    raise ModelError(
        f"{type(model).__name__} has no list of {count} blocks that could be found; "
        "its internals cannot be shown; give a decoder of transformers"
    )


def _block(module: nn.Module) -> ModelBlock:
    attention = _child(module, _ATTENTION)
    if attention is not None:
        # GPT-Neo wraps its attention in a module that chooses between global and local.
        attention = getattr(attention, _INNER_ATTENTION, attention)
    mlp = _child(module, _MLP)
    after = _child(module, (_AFTER_MLP,))
    return ModelBlock(
        module=module,
        attention=attention,
        projection=None if attention is None else _child(attention, _PROJECTION),
        mlp=mlp,
        down=None if mlp is None else _child(mlp, _DOWN),
        # In Llama a norm of this name stands before the MLP; only with one behind the MLP is it behind attention.
        attention_norm=None if after is None else _child(module, (_AFTER_ATTENTION,)),
        mlp_norm=after,
    )


def _child(module: nn.Module, names: Sequence[str]) -> nn.Module | None:
    """The first child of one of these names."""
    children = dict(module.named_children())
    return next((children[name] for name in names if name in children), None)


def _inputs(layer: nn.Module) -> int:
    """The number of inputs of a linear layer; GPT-2 keeps its weights transposed."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    return int(weight.shape[0])


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
