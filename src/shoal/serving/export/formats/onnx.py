"""ONNX by the exporter of `transformers`, for ONNX Runtime and what takes its graphs.

The graph reads whole texts (token ids and attention mask, any number of rows and tokens) and gives logits; it has no
KV cache, so that it scores and is no fast generator.
"""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.models import quiet
from shoal.serving.export.formats.base import ExportFormat, ExportRequest
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from transformers import PreTrainedTokenizerFast

OPSET = 18
"""Of the graph: the operators that every runtime of the last years has (ONNX 1.13, 2022)."""

_FOLDER = "onnx"
"""Where repositories on the hub hold graphs."""


class OnnxFormat(ExportFormat):
    """A graph with its weights beside it, config.json and the tokenizer's files."""

    name = "onnx"
    dtypes = ("float32",)
    packages = ("onnx", "onnxscript", "onnxruntime")
    extra = "onnx"

    @classmethod
    def write(cls, request: ExportRequest, folder: Path) -> dict[str, Any]:
        """See `ExportFormat.write`."""
        source = request.source
        source.model.config.save_pretrained(folder)
        source.tokenizer.save_pretrained(folder)
        (folder / _FOLDER).mkdir()
        try:
            with _silence():
                _export(source.model, folder / _FOLDER / "model.onnx")
        except Exception as error:  # the exporter raises whatever torch.export and onnxscript raise
            raise ModelError(
                f"a model of type {source.model.config.model_type!r} cannot be exported to ONNX by "
                f"transformers: {in_one_line(error)}; export to safetensors"
            ) from error
        return {"opset": OPSET}

    @classmethod
    def read(cls, folder: Path) -> OnnxModel:
        """See `ExportFormat.read`; by ONNX Runtime on one thread of the CPU."""
        from shoal.models import load_tokenizer

        return OnnxModel(folder / _FOLDER / "model.onnx", load_tokenizer(str(folder)))

    @classmethod
    def usage(cls, folder: Path, name: str) -> str:
        """See `ExportFormat.usage`."""
        del folder
        return f"""\
```python
import onnxruntime
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
session = onnxruntime.InferenceSession("{name}/{_FOLDER}/model.onnx")
inputs = tokenizer(["Once upon a time"], return_tensors="np", return_token_type_ids=False)
(logits,) = session.run(["logits"], dict(inputs))
```

The graph takes `input_ids` and `attention_mask` of any shape (rows, tokens) and gives `logits`; rows are padded on the
right. It has opset {OPSET} and no KV cache."""


class OnnxModel:
    """A graph in ONNX Runtime, as `WrittenModel` has it."""

    def __init__(self, path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # As many threads as shoal's own side uses of itself: numbers do not hang on the machine.
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizer

    def logits(self, ids: Sequence[int]) -> np.ndarray:
        """The logits (L × V) after each of L ids."""
        import numpy as np

        ids_BL = np.asarray([list(ids)], dtype=np.int64)
        inputs = {"input_ids": ids_BL, "attention_mask": np.ones_like(ids_BL)}
        (logits_BLV,) = self._session.run(["logits"], inputs)
        found: np.ndarray = logits_BLV[0]
        return found

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with what the tokenizer puts around it."""
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids


def _export(model: Any, path: Path) -> None:
    """Write the graph of a model; its settings stay as they were."""
    import torch
    from transformers.exporters import OnnxConfig, OnnxExporter

    # Two rows and more tokens than one: torch.export takes a size of 1 for a constant.
    ids_BL = torch.zeros(2, 8, dtype=torch.long)
    rows, tokens = torch.export.Dim("rows"), torch.export.Dim("tokens", max=model.config.max_position_embeddings)
    axes = {0: rows, 1: tokens}
    # With a cache the exporter would make every layer's keys and values outputs of the graph.
    cached = model.config.use_cache
    model.config.use_cache = False
    try:
        exported = OnnxExporter().export(
            model,
            {"input_ids": ids_BL, "attention_mask": torch.ones_like(ids_BL)},
            config=OnnxConfig(
                opset_version=OPSET,
                dynamic_shapes={"input_ids": axes, "attention_mask": axes},
                prefer_deferred_runtime_asserts_over_guards=True,
            ),
        )
        OnnxExporter.save_program(exported.program, path)
    finally:
        model.config.use_cache = cached


@contextmanager
def _silence() -> Iterator[None]:
    """Hold back what torch and transformers print of an export; a fault of it is raised."""
    loud = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with quiet(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(loud)
