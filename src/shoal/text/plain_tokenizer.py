"""A tokenizer that is all in its tokenizer.json, read by the `tokenizers` library itself.

`transformers` wraps that library, and importing the wrapper costs more CPU time than scoring a small model. What
scoring needs of it is little: ids with their offsets, text from ids, and the names of the special tokens. This class
gives that under the wrapper's own names, with the wrapper's own results; a tokenizer about which the wrapper would
change anything is not plain, and left to it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tokenizers import Tokenizer

_CLASSES = {"TokenizersBackend", "PreTrainedTokenizerFast"}
_NAMED = ("bos_token", "eos_token", "pad_token", "unk_token")
# Settings that change no ids; with any other, the wrapper is left to read the tokenizer.
_INDIFFERENT = {
    "backend", "model_max_length", "padding_side", "chat_template", "tokenizer_class", "is_local", "local_files_only",
}  # fmt: skip
_OTHER_FILES = ("special_tokens_map.json", "added_tokens.json")
_MAX_IDS = 100_000
"""Larger vocabularies are looked at by `transformers` for faults of certain releases."""


class PlainTokenizer:
    """The part of the interface of ``PreTrainedTokenizerFast`` that scoring needs."""

    is_fast = True

    def __init__(self, tokenizer: Tokenizer, named: Mapping[str, str]) -> None:
        """Take a tokenizer and its special tokens by name (``eos_token`` and so on)."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.bos_token = named.get("bos_token")
        self.eos_token = named.get("eos_token")
        self.unk_token = named.get("unk_token")
        self.eos_token_id: int | None = None if self.eos_token is None else tokenizer.token_to_id(self.eos_token)

    def __call__(
        self,
        text: str | Sequence[str],
        *,
        add_special_tokens: bool = True,
        return_offsets_mapping: bool = False,
        split_special_tokens: bool = False,
        return_attention_mask: bool = False,
        verbose: bool = True,
    ) -> dict[str, Any]:
        """Ids (``input_ids``) and, where requested, offsets in characters (``offset_mapping``) of one text or more."""
        del return_attention_mask, verbose  # there is no padding to mask and no warning to give
        # A setting of the tokenizer, no argument of `encode_batch`: it is set before every call, since the last one
        # may have changed it.
        self._tokenizer.encode_special_tokens = split_special_tokens
        texts = [text] if isinstance(text, str) else list(text)
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)
        found: dict[str, list[Any]] = {"input_ids": [encoding.ids for encoding in encodings]}
        if return_offsets_mapping:
            found["offset_mapping"] = [encoding.offsets for encoding in encodings]
        return {key: values[0] for key, values in found.items()} if isinstance(text, str) else found

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The tokenizer of the `tokenizers` library."""
        return self._tokenizer

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of some ids.

        Args:
            ids: token ids.
            skip_special_tokens: leave the control tokens out.
        """
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens)
        return text

    def convert_ids_to_tokens(self, ids: int | Sequence[int]) -> str | list[str | None] | None:
        """The token of an id, or those of several."""
        if isinstance(ids, int):
            token: str | None = self._tokenizer.id_to_token(ids)
            return token
        return [self._tokenizer.id_to_token(one) for one in ids]

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        """The tokens that are found in a text before it is cut into pieces, by id."""
        added: dict[int, Any] = self._tokenizer.get_added_tokens_decoder()
        return added

    def get_vocab(self) -> dict[str, int]:
        """All tokens with their ids."""
        vocabulary: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        return vocabulary


def read_plain_tokenizer(folder: str | os.PathLike[str]) -> PlainTokenizer | None:
    """The tokenizer of a model folder; None where it is not plain, or not whole."""
    folder = Path(folder)
    file, settings_file = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if not settings_file.is_file() or any((folder / name).exists() for name in _OTHER_FILES):
        return None
    from tokenizers import Tokenizer

    try:
        settings = json.loads(settings_file.read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(file))
    except Exception:  # noqa: BLE001 (the tokenizers library raises nothing narrower; transformers says what is wrong)
        return None
    if not isinstance(settings, dict):
        return None
    named = {name: settings[name] for name in _NAMED if settings.get(name) is not None}
    return PlainTokenizer(tokenizer, named) if _is_plain(tokenizer, settings, named) else None


def _is_plain(tokenizer: Tokenizer, settings: Mapping[str, Any], named: Mapping[str, Any]) -> bool:
    """Whether `transformers` would take the tokenizer as it is: nothing added, no template changed, no text cleaned."""
    special = {added.content for added in tokenizer.get_added_tokens_decoder().values() if added.special}
    return (
        settings.get("tokenizer_class") in _CLASSES
        and not settings.get("clean_up_tokenization_spaces", False)
        and set(settings) <= {*_NAMED, *_INDIFFERENT, "clean_up_tokenization_spaces"}
        and all(isinstance(token, str) and token in special for token in named.values())
        and not tokenizer.encode_special_tokens
        and tokenizer.get_vocab_size(with_added_tokens=True) <= _MAX_IDS
    )
