"""The tokenizer inside a GGUF file, splitting text by the rule that the file names.

A byte-level vocabulary is only half of a tokenizer: the other half is the rule that cuts text into words before BPE.
GGUF names that rule (``tokenizer.ggml.pre``) and does not spell it out. `transformers` knows some of the names and
takes GPT-2's rule for all others, without a word; here a name that nobody knows is an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from shoal.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

# The two groups of names that llama.cpp (src/llama-vocab.cpp) gives one rule each.
_AS_GPT2 = ("gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "mellum", "exaone4", "trillion", "a.x-4.0")
_DIGITS_APART = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")


def gguf_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a GGUF file: its tokens and no others.

    Raises:
        ModelError: the file splits text by a rule that is not known here.
    """
    from transformers import PreTrainedTokenizerFast
    from transformers.integrations.gguf import convert_gguf_tokenizer, get_gguf_tokenizer

    architecture, described, settings = get_gguf_tokenizer(str(path))
    backend, _ = convert_gguf_tokenizer(architecture, described)
    if described.get("tokenizer_type") == "gpt2":
        _set_rule(backend, described.get("pre_tokenizer_type", "gpt-2"), path)
    return PreTrainedTokenizerFast(
        tokenizer_object=_without_additions(backend, len(described["tokens"])),
        clean_up_tokenization_spaces=False,
        **settings,
    )


def _without_additions(backend: Tokenizer, size: int) -> Tokenizer:
    """Without the special tokens that `transformers` adds by default behind the last one of the file."""
    from tokenizers import Tokenizer

    pipeline = json.loads(backend.to_str())
    pipeline["added_tokens"] = [token for token in pipeline["added_tokens"] if token["id"] < size]
    return Tokenizer.from_str(json.dumps(pipeline))


def _set_rule(backend: Tokenizer, rule: str, path: Path) -> None:
    from tokenizers import pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    if rule in _DIGITS_APART:
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif rule not in _AS_GPT2 and rule not in GGUF_PRE_TOKENIZER_SPLITS:
        raise ModelError(
            f"{path} splits text by the rule {rule!r}, which is not known here; "
            "give the model's own folder, with its tokenizer.json"
        )
