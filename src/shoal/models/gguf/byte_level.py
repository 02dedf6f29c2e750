"""The byte-level BPE of a GGUF file, splitting text by the rule that the file names.

A byte-level vocabulary is only half of a tokenizer: the other half is the rule that cuts text into words before BPE,
and whether a word that is in the vocabulary is taken whole. GGUF names the rule (``tokenizer.ggml.pre``) and spells out
neither. The groups of names are those of llama.cpp (src/llama-vocab.cpp), which keeps a rule for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from shoal.models.gguf.file import GgufFile
    from shoal.models.gguf.tokenizer import TokenTable

_AS_GPT2 = ("gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "mellum", "exaone4", "trillion", "a.x-4.0")
_DIGITS_APART = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")

_AS_LLAMA3 = ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano")
"""Rules whose models take a word that is in the vocabulary whole and put the beginning token before a text."""

_WHOLE_WORDS = (*_AS_LLAMA3, "tekken")

_COMPOSED = ("qwen2", "qwen35", "olmo", "mpt", "command-r")
"""Rules whose models bring text into Unicode's normal form C first (Qwen, GPT-NeoX and Cohere)."""

RULES = ("gpt-2", "smollm", "llama-bpe", "qwen2", "olmo", "command-r", "dbrx", "qwen35", "gpt-4o", "tekken")
"""One name of each way of splitting that is known here, the commonest first: what a file that is written may name."""


def byte_level_pipeline(file: GgufFile, table: TokenTable) -> Tokenizer:
    """Words by the file's rule, bytes as letters, BPE, and back.

    Args:
        file: with the merges and the name of the rule.
        table: of its tokens.

    Raises:
        ModelError: the file splits text by a rule that is not known here, or names none.
        CorruptModelError: a merge joins what is not in the vocabulary.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers

    rule = _rule(file)
    merges = [_parts(merge) for merge in file.array("tokenizer.ggml.merges")]
    prefix = file.flag("tokenizer.ggml.add_space_prefix", False)
    try:
        model = models.BPE(vocab=table.ids, merges=merges, ignore_merges=rule in _WHOLE_WORDS)
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise CorruptModelError(f"the merges of {file.path} do not fit its vocabulary: {error}") from error
    backend = Tokenizer(model)
    if rule in _COMPOSED:
        backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = _splitter(file, rule, prefix)
    backend.decoder = decoders.ByteLevel()
    return backend


def adds_beginning(file: GgufFile) -> bool:
    """Whether the beginning token opens a text where the file does not state it."""
    return _rule(file) in _WHOLE_WORDS


def _rule(file: GgufFile) -> str:
    """The name of the rule. Files older than the key are read only where the architecture leaves no doubt."""
    rule: str = file.text("tokenizer.ggml.pre", "gpt-2" if file.architecture == "gpt2" else "")
    return rule


def _parts(merge: Any) -> tuple[str, str]:
    """The two sides of a merge; a side may begin with a space of its own."""
    text = str(merge)
    # From 1 on: a space at 0 belongs to the first side.
    cut = text.find(" ", 1)
    return text[:cut], text[cut + 1 :]


def _splitter(file: GgufFile, rule: str, prefix: bool) -> Any:
    from tokenizers import Regex, pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    whole = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    if rule in _AS_GPT2:
        return whole
    if rule in _DIGITS_APART:
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), whole])
    if rule not in GGUF_PRE_TOKENIZER_SPLITS:
        raise ModelError(
            f"{file.path} splits text by the rule {rule!r} (tokenizer.ggml.pre), which is not known here; "
            "give the model's own folder, with its tokenizer.json"
        )
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(GGUF_PRE_TOKENIZER_SPLITS[rule]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=False),
        ]
    )
