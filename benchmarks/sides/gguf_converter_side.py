"""llama.cpp's own converter (``convert_hf_to_gguf.py``) on model folders.

The converter knows a rule of splitting text by the hash of some token ids, and refuses a tokenizer that it has not met.
Only tensors are compared here, so that such a one is given the name of GPT-2's rule.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Convert each ``[folder, file, number format]`` of the JSON list ``sys.argv[1]``."""
    import convert_hf_to_gguf
    from conversion.base import ModelBase, TextModel
    from conversion.phi import Phi3MiniModel

    known = TextModel.get_vocab_base_pre

    def named(self: TextModel, tokenizer: object) -> str:
        try:
            return known(self, tokenizer)
        except NotImplementedError:
            return "gpt-2"

    TextModel.get_vocab_base_pre = named
    # transformers drops settings by their older names, which the converter reads.
    load = ModelBase.load_hparams

    def load_with_older_names(folder: Path, *arguments: Any, **options: Any) -> dict[str, Any]:
        return json.loads((Path(folder) / "config.json").read_text()) | load(folder, *arguments, **options)

    ModelBase.load_hparams = staticmethod(load_with_older_names)
    # It asks for a SentencePiece file, which the small model that is compared has not.
    Phi3MiniModel.set_vocab = TextModel._set_vocab_gpt2
    for folder, out, number_format in json.loads(sys.argv[1]):
        sys.argv = ["convert_hf_to_gguf.py", folder, "--outfile", out, "--outtype", number_format]
        convert_hf_to_gguf.main()


if __name__ == "__main__":
    main()
