"""The text of token ids that come one by one, without ever taking a piece back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.text import PlainTokenizer

_BEFORE = 6
"""Ids of the prompt that are decoded with what follows: the text of a token may depend on those before it (a space that
SentencePiece drops at the beginning)."""
_CHARACTER = 4
"""Tokens over which the bytes of one character are spread at most."""
_UNFINISHED = "\ufffd"
"""What a decoder writes for the bytes of a character that is not whole."""


class TextStream:
    """Turns ids into text piece by piece; the pieces together are the text of all.

    Args:
        tokenizer: of either kind.
        prompt: the ids before.
        skip_special_tokens: leave the control tokens out of the text.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
        prompt: Sequence[int] = (),
        *,
        skip_special_tokens: bool = True,
    ) -> None:
        self._tokenizer = tokenizer
        self._skip = skip_special_tokens
        self._keep(prompt)

    def push(self, id_: int) -> str:
        """The text that is whole with one more id, which may be none."""
        self._ids.append(id_)
        text = self._new_text()
        if text.endswith(_UNFINISHED):
            return ""
        self._keep(self._ids)
        return text

    def flush(self) -> str:
        """What is left at the end: the bytes of a character that was never finished, as they are shown."""
        text = self._new_text()
        self._keep(self._ids)
        return text

    def _new_text(self) -> str:
        whole = self._decode(self._ids)
        # It does not where the prompt ends within a character.
        if whole.startswith(self._before):
            return whole[len(self._before) :]
        return self._decode(self._ids[self._emitted :])

    def _keep(self, ids: Sequence[int]) -> None:
        """Note that all of the text has been emitted, and keep the end of the ids."""
        # So many stay as the text of the next may depend on; to decode all would take time with the square of the text.
        for count in range(_BEFORE, _BEFORE + _CHARACTER):
            self._ids = list(ids[-count:])
            self._before = self._decode(self._ids)
            # Where the first bytes of a character were cut off, byte fallback reads none of those behind it.
            if not self._before.startswith(_UNFINISHED):
                break
        self._emitted = len(self._ids)
        """Ids whose text has been emitted."""

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=self._skip))
