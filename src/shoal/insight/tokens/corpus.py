"""The cost of a corpus in tokens: tokens per word, bytes per token, unknown tokens and byte tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.insight.options import DEFAULTS
from shoal.insight.tokens.reading import byte_ids, encode_with_offsets, is_part, without_blank
from shoal.statistics import percentile_ends, resampled_ratios

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from shoal.insight.options import AnalysisOptions

_BATCH = 256
_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two totals over the documents, with a bootstrap interval over the documents."""

    value: float
    low: float | None
    high: float | None
    """None where there are too few documents for one, five or fewer at 95%."""

    def interval(self) -> str:
        """The interval in brackets, or why there is none."""
        if self.low is None or self.high is None:
            return "  (too few documents for an interval)"
        return f"  [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """The figures of a tokenizer on a corpus."""

    model: str
    documents: int
    characters: int
    bytes: int
    words: int
    """Number of runs of characters without white space."""

    tokens: int
    """Number of tokens, without those that the tokenizer adds to a text."""

    tokens_per_word: Ratio
    """The fertility; at least 1 where no token spans two words."""

    bytes_per_token: Ratio
    used: int
    """Number of different tokens that occur."""

    vocabulary: int
    unknown: int
    """Number of unknown tokens, whose characters are lost."""

    byte_tokens: int
    """Number of tokens that are part of a character, or spell one by its bytes."""

    broken_round_trips: int
    """Number of documents that are not the same after decoding."""

    confidence: float
    """Level of the intervals."""

    def __str__(self) -> str:
        word, size = self.tokens_per_word, self.bytes_per_token
        whole = self.documents - self.broken_round_trips
        return "\n".join(
            [
                f"{self.model}: {self.tokens:,} tokens, {self.used} of {self.vocabulary} different ones used",
                f"  tokens per word  {word.value:.3f}{word.interval()}",
                f"  bytes per token  {size.value:.3f}{size.interval()}",
                f"  unknown tokens   {self.unknown}, tokens that are less than a character {self.byte_tokens}",
                f"  round trip       {whole} of {self.documents} documents are the same after decoding",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def count_tokens(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    model: str = "",
    options: AnalysisOptions = DEFAULTS,
) -> TokenCounts:
    """Count the tokens of a corpus.

    Args:
        tokenizer: a fast tokenizer.
        texts: the documents, which are the unit of the intervals.
        model: name of the figures, usually the model spec.
        options: level of the intervals, seed of the bootstrap, and progress callback.

    Raises:
        DataError: there is no text to count.
    """
    import numpy as np

    if not any(map(str.strip, texts)):
        raise DataError(f"{len(texts)} documents hold no text; give a file with at least one word")
    byte_tokens, documents, used = byte_ids(tokenizer), [], set[int]()
    for done, (text, ids, offsets) in enumerate(_encoded(tokenizer, texts), 1):
        used.update(ids)
        shared = without_blank(tokenizer, ids, offsets)
        documents.append(
            (
                len(text),
                len(text.encode()),
                len(text.split()),
                len(ids),
                ids.count(tokenizer.unk_token_id),
                sum(id_ in byte_tokens or is_part(shared, place) for place, id_ in enumerate(ids)),
                tokenizer.decode(ids, clean_up_tokenization_spaces=False) != text,
            )
        )
        if done % _BATCH == 0 or done == len(texts):
            options.progress(f"tokens of {model}" if model else "tokens", done, len(texts))
    counts_D7 = np.array(documents, dtype=np.int64)
    characters, size, words, tokens, unknown, spelt, broken = (int(total) for total in counts_D7.sum(axis=0))
    return TokenCounts(
        model=model,
        documents=len(texts),
        characters=characters,
        bytes=size,
        words=words,
        tokens=tokens,
        tokens_per_word=_ratio(counts_D7[:, 3], counts_D7[:, 2], options),
        bytes_per_token=_ratio(counts_D7[:, 1], counts_D7[:, 3], options),
        used=len(used),
        vocabulary=len(tokenizer),
        unknown=unknown,
        byte_tokens=spelt,
        broken_round_trips=broken,
        confidence=options.confidence,
    )


def _encoded(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]
) -> Iterator[tuple[str, list[int], list[tuple[int, int]]]]:
    """Each text with its ids and their offsets, read batch by batch."""
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        # A document mentions a control token, and is not divided by it.
        encoded = encode_with_offsets(tokenizer, batch, documents=True)
        yield from zip(batch, encoded["input_ids"], encoded["offset_mapping"], strict=True)


def _ratio(over: npt.NDArray[np.int64], under: npt.NDArray[np.int64], options: AnalysisOptions) -> Ratio:
    """Total over total, with a percentile interval over the documents."""
    value = float(over.sum() / under.sum())
    resampled = resampled_ratios(over, under, draws=_DRAWS, seed=options.seed)
    low, high = percentile_ends(resampled, units=len(over), confidence=options.confidence)
    return Ratio(value=value, low=low, high=high)
