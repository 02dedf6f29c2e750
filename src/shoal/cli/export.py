"""``shoal export``: a model written in another format, verified against its source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.cli.options import Json, Model
from shoal.cli.terminal import print_json, progress_bars


def export(
    *,
    model: Model,
    to: Literal["safetensors", "gguf", "onnx"],
    out: Path,
    dtype: Annotated[
        str,
        Parameter(
            help="Number format of the matrices that are written: float32, float16 or bfloat16; q8_0 in GGUF alone, "
            "and in ONNX float32 alone."
        ),
    ] = "float32",
    prompts: Path | None = None,
    new_tokens: int = 32,
    as_json: Json = False,
) -> None:
    """Write a model in another format, with a card, and verify it: logits, greedy text and tokens beside the source's.

    Parameters
    ----------
    to
        Format: safetensors (transformers, vLLM), gguf (llama.cpp) or onnx (ONNX Runtime).
    out
        Folder to write, laid out as a repository of the hub; an earlier export there is replaced.
    prompts
        File with prompts to compare on: .jsonl or .parquet, or .txt with one per line. Default: 16 of shoal's own.
    new_tokens
        Tokens of greedy text that are compared for each prompt.
    """
    from shoal.serving import read_text_prompts
    from shoal.serving.export import export_model

    compared = read_text_prompts(prompts) if prompts is not None else None
    with progress_bars() as progress:
        written = export_model(
            model, to=to, out=out, dtype=dtype, prompts=compared, new_tokens=new_tokens, progress=progress
        )
    if as_json:
        print_json(written.to_dict())
        return
    print(written)
