"""Memory and time of a generation, estimated from a model's configuration before any weight is read.

A token reads every weight and every key and value once, so that its time is their bytes divided by the rate at which
this machine multiplies a matrix by a vector in the same number format, which is measured within a tenth of a second.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError, UnknownNameError, UsageError
from shoal.models.checks import empty_model
from shoal.models.generation.decoder import CHUNK
from shoal.models.load import DTYPES, find_source
from shoal.models.spec import ModelSpec, parse_spec

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig

_PROBE_SIDE = 4096
"""Rows and columns of the matrix of the probe: 64 MiB in float32, more than a cache holds."""
_PROBE_SECONDS = 0.1
_USUAL_CONTEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationEstimate:
    """What it takes to load a model and to continue some rows."""

    model: str

    dtype: str

    parameters: int

    rows: int
    """Rows that are continued at a time."""

    context: int
    """Positions of each row."""

    weight_bytes: int

    cache_bytes_per_token: int
    """Keys and values of one position of one row, in all layers."""

    activation_bytes: int
    """What a chunk of a prompt and the logits of all rows take for a moment."""

    available_bytes: int | None
    """Memory that is free; None where that is not known."""

    bytes_per_second: float
    """Measured: the bytes of a matrix that are multiplied by a vector in a second."""

    @property
    def cache_bytes(self) -> int:
        """Keys and values of all rows in full length."""
        return self.cache_bytes_per_token * self.rows * self.context

    @property
    def total_bytes(self) -> int:
        """Everything together."""
        return self.weight_bytes + self.cache_bytes + self.activation_bytes

    @property
    def fits(self) -> bool:
        """Whether everything fits into the memory that is free, as far as that is known."""
        return self.available_bytes is None or self.total_bytes <= self.available_bytes

    @property
    def tokens_per_second(self) -> float:
        """Of one row in the middle of its context, bound by the reading of weights, keys and values."""
        return self.bytes_per_second / (self.weight_bytes + self.cache_bytes_per_token * self.context / 2)

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON has them."""
        return asdict(self) | {
            "cache_bytes": self.cache_bytes,
            "total_bytes": self.total_bytes,
            "fits": self.fits,
            "tokens_per_second": self.tokens_per_second,
        }

    def __str__(self) -> str:
        rows = "one row" if self.rows == 1 else f"{self.rows} rows"
        free = "" if self.available_bytes is None else f" of {_size(self.available_bytes)} that are free"
        return (
            f"{self.model} has {self.parameters:,} parameters. In {self.dtype} it takes {_size(self.weight_bytes)} for "
            f"the weights, {_size(self.cache_bytes)} for keys and values ({rows} of {self.context:,} tokens) and "
            f"{_size(self.activation_bytes)} for activations: {_size(self.total_bytes)}{free}. At the measured "
            f"{self.bytes_per_second / 1e9:.1f} GB/s a row gets about {self.tokens_per_second:.2g} tokens per second."
        )


def estimate_generation(
    spec: str | ModelSpec,
    *,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    rows: int = 1,
    context: int | None = None,
) -> GenerationEstimate:
    """Estimate memory and speed from the configuration alone.

    Args:
        spec: a model spec; of a GGUF file only the header is read.
        dtype: of the weights.
        device: where the model would run.
        rows: rows that are continued at a time.
        context: positions of each row; None: those that the model states, up to 4,096.

    Raises:
        UsageError: there is no such dtype, or the rows or the context are less than 1.
        ShoalError: the configuration cannot be read; see `load_model`.
    """
    import torch

    if dtype not in DTYPES:
        raise UnknownNameError("dtype", dtype, DTYPES)
    for name, value in (("rows", rows), ("context", context)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; give a whole number above 0")
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    config = _config(parsed)
    text = config.get_text_config(decoder=True)
    empty = empty_model(config, parsed.text)
    kind: torch.dtype = getattr(torch, dtype)
    parameters = sum(weight.numel() for weight in empty.parameters())
    # XLNet has -1 there, and no limit.
    stated = max(0, getattr(text, "max_position_embeddings", None) or 0) or _USUAL_CONTEXT
    place = torch.device(device)
    return GenerationEstimate(
        model=parsed.text,
        dtype=dtype,
        parameters=parameters,
        rows=rows,
        context=min(stated, _USUAL_CONTEXT) if context is None else context,
        weight_bytes=parameters * kind.itemsize,
        cache_bytes_per_token=_cache_elements(text) * kind.itemsize,
        activation_bytes=_activation_elements(text) * CHUNK * kind.itemsize + 8 * rows * text.vocab_size,
        available_bytes=free_memory(place),
        bytes_per_second=measure_bandwidth(kind, place),
    )


def check_fits(estimate: GenerationEstimate) -> None:
    """Raise where a model does not fit.

    Args:
        estimate: of the model.

    Raises:
        ModelError: with all figures.
    """
    if not estimate.fits:
        raise ModelError(
            f"{estimate} That does not fit; give a smaller model, a narrower --dtype, fewer rows or a shorter --context"
        )


def free_memory(device: torch.device) -> int | None:
    """The bytes that can be allocated on a device; None where the system does not say."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    limits = [limit for limit in (_available(), _limit_of_group()) if limit is not None]
    return min(limits, default=None)


def measure_bandwidth(dtype: torch.dtype, device: torch.device) -> float:
    """The bytes of a matrix that a product with a vector reads in a second: the best of what fits into a tenth of it.

    Args:
        dtype: of both.
        device: where they lie.
    """
    import torch

    matrix = torch.ones(_PROBE_SIDE, _PROBE_SIDE, dtype=dtype, device=device)
    vector = torch.ones(1, _PROBE_SIDE, dtype=dtype, device=device)
    best, begun = math.inf, time.perf_counter()
    with torch.inference_mode():
        while best == math.inf or time.perf_counter() - begun < _PROBE_SECONDS:
            started = time.perf_counter()
            # The sum is fetched, so that a device that works behind our back is waited for.
            float(torch.nn.functional.linear(vector, matrix).sum())
            best = min(best, time.perf_counter() - started)
    return _PROBE_SIDE**2 * dtype.itemsize / best


def _config(spec: ModelSpec) -> PreTrainedConfig:
    """The configuration; of a GGUF file by its header, since its source would convert all of it."""
    if spec.kind != "gguf":
        return find_source(spec).config()
    from shoal.models.gguf.config import gguf_config
    from shoal.models.gguf.file import GgufFile
    from shoal.models.gguf.source import check_gguf

    path = Path(spec.name).expanduser()
    check_gguf(path)
    return gguf_config(GgufFile.read(path))


def _cache_elements(config: Any) -> int:
    """Numbers that a position adds to the keys and values of all layers; none where states of one size are kept."""
    return sum(map(_cache_elements_of_layer, _layers(config)))


def _layers(config: Any) -> list[Any]:
    """The configuration of each layer: some architectures have layers of several kinds."""
    # Older releases of transformers have one configuration for all layers.
    layers = getattr(config, "per_layer_config", None)
    return [config] * int(config.num_hidden_layers) if layers is None else list(layers)


def _cache_elements_of_layer(config: Any) -> int:
    heads = getattr(config, "num_attention_heads", None)
    if heads is None:
        return 0
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return 2 * int(getattr(config, "num_key_value_heads", None) or heads) * int(width)


def _activation_elements(config: Any) -> int:
    """Numbers per position that exist at a time within a layer: the residual, its norm, and the widest products."""
    sizes = [getattr(layer, "intermediate_size", None) for layer in _layers(config)]
    # Some architectures state a list of all layers' sizes.
    inner = max(
        (max(size) if isinstance(size, list) else size for size in sizes if size), default=4 * config.hidden_size
    )
    return 6 * int(config.hidden_size) + 3 * int(inner)


def _available() -> int | None:
    """Memory of the machine that programs can have, as Linux states it; elsewhere all there is."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        names = ("SC_PAGE_SIZE", "SC_PHYS_PAGES")
        return math.prod(map(os.sysconf, names)) if hasattr(os, "sysconf") else None


def _limit_of_group() -> int | None:
    """What the control group of this process, a container's, may still take."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit, used = ((folder / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        return None if limit == "max" else max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return None


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
