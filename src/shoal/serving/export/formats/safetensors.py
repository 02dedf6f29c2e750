"""safetensors with config.json and the tokenizer's files: what `transformers` and vLLM load."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from shoal.serving.export.formats.base import ExportFormat, ExportRequest
from shoal.serving.export.formats.torch_model import TorchModel

if TYPE_CHECKING:
    from pathlib import Path


class SafetensorsFormat(ExportFormat):
    """A folder as ``save_pretrained`` writes it."""

    name = "safetensors"
    dtypes = ("float32", "bfloat16", "float16")

    @classmethod
    def write(cls, request: ExportRequest, folder: Path) -> dict[str, Any]:
        """See `ExportFormat.write`."""
        import torch

        from shoal.models import save_model

        model = request.source.model
        if request.dtype != "float32":
            # A copy: the source is what the written model is compared with.
            model = copy.deepcopy(model).to(getattr(torch, request.dtype))
        save_model(model, request.source.tokenizer, folder)
        return {}

    @classmethod
    def read(cls, folder: Path) -> TorchModel:
        """See `ExportFormat.read`; the stored numbers are used in float32."""
        from shoal.models import load_model

        loaded = load_model(str(folder), device="cpu")
        return TorchModel(loaded.model, loaded.tokenizer)

    @classmethod
    def usage(cls, folder: Path, name: str) -> str:
        """See `ExportFormat.usage`."""
        del folder
        return f"""\
```console
$ lm_eval --model hf --model_args pretrained={name} --tasks arc_easy
$ vllm serve {name}
$ shoal score --model ./{name} --data rows.jsonl
```

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
model = AutoModelForCausalLM.from_pretrained("{name}")
```"""
