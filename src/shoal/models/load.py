"""From a model spec to a model that is ready to be used, or only to be scored.

For scoring alone, a folder whose config.json, weights and tokenizer are plain is read by a fast model and a tokenizer
of shoal's own, and no model class of `transformers` is imported, which would take most of the time to a first result.
Whatever is not plain, or not whole, goes the way of `load_model`, which also reports what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.models.digests import model_digest
from shoal.models.ensemble_folder import EnsembleSource
from shoal.models.folder import FolderSource, holds_tokenizer_alone, read_tokenizer
from shoal.models.gguf import GgufSource
from shoal.models.llama2c import Llama2cSource
from shoal.models.sources import DummySource, RandomSource, hub_folder
from shoal.models.spec import ModelSpec, bundled_folder, parse_spec
from shoal.models.transformers_io import check_tokenizer
from shoal.textfiles import read_json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.models.sources import Source
    from shoal.text import PlainTokenizer

_TOKENIZER_OF_DUMMIES = "bundled:searches"

DTYPES = ("float32", "bfloat16", "float16", "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringModel:
    """A model that is ready to be scored, with what must be known of it to trust a number."""

    spec: str
    """The model spec that named it."""

    model: PreTrainedModel | FastModel
    """In evaluation mode, on its device."""

    tokenizer: PreTrainedTokenizerFast | PlainTokenizer

    digest: str
    """SHA-256 of weights and settings, as 64 hexadecimal characters; see `shoal.models.model_digest`."""

    parameters: int
    """The number of parameters, tied ones counted once."""

    origin: str
    """Where the weights came from, for people: a path, a hub id with its commit, or the seed of fresh weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel(ScoringModel):
    """The same for any use: a model and a tokenizer of `transformers`."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast


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
        answers: (prompt, completion, ends) of the examples that a dummy will get; other models do not need them.

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

    # Before anything is read: a device that is not there is found in no time.
    place = find_device(device)
    source = find_source(parsed, seed, answers)
    model = source.model(getattr(torch, dtype))
    tokenizer = source.tokenizer()
    check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, source.origin)
    # On the CPU, where the weights still lie.
    digest = model_digest(model)
    return LoadedModel(
        spec=parsed.text,
        model=model.to(place).eval(),
        tokenizer=tokenizer,
        digest=digest,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        origin=source.origin,
    )


def load_for_scoring(
    spec: str | ModelSpec, *, device: str = "auto", dtype: str = "float32", seed: int = 0
) -> ScoringModel:
    """Load the model that a spec names, for scoring alone: a fast model where its files are plain.

    Args:
        spec: a model spec; see `shoal.models.spec`.
        device: as in `load_model`.
        dtype: as in `load_model`.
        seed: as in `load_model`.

    Raises:
        ShoalError: as in `load_model`.
    """
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    if dtype not in DTYPES:
        raise UnknownNameError("dtype", dtype, DTYPES)
    if parsed.kind in _FOLDERS:
        folder, origin = _FOLDERS[parsed.kind](parsed)
        plain = _read_plain(folder, dtype)
        if plain is not None:
            fast, tokenizer = plain
            return ScoringModel(
                spec=parsed.text,
                digest=model_digest(fast),
                model=fast.to(find_device(device)),
                tokenizer=tokenizer,
                parameters=fast.parameters,
                origin=origin,
            )
    return load_model(parsed, device=device, dtype=dtype, seed=seed)


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
    """Where the model of a spec comes from; its weights are not read yet.

    Args:
        spec: a parsed model spec.
        seed: as in `load_model`.
        answers: as in `load_model`.

    Raises:
        ShoalError: as in `load_model`.
    """
    if spec.kind == "dummy":
        return DummySource(spec, answers, seed, FolderSource(*_bundled(parse_spec(_TOKENIZER_OF_DUMMIES))))
    if spec.inner is not None:
        return RandomSource(find_source(spec.inner), seed)
    if spec.kind in _FOLDERS:
        return FolderSource(*_FOLDERS[spec.kind](spec))
    return _FILES[spec.kind](spec)


def _hub(spec: ModelSpec) -> tuple[Path, str]:
    folder = hub_folder(spec.name, spec.revision)
    return folder, f"{spec.name} at commit {folder.name}"


def _folder(spec: ModelSpec) -> tuple[Path, str]:
    folder = Path(spec.name).expanduser()
    return folder, str(folder)


def _bundled(spec: ModelSpec) -> tuple[Path, str]:
    return bundled_folder(spec.name), f"{spec.text}, which comes with shoal"


_FOLDERS: dict[str, Callable[[ModelSpec], tuple[Path, str]]] = {"hub": _hub, "folder": _folder, "bundled": _bundled}
"""The kinds of specs that name a folder as transformers writes it: that folder, and where it came from."""


def _from_gguf(spec: ModelSpec) -> Source:
    return GgufSource(Path(spec.name).expanduser())


def _from_llama2c(spec: ModelSpec) -> Source:
    tokenizer = dict(spec.options).get("tokenizer")
    return Llama2cSource(Path(spec.name).expanduser(), Path(tokenizer).expanduser() if tokenizer else None)


def _from_ensemble(spec: ModelSpec) -> Source:
    return EnsembleSource(Path(spec.name).expanduser(), find_source)


_FILES: dict[str, Callable[[ModelSpec], Source]] = {
    "gguf": _from_gguf,
    "llama2c": _from_llama2c,
    "ensemble": _from_ensemble,
}


def find_device(name: str) -> torch.device:
    """The device of a name: ``auto``, or what torch calls a device.

    Raises:
        UsageError: there is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        # A name may be sound, and the device absent or without memory (meta); only reading a number back shows.
        torch.zeros(1, device=device).item()
    except Exception as error:  # each kind of device fails in its own way where it is absent
        raise UsageError(f"the device {name!r} cannot be used here; give auto, cpu or cuda") from error
    return device


def _read_plain(folder: Path, dtype: str) -> tuple[FastModel, PlainTokenizer] | None:
    """FastModel and tokenizer of a folder in which everything is plain and whole."""
    from shoal.text import read_plain_tokenizer

    tokenizer = read_plain_tokenizer(folder)
    if tokenizer is None or tokenizer.eos_token_id is None:
        return None
    import torch

    kind: torch.dtype = getattr(torch, dtype)
    fast = read_fast_model(folder, kind)
    if fast is None or max(tokenizer.get_vocab().values()) >= fast.embeddings:
        return None
    return fast, tokenizer


def read_fast_model(folder: Path, dtype: torch.dtype) -> FastModel | None:
    """The fast model of a folder; None where there is none for its architecture, or its files are not whole.

    Args:
        folder: as transformers writes it.
        dtype: of the weights.
    """
    from shoal.models.fast import fast_class

    config = read_json_object(folder / "config.json") or {}
    kind = fast_class(str(config.get("model_type")))
    settings = kind.read_settings(config) if kind is not None else None
    if kind is None or settings is None:
        return None
    weights = _read_weights(folder / "model.safetensors", dtype)
    if not weights or not kind.takes(settings, weights) or not all(map(_is_finite, weights.values())):
        return None
    return kind(settings, weights)


def _read_weights(path: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {name: weight.to(dtype) for name, weight in load_file(path).items()}
    except (OSError, SafetensorError):
        return {}


def _is_finite(weight: torch.Tensor) -> bool:
    import torch

    # In one pass without a mask in memory. A sum of finite float32 numbers is finite in float64; of float64 ones it may
    # overflow, and then the slow way decides.
    return bool(torch.isfinite(weight.sum(dtype=torch.float64)))
