"""Exporting a model: load, check, write, read back, compare, and only then put the folder in its place."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ModelError, UsageError
from shoal.files import atomic_folder
from shoal.models import PROBE_TEXTS, LoadedModel, ModelSpec, context_of, load_model, parse_spec
from shoal.progress import no_progress
from shoal.serving.export.card import model_card
from shoal.serving.export.formats.base import ExportRequest, find_export_format
from shoal.serving.export.prompts import held_out_prompts
from shoal.serving.export.result import ExportedFile, ModelExport
from shoal.serving.export.verification import TOLERANCES, verify_export
from shoal.textfiles import read_json_object
from shoal.wording import in_one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.progress import Progress

_RECORD = "export.json"
"""The result in the folder, by which a later export knows that it may replace it."""

_WEIGHTS = (".safetensors", ".gguf", ".onnx", ".data")


def export_model(
    model: str | LoadedModel,
    *,
    to: str,
    out: str | os.PathLike[str],
    dtype: str = "float32",
    prompts: Sequence[str] | None = None,
    new_tokens: int = 32,
    progress: Progress = no_progress,
) -> ModelExport:
    """Write a model in another format, with a card, and verify it against its source.

    The folder is laid out as a repository of the hub is. It appears when everything in it is written and compared; if
    anything fails, what stood there before stays.

    Args:
        model: a model spec, or a model on the CPU in float32.
        to: ``safetensors``, ``gguf`` or ``onnx``.
        out: the folder: new, empty, or an earlier export, which is replaced.
        dtype: the number format of the matrices: ``float32``, ``float16`` or ``bfloat16``, and ``q8_0`` in GGUF.
        prompts: to compare on; 16 of shoal's own by default.
        new_tokens: of greedy text for each prompt, at most.
        progress: called with the prompts that were compared.

    Raises:
        UsageError: a format, a number format or a folder that cannot be used, no prompt, or more new tokens than the
            model can read.
        ModelError: a model that the format cannot hold, or a written model that differs from its source by more than
            the tolerance.
        MissingExtraError: a package of the format is not installed.
    """
    kind, folder = find_export_format(to), Path(out)
    kind.check(dtype)
    _check_target(folder)
    compared = tuple(prompts) if prompts is not None else held_out_prompts(16)
    if not compared or new_tokens < 1:
        raise UsageError(
            f"{len(compared)} prompts of {new_tokens} new tokens compare nothing; give at least one of each"
        )
    source = _source(model, new_tokens)
    spec = parse_spec(source.spec)
    name = _name(spec)
    try:
        with atomic_folder(folder) as fresh:
            details = kind.write(ExportRequest(source=source, name=name, dtype=dtype, texts=compared), fresh)
            export = ModelExport(
                source=source.spec,
                source_digest=source.digest,
                format=kind.name,
                dtype=dtype,
                architecture=type(source.model).__name__,
                parameters=source.parameters,
                folder=folder,
                files=tuple(_files(fresh)),
                details=details,
                verification=verify_export(
                    source,
                    kind.read(fresh),
                    compared,
                    probes=(*compared, *PROBE_TEXTS),
                    new_tokens=new_tokens,
                    relative_tolerance=TOLERANCES[dtype],
                    progress=progress,
                ),
            )
            _check_verified(export)
            card = model_card(export, name, kind.usage(fresh, folder.name), is_hub_id=spec.kind == "hub")
            (fresh / "README.md").write_text(card, encoding="utf-8")
            (fresh / _RECORD).write_text(json.dumps(export.to_dict(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelError(f"the export cannot be written to {folder}: {in_one_line(error)}") from error
    return export


def _source(model: str | LoadedModel, new_tokens: int) -> LoadedModel:
    """The model that is exported, on the CPU in float32.

    Raises:
        UsageError: it cannot be exported, or does not read so many new tokens.
    """
    spec = _check_spec(model)
    source = load_model(spec, device="cpu") if spec is not None else model
    assert isinstance(source, LoadedModel)
    room = context_of(source.model)
    if room is not None and new_tokens >= room:
        raise UsageError(
            f"{source.spec} reads {room} tokens at once, so that {new_tokens} new ones have no room; give fewer"
        )
    return source


def _check_verified(export: ModelExport) -> None:
    found = export.verification
    if not found.passed:
        raise ModelError(
            f"the written model differs from {export.source} by {found.max_difference:.3g} in a logit, "
            f"more than the tolerance of {found.tolerance:.3g}; nothing was left in {export.folder}"
        )


def _check_spec(model: str | LoadedModel) -> ModelSpec | None:
    """The parsed spec of a model that is to be loaded.

    Raises:
        UsageError: it names something that has no weights of its own.
    """
    if isinstance(model, LoadedModel):
        if str(model.model.device) != "cpu" or str(model.model.dtype) != "torch.float32":
            raise UsageError(
                f"the model lies on {model.model.device} in {model.model.dtype}; give one on the CPU in float32, "
                "or its spec"
            )
        return None
    spec = parse_spec(model)
    if spec.kind in ("dummy", "ensemble"):
        raise UsageError(f"{model!r} is no single model with weights of its own, so that it cannot be exported")
    return spec


def _check_target(folder: Path) -> None:
    if folder.exists() and not _holds_export(folder) and (folder.is_file() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} holds something else than an export; give a new folder, or one of an earlier export"
        )


def _holds_export(folder: Path) -> bool:
    """Whether a folder's record is one of an export: other programs write files of its name, too."""
    return {"source_digest", "format", "verification"} <= (read_json_object(folder / _RECORD) or {}).keys()


def _name(spec: ModelSpec) -> str:
    """A name for files: the last part of what a spec names."""
    if spec.inner is not None:
        return f"random-{_name(spec.inner)}"
    last = Path(spec.name).name or "model"
    stem = Path(last).stem if spec.kind in ("gguf", "llama2c") else last
    return re.sub(r"[^\w.-]+", "-", stem) or "model"


def _files(folder: Path) -> list[ExportedFile]:
    """The files of a folder that hold weights."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in _WEIGHTS:
            with path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
            found.append(ExportedFile(name=str(path.relative_to(folder)), size=path.stat().st_size, sha256=digest))
    return found
