"""What is checked before a model is loaded: its files, and the configuration from which it is built.

A file must be there, be no pickle and need no code of its own; building a model may take minutes or all of the memory.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError, UnsafeModelError
from shoal.models.transformers_io import causal_class, quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedConfig, PreTrainedModel

    Shapes = Mapping[str, tuple[int, ...]]


PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")

_ADVICE = "use one with safetensors, or, where you trust it, convert it with transformers' save_pretrained"


def refuse_pickle(path: Path) -> None:
    """Raise where a file is a pickle or an archive that may hold one, whatever its name is.

    Raises:
        UnsafeModelError: with what to do.
    """
    with path.open("rb") as file:
        # A tar archive has its mark at byte 257.
        head = file.read(512)
    # torch.save writes a zip today, and wrote a tar or a bare pickle before.
    is_archive = head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"
    if is_archive or _starts_like_pickle(head):
        raise UnsafeModelError(f"{path} is a pickle, which can run any code when it is opened; {_ADVICE}")


def refuse_pickled_weights(folder: Path, pickles: Sequence[Path]) -> None:
    """Raise for a folder whose only weights are pickles.

    Args:
        folder: named in the error message.
        pickles: the files, of which three are named.

    Raises:
        UnsafeModelError: with what to do.
    """
    names = ", ".join(sorted(path.name for path in pickles)[:3])
    raise UnsafeModelError(f"{folder} has its weights only as pickles ({names}), which can run any code; {_ADVICE}")


def refuse_own_code(path: Path) -> None:
    """Raise for a configuration whose class is Python code that lies beside it.

    Raises:
        UnsafeModelError: with what to do.
    """
    raise UnsafeModelError(
        f"{path} needs Python code of the model's own (auto_map), which shoal never runs; "
        "use a model whose architecture transformers brings"
    )


def _starts_like_pickle(head: bytes) -> bool:
    """Whether a pickle of protocol 2 or later begins here: 0x80, the protocol, an opcode.

    The length that opens a safetensors file may begin so as well, but its ninth byte is a brace; a llama2.c header
    may, but its third byte is zero.
    """
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[2] != 0 and head[8:9] != b"{"


def check_file(path: Path) -> None:
    """Raise where a path is no file, or a pickle.

    Raises:
        ModelError: there is no such file; the message names the nearest.
        UnsafeModelError: it is a pickle, whatever its name is.
    """
    if not path.is_file():
        raise ModelError(f"there is no file {path}; {nearest_path(path)}")
    refuse_pickle(path)


def nearest_path(path: Path) -> str:
    """A hint for a path that does not exist: the nearest name beside it."""
    parent = path.parent
    while not parent.is_dir():
        path, parent = parent, parent.parent
    names = sorted(entry.name for entry in parent.iterdir())
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f"did you mean {parent / near[0]}?" if near else f"nothing in {parent} has a name like {path.name!r}"


_SIZES = frozenset(
    {
        "vocab_size", "hidden_size", "n_embd", "num_hidden_layers", "n_layer", "num_layers", "num_attention_heads",
        "n_head", "num_heads", "num_key_value_heads", "intermediate_size", "n_inner", "head_dim", "window_size",
        "sliding_window", "max_position_embeddings", "n_positions",
    }
)  # fmt: skip
# Far above any model; beyond it even a model without memory takes minutes to lay out.
_MAX_LAYERS = 10_000
# The first number between dots in the name of a weight is its layer, whatever an architecture calls it.
_LAYER = re.compile(r"\.(\d+)\.")


def check_values(config: PreTrainedConfig, where: str) -> None:
    """Raise for a number that no model can have. Kinds of values are checked by `transformers`.

    Args:
        config: of the model.
        where: names it in the error message.

    Raises:
        ModelError: with the key, its value and what was expected.
    """
    values = _text_part(config, where).to_dict()
    rope = values.get("rope_parameters")
    for key, value in {**values, **(rope if isinstance(rope, dict) else {})}.items():
        expected = _expected(key, value)
        if expected:
            raise ModelError(f"{where} has {key} = {value!r}; expected {expected}")


def _text_part(config: PreTrainedConfig, where: str) -> PreTrainedConfig:
    """The configuration of the language model, which in models of several kinds of input is a part of the whole."""
    try:
        # Both are called, since either may fail where a configuration names parts of the wrong kind.
        parts = [config.get_text_config(decoder=decoder) for decoder in (True, False)]
    except Exception as error:  # a configuration may be wrong in any way
        raise ModelError(f"{where} cannot be used: {in_one_line(error)}") from error
    for part in parts:
        if not hasattr(part, "to_dict"):
            raise ModelError(
                f"{where} has a part for text (text_config or decoder) that is {part!r}; expected none in a "
                f"model of the type {config.model_type!r}"
            )
    return parts[1]


def _expected(key: str, value: Any) -> str:
    """What a key's value should be; empty where it is."""
    # A bool is an int in Python; None and names are checked by transformers.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if key in _SIZES and value < 1:
        return "a size of at least 1"
    if key.endswith(("eps", "epsilon")) and not 0 < value < math.inf:
        return "a number above 0"
    if key.endswith(("dropout", "pdrop")) and not 0 <= value <= 1:
        return "a share between 0 and 1"
    if key in ("rope_theta", "factor") and not 0 < value < math.inf:
        return "a number above 0"
    if key in ("num_hidden_layers", "n_layer", "num_layers") and value > _MAX_LAYERS:
        return f"at most {_MAX_LAYERS:,} layers"
    return ""


def held_shapes(paths: list[Path]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of safetensors files, from their headers alone.

    Raises:
        UnsafeModelError: a file is a pickle.
        CorruptModelError: a file is cut short or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for path in paths:
        refuse_pickle(path)
        try:
            with safe_open(path, framework="pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)
        except (SafetensorError, OSError) as error:
            raise CorruptModelError(f"{path} is not a whole safetensors file: {in_one_line(error)}") from error
    return shapes


def check_layers(config: PreTrainedConfig, shapes: Shapes, where: str) -> None:
    """Raise where a configuration has more layers than the weights.

    Args:
        config: of the model.
        shapes: of the weights that are there, by name.
        where: names the model in the error message.

    Raises:
        CorruptModelError: with both numbers.
    """
    stated = getattr(config.get_text_config(), "num_hidden_layers", None)
    numbers = {int(number) for name in shapes for number in _LAYER.findall(name)[:1]}
    if isinstance(stated, int) and numbers and stated > max(numbers) + 1:
        raise CorruptModelError(
            f"the weights of {where} are not those of its config.json: it has {stated:,} layers, and the weights "
            f"are of {max(numbers) + 1:,}"
        )


def check_shapes(config: PreTrainedConfig, shapes: Shapes, where: str) -> None:
    """Raise where the model of a configuration has weights of other shapes than those that are there.

    The model is laid out without memory for its weights.

    Args:
        config: of the model.
        shapes: of the weights that are there, by name.
        where: names the model in the error message.

    Raises:
        CorruptModelError: with the first name and both shapes, or the two numbers of weights.
        ModelError: the architecture cannot be built.
    """
    # Names that are missing or unknown are left to `build_model`, which knows how transformers renames old ones.
    empty = empty_model(config, where)
    for name, weight in empty.state_dict().items():
        held = shapes.get(name)
        if held is not None and held != tuple(weight.shape):
            raise CorruptModelError(
                f"the weights of {where} are not those of its config.json: it misfits {name}, which is "
                f"{_times(held)} in the weights and {_times(tuple(weight.shape))} by config.json"
            )
    asked, there = sum(weight.numel() for weight in empty.parameters()), sum(map(math.prod, shapes.values()))
    # Quantized weights are packed, several to a number.
    if asked > 2 * there and getattr(config, "quantization_config", None) is None:
        raise CorruptModelError(
            f"the weights of {where} are not those of its config.json: it has {asked:,} weights, and "
            f"{there:,} are there"
        )


def check_memory(config: PreTrainedConfig, where: str) -> None:
    """Raise where fresh float32 weights would not fit into the memory of this machine.

    Args:
        config: of the model.
        where: names it in the error message.

    Raises:
        ModelError: with both sizes.
    """
    needed = 4 * sum(weight.numel() for weight in empty_model(config, where).parameters())
    # Windows has no sysconf; there the allocation itself must fail.
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    if needed > memory:
        raise ModelError(
            f"{where} needs weights of {needed / 1e9:,.1f} GB, and this machine has {memory / 1e9:,.1f} GB of memory"
        )


def empty_model(config: PreTrainedConfig, where: str) -> PreTrainedModel:
    """The model of a configuration on the meta device: all names and shapes, and no memory.

    Args:
        config: of the model.
        where: names it in the error message.

    Raises:
        ModelError: the architecture cannot be built.
    """
    import torch

    model_class = causal_class(config, where)
    try:
        with quiet(), torch.device("meta"):
            return model_class(config)
    except Exception as error:  # a configuration may be wrong in any way
        raise ModelError(f"{where} cannot be built: {in_one_line(error)}") from error


def check_runs(model: PreTrainedModel, where: str) -> None:
    """Raise where a model of a configuration that looks right cannot read two tokens.

    Args:
        model: on the CPU; its mode is restored.
        where: names it in the error message.

    Raises:
        ModelError: with what went wrong.
    """
    import torch

    mode = model.training
    try:
        with quiet(), torch.no_grad():
            model.eval()(torch.zeros(1, 2, dtype=torch.long))
    except Exception as error:  # a configuration may be wrong in any way
        raise ModelError(
            f"the model of {where} cannot read a text: {in_one_line(error)}; look at its config.json"
        ) from error
    finally:
        model.train(mode)


def _times(shape: tuple[int, ...]) -> str:
    return " by ".join(map(str, shape)) or "a number"
