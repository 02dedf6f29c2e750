"""Prompts and their counterfactuals, which differ only in what decides the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from shoal.errors import DataError, TooLongError
from shoal.insight.tokens.reading import encode_texts
from shoal.textfiles import check_characters, numbered_lines, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts

_KEYS = ("prompt", "counterfactual", "target", "foil")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPair:
    """A prompt and its counterfactual, with the answer to each."""

    prompt: str
    counterfactual: str
    """A prompt of the same number of tokens."""

    target: str
    """Its first token is the answer to the prompt."""

    foil: str
    """Its first token is the answer to the counterfactual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPromptPair:
    """A pair as token ids."""

    clean_L: torch.Tensor
    counter_L: torch.Tensor
    target: int
    foil: int


def read_prompt_pairs(path: str | os.PathLike[str]) -> list[PromptPair]:
    """Read pairs from a JSONL file with the keys prompt, counterfactual, target and foil.

    Raises:
        DataError: a line that is not such an object, or a file without one.
    """
    path = Path(path)
    pairs = []
    for number, line in numbered_lines(read_text(path)):
        check_characters(line, f"{path} line {number}")
        try:
            row = json.loads(line)
            pairs.append(PromptPair(**{key: str(row[key]) for key in _KEYS}))
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise DataError(f"{path} line {number} is no object with the keys {', '.join(_KEYS)} ({fault})") from fault
    if not pairs:
        raise DataError(f"{path} holds no pair; give lines with the keys {', '.join(_KEYS)}")
    return pairs


def encode_prompt_pairs(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[PromptPair]
) -> list[EncodedPromptPair]:
    """Encode pairs for a model.

    Args:
        parts: the parts of the model.
        tokenizer: its tokenizer.
        pairs: at least one.

    Raises:
        DataError: a pair of different lengths, or whose answers begin with the same token.
        TooLongError: a prompt that does not fit into the context.
    """
    if not pairs:
        raise DataError("there is no pair of prompts; give one at least")
    encoded = []
    for number, pair in enumerate(pairs):
        clean, counter = encode_texts(tokenizer, [pair.prompt, pair.counterfactual])
        if len(clean) != len(counter) or not clean:
            raise DataError(
                f"pair {number}: {pair.prompt!r} takes {len(clean)} tokens and its counterfactual {len(counter)}; "
                "positions are exchanged one by one, so both need the same number"
            )
        if parts.context is not None and len(clean) > parts.context:
            raise TooLongError(
                f"pair {number} takes {len(clean)} tokens, and {parts.name} reads at most {parts.context}"
            )
        # Without the tokens that are put around a text: an answer is in the middle of one.
        answers = encode_texts(tokenizer, [pair.target, pair.foil], max_tokens=1, special_tokens=False)
        if not all(answers) or answers[0] == answers[1]:
            raise DataError(f"pair {number}: the answers {pair.target!r} and {pair.foil!r} begin with the same token")
        device = parts.model.device
        encoded.append(
            EncodedPromptPair(
                clean_L=torch.tensor(clean, device=device),
                counter_L=torch.tensor(counter, device=device),
                target=answers[0][0],
                foil=answers[1][0],
            )
        )
    return encoded
