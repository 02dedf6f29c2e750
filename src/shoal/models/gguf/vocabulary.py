"""A fast tokenizer as the keys of a GGUF file.

A file holds the vocabulary, and of the rule that splits a text no more than a name that llama.cpp knows
(``tokenizer.ggml.pre``). The rule is found by trial: each known one is read back as `shoal.models.gguf.tokenizer` reads
a file, and compared with the tokenizer on texts that rules treat differently. Where none gives the same ids on all of
them, the best is written, and the texts on which it differs are returned, so that they can be shown.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.models.gguf.byte_level import RULES
from shoal.models.gguf.file import GgufFile
from shoal.models.gguf.tokenizer import gguf_tokenizer
from shoal.models.probe_texts import PROBE_TEXTS
from shoal.text import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedTokenizerFast

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")

_NO_MERGE = -1e6
"""The score of a piece that no merge gives: SentencePiece joins the highest first, and this is below every rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufVocabulary:
    """The keys of a tokenizer, and how faithful they are."""

    keys: dict[str, Any]
    """With their whole names."""

    rule: str
    """The rule of splitting that was written, as llama.cpp names it."""

    differing: tuple[str, ...]
    """The probe texts to which the file gives other ids than the tokenizer."""

    probes: int
    """The number of texts that were compared."""


def gguf_vocabulary(
    tokenizer: PreTrainedTokenizerFast, rows: int, architecture: str, texts: Sequence[str] = ()
) -> GgufVocabulary:
    """The keys that make llama.cpp give the ids that a tokenizer gives.

    Args:
        tokenizer: byte-level BPE, or BPE as SentencePiece has it.
        rows: the number of embeddings; ids without a token get an unused one.
        architecture: as GGUF names it.
        texts: to compare on, with `PROBE_TEXTS`.

    Raises:
        ModelError: another kind of tokenizer, or one that puts something else than one beginning and one end token
            around a text.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    byte_level = _is_byte_level(state)
    probes = [*PROBE_TEXTS, *texts]
    expected = [tokenizer(text)["input_ids"] for text in probes]
    shared = {"general.architecture": architecture} | _tokens(tokenizer, state, rows) | _specials(tokenizer)
    best: GgufVocabulary | None = None
    for rule, choice in _choices(shared["tokenizer.ggml.tokens"], state, byte_level=byte_level):
        keys = shared | choice
        differing = _differing(keys, probes, expected)
        if best is None or len(differing) < len(best.differing):
            del keys["general.architecture"]
            best = GgufVocabulary(keys=keys, rule=rule, differing=differing, probes=len(probes))
        if not best.differing:
            break
    assert best is not None
    return best


def _is_byte_level(state: dict[str, Any]) -> bool:
    """Whether a tokenizer is byte-level BPE; the other kind that a file can hold is SentencePiece's BPE."""
    kind = state["model"]["type"]
    if kind != "BPE":
        raise ModelError(f"a tokenizer of the kind {kind} cannot be written as GGUF; supported: BPE")
    found = json.dumps([state["pre_tokenizer"], state["decoder"]])
    if '"ByteLevel"' in found:
        return True
    if "\N{LOWER ONE EIGHTH BLOCK}" in json.dumps([state["normalizer"], state["decoder"]], ensure_ascii=False):
        return False
    raise ModelError(
        "the tokenizer is neither byte-level BPE nor SentencePiece's BPE, so that it cannot be written as GGUF; "
        "export to safetensors or onnx, which take its own files"
    )


def _tokens(tokenizer: PreTrainedTokenizerFast, state: dict[str, Any], rows: int) -> dict[str, Any]:
    """The tokens in the order of their ids, and the role of each."""
    ids = {index: text for text, index in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    texts, roles = [], []
    for index in range(rows):
        text = ids.get(index)
        texts.append(f"[PAD{index}]" if text is None else text)
        if text is None:
            roles.append(Role.UNUSED)
        elif text == state["model"].get("unk_token"):
            roles.append(Role.UNKNOWN)
        elif index in added:
            roles.append(Role.CONTROL if added[index].special else Role.USER_DEFINED)
        elif state["model"].get("byte_fallback") and _BYTE.fullmatch(text):
            roles.append(Role.BYTE)
        else:
            roles.append(Role.NORMAL)
    return {"tokenizer.ggml.tokens": texts, "tokenizer.ggml.token_type": [int(role) for role in roles]}


def _specials(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """The ids of the special tokens, what stands around a text, and the chat template."""
    begin, end, unknown, pad = (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.unk_token_id,
        tokenizer.pad_token_id,
    )
    named = {"bos": begin, "eos": end, "unknown": unknown, "padding": pad}
    keys: dict[str, Any] = {
        f"tokenizer.ggml.{name}_token_id": index for name, index in named.items() if index is not None
    }
    bare, framed = (tokenizer("a b", add_special_tokens=framed)["input_ids"] for framed in (False, True))
    adds_begin = begin is not None and framed[:1] == [begin] and bare[:1] != [begin]
    adds_end = end is not None and framed[-1:] == [end] and bare[-1:] != [end]
    if framed != [*([begin] if adds_begin else []), *bare, *([end] if adds_end else [])]:
        raise ModelError(
            "the tokenizer puts other tokens around a text than one beginning and one end token, which GGUF cannot "
            "state; export to safetensors or onnx, which take its own files"
        )
    keys |= {"tokenizer.ggml.add_bos_token": adds_begin, "tokenizer.ggml.add_eos_token": adds_end}
    # A tokenizer may have several templates by name; llama.cpp uses the default one.
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if template is not None:
        keys["tokenizer.chat_template"] = template
    return keys


def _choices(tokens: Sequence[str], state: dict[str, Any], *, byte_level: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """What may be written of the rule of splitting, with the name of each choice; the likeliest first."""
    # Older tokenizer.json files hold a merge as one text.
    merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in state["model"]["merges"]]
    if byte_level:
        joined = [" ".join(merge) for merge in merges]
        for rule in RULES:
            yield (
                rule,
                {
                    "tokenizer.ggml.model": "gpt2",
                    "tokenizer.ggml.pre": rule,
                    "tokenizer.ggml.merges": joined,
                },
            )
        return
    # A piece's score is the rank of the first merge that gives it: SentencePiece joins the highest score first.
    ranks: dict[str, float] = {}
    for rank, (left, right) in enumerate(merges):
        ranks.setdefault(left + right, -float(rank))
    scores = [ranks.get(text, _NO_MERGE) for text in tokens]
    for prefix in (True, False):
        yield (
            "sentencepiece" if prefix else "sentencepiece without a space before the text",
            {
                "tokenizer.ggml.model": "llama",
                "tokenizer.ggml.pre": "default",
                "tokenizer.ggml.scores": scores,
                "tokenizer.ggml.add_space_prefix": prefix,
            },
        )


def _differing(keys: dict[str, Any], probes: Sequence[str], expected: Sequence[list[int]]) -> tuple[str, ...]:
    """The texts to which the tokenizer of a file with these keys gives other ids."""
    read = gguf_tokenizer(GgufFile.of_keys(keys, Path("the new file")))
    return tuple(text for text, ids in zip(probes, expected, strict=True) if read(text)["input_ids"] != ids)
