"""GGUF: one file with weights, configuration and tokenizer, for llama.cpp and what is built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.models.gguf import GGUF_TYPES, read_gguf, write_gguf
from shoal.serving.export.formats.base import ExportFormat, ExportRequest
from shoal.serving.export.formats.torch_model import TorchModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NO_NUMBERS = frozenset(
    {
        "architectures",
        "dtype",
        "_name_or_path",
        "transformers_version",
        "model_type",
        "use_cache",
        "return_dict",
        "torchscript",
        "initializer_range",
        "bos_token_id",
        "eos_token_id",
        "pad_token_id",
        "pretraining_tp",
        "attention_dropout",
        "attn_pdrop",
        "embd_pdrop",
        "resid_pdrop",
        "hidden_dropout",
        "summary_first_dropout",
        "classifier_dropout",
        "max_window_layers",
        "use_sliding_window",
        "layer_types",
        "n_ctx",
    }
)
"""Settings that no logit of a model in evaluation mode hangs on, or (the last few) that follow from others."""


class GgufFormat(ExportFormat):
    """One file, with config.json and the tokenizer's files for tools that want them too."""

    name = "gguf"
    dtypes = tuple(GGUF_TYPES)
    packages = ("gguf",)
    extra = "gguf"

    @classmethod
    def write(cls, request: ExportRequest, folder: Path) -> dict[str, Any]:
        """See `ExportFormat.write`."""
        source = request.source
        source.model.config.save_pretrained(folder)
        source.tokenizer.save_pretrained(folder)
        vocabulary = write_gguf(
            source.model,
            source.tokenizer,
            folder / f"{request.name}-{GGUF_TYPES[request.dtype]}.gguf",
            name=request.name,
            number_format=request.dtype,
            texts=request.texts,
        )
        _check_settings(source.model.config.to_dict(), read_gguf(_file(folder))[0].config.to_dict())
        return {"splitting rule": vocabulary.rule}

    @classmethod
    def read(cls, folder: Path) -> TorchModel:
        """See `ExportFormat.read`; quantized blocks are unpacked to float32."""
        return TorchModel(*read_gguf(_file(folder)))

    @classmethod
    def usage(cls, folder: Path, name: str) -> str:
        """See `ExportFormat.usage`."""
        file = _file(folder).name
        return f"""\
```console
$ llama-cli -m {name}/{file} --temp 0 -p "Once upon a time"
$ llama-server -m {name}/{file}
$ lm_eval --model hf --model_args pretrained={name},gguf_file={file} --tasks arc_easy
$ vllm serve {name}/{file} --tokenizer {name} --hf-config-path {name}
$ shoal score --model {name}/{file} --data rows.jsonl
```"""


def _file(folder: Path) -> Path:
    """The GGUF file of a folder."""
    (path,) = folder.glob("*.gguf")
    return path


def _check_settings(source: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """Raise where the file states another configuration than the model has, which short texts may not show.

    Raises:
        ModelError: with the settings that GGUF could not hold.
    """
    names = sorted(set(source) - _NO_NUMBERS)
    lost = [name for name in names if not _same(source[name], written.get(name))]
    if lost:
        shown = ", ".join(f"{name} = {source[name]!r}" for name in lost[:3])
        raise ModelError(
            f"the model has {shown}, which a GGUF file of its architecture cannot state; export to safetensors or onnx"
        )


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two settings are equal; a file holds numbers in float32."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(_same(ours.get(name), theirs.get(name)) for name in {*ours, *theirs})
    if isinstance(ours, float) and isinstance(theirs, float):
        # Some sixteen rounding units of float32 (6e-8): far below any two settings that differ by intent.
        return abs(ours - theirs) <= 1e-6 * abs(ours)
    return bool(ours == theirs)
