"""From a model spec to a model that is ready to be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.models.checks import check_tokenizer
from shoal.models.digest import weight_digest
from shoal.models.dummy import DummySource
from shoal.models.folder import FolderSource, holds_tokenizer_alone, read_tokenizer
from shoal.models.gguf import GgufSource
from shoal.models.hub import hub_folder
from shoal.models.llama2c import Llama2cSource
from shoal.models.loaded import LoadedModel
from shoal.models.random_weights import RandomSource
from shoal.models.spec import ModelSpec, bundled_folder, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from transformers import PreTrainedTokenizerFast

    from shoal.models.source import Source

_SPEAKER = "bundled:searches"
"""Whose tokenizer a dummy speaks with."""

DTYPES = ("float32", "bfloat16", "float16", "float64")


def load_model(
    spec: str | ModelSpec,
    *,
    device: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
    answers: Sequence[tuple[str, str, bool]] = (),
) -> LoadedModel:
    """Load the model that a spec names, in evaluation mode.

    Weights come from safetensors, GGUF or llama2.c files alone; a pickle is refused, and so is a model's own code.

    Args:
        spec: a model spec; see `shoal.models.spec`.
        device: ``"auto"`` is CUDA where there is one, else the CPU; or what torch calls a device.
        dtype: ``float32``, ``bfloat16``, ``float16`` or ``float64``.
        seed: draws the weights of a ``random:`` spec, and what a dummy decides by chance.
        answers: (prompt, completion, ends) of what a dummy is going to be asked; other models know without.

    Raises:
        UsageError: the spec, the device or the dtype cannot be used (UnknownNameError: with the nearest name).
        UnavailableError: a hub id that is neither cached nor reachable.
        UnsafeModelError: a pickle, or a model that brings code of its own.
        CorruptModelError: files that are cut short, weights that are missing, unknown or not finite.
        ModelError: anything else that keeps the model from being used.
        MissingExtraError: a GGUF file without the extra that reads it.
    """
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    if dtype not in DTYPES:
        raise UnknownNameError("dtype", dtype, DTYPES)
    import torch

    place = find_device(device)
    source = find_source(parsed, seed, answers)
    model = source.model(getattr(torch, dtype))
    tokenizer = source.tokenizer()
    check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, source.origin)
    digest = weight_digest(model)
    return LoadedModel(
        spec=parsed.text,
        model=model.to(place).eval(),
        tokenizer=tokenizer,
        digest=digest,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        origin=source.origin,
    )


def load_tokenizer(spec: str | ModelSpec) -> PreTrainedTokenizerFast:
    """The tokenizer alone of the model that a spec names, without its weights; or that of a folder without a model.

    Raises:
        ShoalError: as `load_model` does.
    """
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    if parsed.kind == "folder" and holds_tokenizer_alone(folder := Path(parsed.name).expanduser()):
        return read_tokenizer(folder)
    return find_source(parsed).tokenizer()


def find_source(spec: ModelSpec, seed: int = 0, answers: Sequence[tuple[str, str, bool]] = ()) -> Source:
    """Where the model of a spec comes from; its weights are not read yet."""
    if spec.kind == "dummy":
        return DummySource(spec, answers, seed, _from_bundled(parse_spec(_SPEAKER)))
    if spec.inner is not None:
        return RandomSource(find_source(spec.inner), seed)
    return _SOURCES[spec.kind](spec)


def _from_hub(spec: ModelSpec) -> Source:
    folder = hub_folder(spec.name, spec.revision)
    return FolderSource(folder, origin=f"{spec.name} at commit {folder.name}")


def _from_folder(spec: ModelSpec) -> Source:
    return FolderSource(Path(spec.name).expanduser())


def _from_bundled(spec: ModelSpec) -> Source:
    return FolderSource(bundled_folder(spec.name), origin=f"{spec.text}, which comes with shoal")


def _from_gguf(spec: ModelSpec) -> Source:
    return GgufSource(Path(spec.name).expanduser())


def _from_llama2c(spec: ModelSpec) -> Source:
    tokenizer = dict(spec.options).get("tokenizer")
    return Llama2cSource(Path(spec.name).expanduser(), Path(tokenizer).expanduser() if tokenizer else None)


_SOURCES: dict[str, Callable[[ModelSpec], Source]] = {
    "hub": _from_hub,
    "folder": _from_folder,
    "bundled": _from_bundled,
    "gguf": _from_gguf,
    "llama2c": _from_llama2c,
}


def find_device(name: str) -> torch.device:
    """The device of a name that a person gave.

    Raises:
        UsageError: there is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"the device {name!r} cannot be used here; give auto, cpu or cuda") from error
    return device
