"""What a corpus costs in tokens: tokens a word, bytes a token, and what is lost or spelt out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.insight.tokens.reading import byte_ids, is_part
from shoal.statistics import check_confidence, percentile_interval, resampled_ratios
from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from shoal.progress import Progress

_BATCH = 256
_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two totals over the documents, with a bootstrap interval (documents are drawn anew)."""

    value: float
    low: float | None
    high: float | None
    """None where there is one document, which gives no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """A tokenizer's figures on a corpus."""

    model: str
    documents: int
    characters: int
    bytes: int
    words: int
    """Runs of characters without white space."""

    tokens: int
    """Without those that the tokenizer adds to a text."""

    tokens_a_word: Ratio
    """The fertility; 1 is the least where no token spans two words."""

    bytes_a_token: Ratio
    used: int
    """Different tokens that occur."""

    vocabulary: int
    unknown: int
    """Tokens that stand for characters which are lost."""

    byte_tokens: int
    """Tokens that are a part of a character, or spell one by its bytes."""

    broken_round_trips: int
    """Documents that decoding does not give back to the last character."""

    confidence: float
    """The confidence of the intervals."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def count_tokens(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    model: str = "",
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> TokenCounts:
    """Count over a corpus.

    Args:
        tokenizer: a fast tokenizer.
        texts: the documents; the unit of the intervals.
        model: a name for the figures.
        confidence: the confidence of the intervals.
        seed: of the bootstrap.
        progress: called with (what, done, total).

    Raises:
        DataError: there is no text to count.
    """
    check_confidence(confidence)
    import numpy as np

    if not any(map(str.strip, texts)):
        raise DataError(f"{len(texts)} documents hold no text; give a file with at least one word")
    named_bytes = byte_ids(tokenizer)
    rows, seen, unknown, byte_tokens, broken = [], set[int](), 0, 0, 0
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        check_coverage(tokenizer, batch, split_special_tokens=True)
        encoded = tokenizer(
            list(batch),
            add_special_tokens=False,
            split_special_tokens=True,  # a document speaks of a control token, and is not cut by it
            return_offsets_mapping=True,
            verbose=False,
        )
        for text, ids, offsets in zip(batch, encoded["input_ids"], encoded["offset_mapping"], strict=True):
            rows.append((len(text), len(text.encode()), len(text.split()), len(ids)))
            seen.update(ids)
            unknown += ids.count(tokenizer.unk_token_id)
            byte_tokens += sum(id_ in named_bytes or is_part(offsets, place) for place, id_ in enumerate(ids))
            broken += bool(tokenizer.decode(ids, clean_up_tokenization_spaces=False) != text)
        if progress is not None:
            progress(f"tokens of {model}" if model else "tokens", min(start + _BATCH, len(texts)), len(texts))
    counts_D4 = np.array(rows, dtype=np.int64)
    characters, size, words, tokens = (int(total) for total in counts_D4.sum(axis=0))
    return TokenCounts(
        model=model,
        documents=len(texts),
        characters=characters,
        bytes=size,
        words=words,
        tokens=tokens,
        tokens_a_word=_ratio(counts_D4[:, 3], counts_D4[:, 2], confidence, seed),
        bytes_a_token=_ratio(counts_D4[:, 1], counts_D4[:, 3], confidence, seed),
        used=len(seen),
        vocabulary=len(tokenizer),
        unknown=unknown,
        byte_tokens=byte_tokens,
        broken_round_trips=broken,
        confidence=confidence,
    )


def _ratio(over: npt.NDArray[np.int64], under: npt.NDArray[np.int64], confidence: float, seed: int) -> Ratio:
    """Total over total, with a percentile interval over the documents."""
    value = float(over.sum() / under.sum())
    if len(over) == 1:
        return Ratio(value=value, low=None, high=None)
    low, high = percentile_interval(resampled_ratios(over, under, draws=_DRAWS, seed=seed), confidence)
    return Ratio(value=value, low=low, high=high)
