"""The tokenizer inside a GGUF file, splitting text by the rule that the file names.

A byte-level vocabulary is only half of a tokenizer: the other half is the rule that cuts text into words before BPE.
GGUF names that rule (``tokenizer.ggml.pre``) and does not spell it out. `transformers` knows some of the names and
takes GPT-2's rule for all others, without a word; here a name that nobody knows is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

# The two groups of names that llama.cpp (src/llama-vocab.cpp) gives one rule each.
_AS_GPT2 = ("gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "mellum", "exaone4", "trillion", "a.x-4.0")
_DIGITS_APART = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")


def gguf_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a GGUF file.

    Raises:
        ModelError: the file splits text by a rule that is not known here.
    """
    from transformers import AutoTokenizer
    from transformers.integrations.gguf import read_gguf_metadata

    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
    metadata, _ = read_gguf_metadata(str(path))
    if metadata.get("tokenizer.ggml.model") == "gpt2":
        _set_rule(tokenizer, metadata.get("tokenizer.ggml.pre", "gpt-2"), path)
    return tokenizer


def _set_rule(tokenizer: PreTrainedTokenizerFast, rule: str, path: Path) -> None:
    from tokenizers import pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    if rule in _DIGITS_APART:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif rule not in _AS_GPT2 and rule not in GGUF_PRE_TOKENIZER_SPLITS:
        raise ModelError(
            f"{path} splits text by the rule {rule!r}, which is not known here; "
            "give the model's own folder, with its tokenizer.json"
        )
