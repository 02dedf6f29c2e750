"""A model for scoring alone, with as little imported as it needs.

A folder whose config.json, weights and tokenizer are plain is read by a body and a tokenizer of shoal's own, and no
model class of `transformers` is imported, which would take most of the time to a first result. Whatever is not plain,
or not whole, goes the way of `load_model`, which also says what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError
from shoal.models.digest import digest_of
from shoal.models.hub import hub_folder
from shoal.models.load import DTYPES, find_device, load_model
from shoal.models.spec import ModelSpec, bundled_folder, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.text import PlainTokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringModel:
    """What `load_for_scoring` returns; `shoal.evaluation.evaluate` takes its model and its tokenizer."""

    spec: str
    """The model spec that named it."""

    model: PreTrainedModel | FastModel
    """In evaluation mode, on its device."""

    tokenizer: PreTrainedTokenizerFast | PlainTokenizer

    digest: str
    """SHA-256 of the weights, the same as `load_model` gives."""

    parameters: int
    """The number of parameters, tied ones counted once."""

    origin: str
    """Where the weights came from, for a person."""


def load_for_scoring(
    spec: str | ModelSpec, *, device: str = "auto", dtype: str = "float32", seed: int = 0
) -> ScoringModel:
    """Load the model that a spec names, for scoring alone. The arguments and errors are those of `load_model`."""
    parsed = parse_spec(spec) if isinstance(spec, str) else spec
    if dtype not in DTYPES:
        raise UnknownNameError("dtype", dtype, DTYPES)
    find = _FOLDERS.get(parsed.kind)
    if find is not None:
        folder, origin = find(parsed)
        plain = _read_plain(folder, dtype)
        if plain is not None:
            body, tokenizer = plain
            return ScoringModel(
                spec=parsed.text,
                digest=digest_of(body.named_weights()),
                model=body.to(find_device(device)),
                tokenizer=tokenizer,
                parameters=body.parameters,
                origin=origin,
            )
    loaded = load_model(parsed, device=device, dtype=dtype, seed=seed)
    return ScoringModel(
        spec=loaded.spec,
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        digest=loaded.digest,
        parameters=loaded.parameters,
        origin=loaded.origin,
    )


def _folder(spec: ModelSpec) -> tuple[Path, str]:
    folder = Path(spec.name).expanduser()
    return folder, str(folder)


def _bundled(spec: ModelSpec) -> tuple[Path, str]:
    return bundled_folder(spec.name), f"{spec.text}, which comes with shoal"


def _hub(spec: ModelSpec) -> tuple[Path, str]:
    folder = hub_folder(spec.name, spec.revision)
    return folder, f"{spec.name} at commit {folder.name}"


_FOLDERS: dict[str, Callable[[ModelSpec], tuple[Path, str]]] = {"folder": _folder, "bundled": _bundled, "hub": _hub}


def _read_plain(folder: Path, dtype: str) -> tuple[FastModel, PlainTokenizer] | None:
    """FastModel and tokenizer of a folder in which everything is plain and whole."""
    from shoal.models.plain_folder import read_body
    from shoal.text import read_plain_tokenizer

    tokenizer = read_plain_tokenizer(folder)
    if tokenizer is None or tokenizer.eos_token_id is None:
        return None
    import torch

    kind: torch.dtype = getattr(torch, dtype)
    body = read_body(folder, kind)
    if body is None or max(tokenizer.get_vocab().values()) >= body.embeddings:
        return None
    return body, tokenizer
