"""Log-probabilities of tokens, from logits, in float64.

Shapes: L positions, V vocabulary.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from shoal.serving.result import TokenLogProb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch
    from transformers import PreTrainedTokenizerFast

    from shoal.models.generation import Reading

# 64 rows of a vocabulary of 150,000 are 77 MB in float64; a long prompt in one piece would take gigabytes.
_BLOCK = 64
"""Positions whose logits exist at a time, each as long as the vocabulary."""


_BROKEN = "\N{REPLACEMENT CHARACTER}"
_BYTE_NAME = re.compile(r"<0x([0-9A-F]{2})>")
"""Of a byte to which SentencePiece falls back."""


def token_text(tokenizer: PreTrainedTokenizerFast, id_: int) -> str:
    """The text of a token behind others: with its blank, which SentencePiece drops at the beginning of a text.

    Args:
        tokenizer: of the model.
        id_: the token.
    """
    alone: str = tokenizer.decode([id_])
    twice: str = tokenizer.decode([id_, id_])
    return twice[len(alone) :] if _BROKEN not in alone and twice.startswith(alone) else alone


def token_bytes(tokenizer: PreTrainedTokenizerFast, id_: int) -> list[int] | None:
    """The bytes of a token, which may be a part of a character; None where they are not known.

    Args:
        tokenizer: of the model.
        id_: the token.
    """
    text = token_text(tokenizer, id_)
    if _BROKEN not in text:
        return list(text.encode())
    name = str(tokenizer.convert_ids_to_tokens(id_))
    if match := _BYTE_NAME.fullmatch(name):
        return [int(match[1], 16)]
    known = _byte_letters()
    # A character that is no byte's: the token is U+FFFD itself, or of a vocabulary without bytes.
    return [known[letter] for letter in name] if set(name) <= known.keys() else list(text.encode())


@cache
def _byte_letters() -> dict[str, int]:
    """The bytes by the letters that stand for them in a byte-level vocabulary, as GPT-2 has it."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


class LogProbs:
    """Turns logits into log-probabilities with the texts of their tokens.

    Args:
        tokenizer: of the model.
        count: how many of the most likely tokens are named.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, count: int) -> None:
        self._tokenizer = tokenizer
        self._count = count

    def of_token(self, id_: int, logits_V: torch.Tensor) -> TokenLogProb:
        """The log-probability of one token.

        Args:
            id_: the token.
            logits_V: at the position before it.
        """
        return self._of_rows([id_], logits_V[None])[0]

    def of_prompt(self, reading: Reading) -> Iterator[TokenLogProb]:
        """The log-probability of every token of a row that has been read, given those before it; the first has none."""
        first, *rest = reading.ids
        yield TokenLogProb(id=first, text=self.text(first), logprob=None)
        for start in range(0, len(rest), _BLOCK):
            part = rest[start : start + _BLOCK]
            yield from self._of_rows(part, reading.logits(start, start + len(part)))

    def text(self, id_: int) -> str:
        """The text of a token; of one that is no whole character, its bytes as the vocabulary writes them."""
        text = token_text(self._tokenizer, id_)
        return f"bytes:{self._tokenizer.convert_ids_to_tokens(id_)}" if _BROKEN in text else text

    def _of_rows(self, ids: Sequence[int], logits_LV: torch.Tensor) -> list[TokenLogProb]:
        import torch

        # In float32 the sum over a large vocabulary would lose digits that log-probabilities are compared by.
        log_p_LV = logits_LV.double().log_softmax(-1)
        own_L = log_p_LV[range(len(ids)), list(ids)].tolist()
        tops: list[Any] = [()] * len(ids)
        if self._count:
            count = min(self._count, log_p_LV.shape[-1])
            # Stable, so that of equal ones the lowest id comes first, as the argmax takes it.
            order_LV = torch.sort(log_p_LV, dim=-1, descending=True, stable=True) if count > 1 else None
            ids_LK = log_p_LV.argmax(-1, keepdim=True) if order_LV is None else order_LV.indices[:, :count]
            tops = [
                tuple((id_, self.text(id_), value) for id_, value in zip(row, values, strict=True))
                for row, values in zip(ids_LK.tolist(), log_p_LV.gather(-1, ids_LK).tolist(), strict=True)
            ]
        return [
            TokenLogProb(id=id_, text=self.text(id_), logprob=logprob, top=top)
            for id_, logprob, top in zip(ids, own_L, tops, strict=True)
        ]
