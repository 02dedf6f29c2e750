"""The rotary angles of a GGUF file as the ``rope_parameters`` of a configuration of `transformers`, and the way back.

A file scales the angles by keys (``rope.scaling.*``: linear, YaRN) or by tensors that hold a divisor for each
frequency: ``rope_freqs`` (Llama 3) or a pair for short and long texts (LongRoPE).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import CorruptModelError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedConfig

    from shoal.models.gguf.file import GgufFile

_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""What every released Llama 3.1, 3.2 and 3.3 has beside its factor."""

_SHORT, _LONG, _DIVISORS = "rope_factors_short.weight", "rope_factors_long.weight", "rope_freqs.weight"


def rope_parameters(file: GgufFile, context: int, partial: float = 1.0) -> dict[str, Any]:
    """The parameters of the rotary angles.

    Args:
        file: where they are read.
        context: the longest text of the model, in tokens.
        partial: the part of each head's dimensions that turn.

    Raises:
        ModelError: the file scales the angles in a way that is not known here; the message names the key.
    """
    base: dict[str, Any] = {"rope_theta": file.number("rope.freq_base", 10000.0)}
    if partial != 1.0:
        base["partial_rotary_factor"] = partial
    file.flag("rope.scaling.finetuned", False)
    original = file.integer("rope.scaling.original_context_length", context)
    kind, factor = _kind_and_factor(file)
    names = file.tensor_names()
    if _SHORT in names or _LONG in names:
        return base | _longrope(file, kind, original)
    if _DIVISORS in names:
        if kind != "none":
            file.refuse("rope.scaling.type", kind, f"none beside the tensor {_DIVISORS}")
        return base | _by_divisors(file, base["rope_theta"], context)
    if kind == "none" or (kind == "linear" and factor == 1.0):
        return base | {"rope_type": "default"}
    if kind == "linear":
        return base | {"rope_type": "linear", "factor": factor}
    if kind == "yarn":
        return base | _yarn(file, factor, original)
    file.refuse("rope.scaling.type", kind, "none, linear, yarn, or the tensors of longrope")
    raise AssertionError


def rope_keys(config: PreTrainedConfig) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a file states of the rotary angles of a model: keys, and tensors of divisors of the frequencies.

    Raises:
        ModelError: the angles are scaled in a way that no file can state.
    """
    rotary = config.rope_parameters
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    turned = int(width * rotary.get("partial_rotary_factor", 1.0))
    keys: dict[str, Any] = {"rope.dimension_count": turned, "rope.freq_base": float(rotary["rope_theta"])}
    kind = rotary.get("rope_type", "default")
    if kind == "default":
        return keys, {}
    if kind == "linear":
        return keys | {"rope.scaling.type": "linear", "rope.scaling.factor": float(rotary["factor"])}, {}
    if kind == "yarn":
        return keys | _yarn_keys(rotary, config.max_position_embeddings), {}
    if kind == "llama3":
        if any(rotary[name] != value for name, value in _LLAMA3.items()):
            raise ModelError(f"rotary angles with {rotary} cannot be written as GGUF; known are those of Llama 3.1")
        divisors = _llama3_divisors(rotary["rope_theta"], turned // 2, rotary["factor"])
        return keys, {_DIVISORS: divisors.astype(np.float32)}
    if kind == "longrope":
        scaling = {"rope.scaling.attn_factor": _longrope_factor(rotary, config.max_position_embeddings)}
        return keys | scaling, {
            _LONG: np.asarray(rotary["long_factor"], dtype=np.float32),
            _SHORT: np.asarray(rotary["short_factor"], dtype=np.float32),
        }
    raise ModelError(
        f"rotary angles of the type {kind!r} cannot be written as GGUF; supported: default, linear, yarn, llama3, "
        "longrope"
    )


def _yarn_keys(rotary: Mapping[str, Any], context: int) -> dict[str, Any]:
    """The inverse of `_yarn`."""
    factor = float(rotary["factor"])
    keys = {
        "rope.scaling.type": "yarn",
        "rope.scaling.factor": factor,
        "rope.scaling.original_context_length": rotary.get("original_max_position_embeddings", context),
        "rope.scaling.yarn_beta_fast": float(rotary.get("beta_fast") or 32.0),
        "rope.scaling.yarn_beta_slow": float(rotary.get("beta_slow") or 1.0),
    }
    stated, over, under = (rotary.get(name) for name in ("attention_factor", "mscale", "mscale_all_dim"))
    if stated is None and over and under:  # as transformers reads the two
        stated = _usual_yarn_factor(factor, over) / _usual_yarn_factor(factor, under)
    if stated is not None:
        keys["rope.scaling.attn_factor"] = float(stated) / _usual_yarn_factor(factor)
    return keys


def _usual_yarn_factor(factor: float, scale: float = 1.0) -> float:
    """What YaRN multiplies cosines and sines by (Peng et al. 2023, section 3.4)."""
    return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0


def _longrope_factor(rotary: Mapping[str, Any], context: int) -> float:
    """What LongRoPE multiplies cosines and sines by (equation 4 of the paper's code), which a file states outright."""
    if rotary.get("attention_factor") is not None:
        return float(rotary["attention_factor"])
    factor = rotary.get("factor") or context / rotary["original_max_position_embeddings"]
    if factor <= 1.0:
        return 1.0
    return math.sqrt(1 + math.log(factor) / math.log(rotary["original_max_position_embeddings"]))


def _kind_and_factor(file: GgufFile) -> tuple[str, float]:
    """The kind of scaling and its factor; a factor without a kind is linear, as llama.cpp reads it."""
    older = file.number("rope.scale_linear", None)
    factor = file.number("rope.scaling.factor", older)
    kind = file.text("rope.scaling.type", "none" if factor in (None, 0.0) else "linear")
    if kind in ("linear", "yarn") and (factor is None or factor <= 0):
        file.refuse("rope.scaling.factor", factor, "a number above 0")
    if kind == "none" and factor not in (None, 0.0, 1.0):
        file.refuse("rope.scaling.factor", factor, "no factor where rope.scaling.type is none")
    return kind, factor or 1.0


def _yarn(file: GgufFile, factor: float, original: int) -> dict[str, Any]:
    """YaRN (Peng et al. 2023, arXiv:2309.00071)."""
    blend = file.number("rope.scaling.yarn_ext_factor", 1.0)
    if blend not in (1.0, -1.0):
        file.refuse("rope.scaling.yarn_ext_factor", blend, "1")
    log_multiplier = file.number("rope.scaling.yarn_log_multiplier", 0.0)
    if log_multiplier:
        file.refuse("rope.scaling.yarn_log_multiplier", log_multiplier, "0")
    usual = _usual_yarn_factor(factor)
    # Two keys: llama.cpp multiplies the usual factor by attn_factor, for every architecture; yarn_attn_factor is where
    # its converter writes the attention_factor of transformers, which is the whole one, and llama.cpp hardly reads it.
    relative = file.number("rope.scaling.attn_factor", None)
    stated = file.number("rope.scaling.yarn_attn_factor", usual) if relative is None else usual * relative
    return {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": original,
        "attention_factor": stated,
        "beta_fast": file.number("rope.scaling.yarn_beta_fast", 32.0),
        "beta_slow": file.number("rope.scaling.yarn_beta_slow", 1.0),
    }


def _longrope(file: GgufFile, kind: str, original: int) -> dict[str, Any]:
    """LongRoPE (Ding et al. 2024, arXiv:2402.13753): one divisor per frequency for short texts, one for long ones."""
    if kind not in ("none", "longrope"):
        file.refuse("rope.scaling.type", kind, f"longrope beside the tensor {_LONG}")
    return {
        "rope_type": "longrope",
        "short_factor": _divisors(file, _SHORT).tolist(),
        "long_factor": _divisors(file, _LONG).tolist(),
        "attention_factor": file.number("rope.scaling.attn_factor"),
        "original_max_position_embeddings": original,
    }


def _by_divisors(file: GgufFile, theta: float, context: int) -> dict[str, Any]:
    """Llama 3's scaling by its name where the divisors are those of its releases, else the divisors as they are."""
    divisors = _divisors(file, _DIVISORS)
    factor = float(divisors.max())
    if np.allclose(divisors, 1.0, rtol=1e-6):
        return {"rope_type": "default"}
    if np.allclose(divisors, _llama3_divisors(theta, len(divisors), factor), rtol=1e-5):
        return {"rope_type": "llama3", "factor": factor} | _LLAMA3
    # LongRoPE with the same divisors for short and long texts divides by just these.
    return {
        "rope_type": "longrope",
        "short_factor": divisors.tolist(),
        "long_factor": divisors.tolist(),
        "attention_factor": 1.0,
        "original_max_position_embeddings": context,
    }


def _divisors(file: GgufFile, name: str) -> np.ndarray:
    """A tensor of divisors of frequencies.

    Raises:
        CorruptModelError: it is not there, or one of them is no number above 0.
    """
    file.shape(name)
    divisors = file.tensor(name)
    if not (np.isfinite(divisors) & (divisors > 0)).all():
        raise CorruptModelError(f"the tensor {name} of {file.path} holds a divisor that is no number above 0")
    return divisors


def _llama3_divisors(theta: float, count: int, factor: float) -> np.ndarray:
    """What Llama 3.1 divides each frequency by (Grattafiori et al. 2024, arXiv:2407.21783, and its reference code).

    Waves longer than the original context over ``low_freq_factor`` are stretched by the factor, those shorter than it
    over ``high_freq_factor`` are left, and between them the two are mixed.
    """
    waves = 2 * math.pi * theta ** (np.arange(count) / count)
    low, high = _LLAMA3["low_freq_factor"], _LLAMA3["high_freq_factor"]
    mix = np.clip((_LLAMA3["original_max_position_embeddings"] / waves - low) / (high - low), 0.0, 1.0)
    return np.asarray(1.0 / ((1.0 - mix) / factor + mix))
