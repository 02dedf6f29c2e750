"""The vocabulary size of a tokenizer, chosen by bits per byte of held-out text.

Loss per token cannot be compared between vocabularies: a larger one has fewer tokens per byte, each of them harder.
Bits per byte can. For each size a tokenizer is learned on the seen documents, a Kneser-Ney n-gram model is counted on
their tokens, and the held-out documents are scored. So that no size sees more of the text before a byte than another,
the order is set for each size so that a context spans about the same number of bytes. Counting is the same work for all
sizes, one pass over the same text per order, which stands for equal compute without a training run's noise; what it
cannot see is what a larger table of embeddings takes from the rest of a small model: where two sizes are as good, the
smaller one is chosen. Of five held-out documents or fewer there are no intervals, and the best size is chosen.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, UsageError
from shoal.statistics import check_confidence, enough_units, percentile_interval, resampled_ratios
from shoal.text.encoding import plain_ids
from shoal.text.ngram import NgramModel
from shoal.text.training import train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.text.training import TokenizerKind

SIZES = (512, 1024, 2048, 4096, 8192)
HELD_OUT_EVERY = 10
CONTEXT_BYTES = 12
"""Bytes before a token that its context spans: two words or so, which a model of a few thousand documents can count."""
_MAX_ORDER = 8
_MIN_DOCUMENTS = 2 * HELD_OUT_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeScore:
    """The score of one vocabulary size."""

    size: int
    bits_per_byte: float
    low: float | None
    high: float | None
    """Of the bootstrap interval over documents; None where they are too few for one, five or fewer at 95%."""

    worse_by: float
    """Bits per byte more than the best size."""

    worse_low: float | None
    worse_high: float | None
    """Of the paired bootstrap interval of that difference, over the same draws of documents."""

    bytes_per_token: float
    bits_per_token: float
    order: int
    """Of the n-gram model: tokens of context plus one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyChoice:
    """The sizes that were tried, and the chosen one."""

    size: int
    """The smallest size that is not significantly worse than the best; the best where there are no intervals."""

    scores: tuple[SizeScore, ...]
    held_out_documents: int
    held_out_bytes: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """One row per size, the fields of `SizeScore` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(score) for score in self.scores])

    def __str__(self) -> str:
        """The sizes as a table, and the chosen one."""
        head = (
            f"{self.held_out_documents} held-out documents, {self.held_out_bytes:,} bytes, "
            f"{100 * self.confidence:g}% bootstrap intervals over documents\n"
            f"{'size':>7}{'bits per byte':>13}{'':17}{'above the best':>16}{'':17}{'bytes per token':>17}"
            f"{'bits per token':>16}"
        )
        rows = [
            f"{row.size:7}{row.bits_per_byte:13.4f}  {_bracketed(row.low, row.high, '.4f'):16}{row.worse_by:14.4f}  "
            f"{_bracketed(row.worse_low, row.worse_high, '+.4f'):18}{row.bytes_per_token:15.2f}"
            f"{row.bits_per_token:16.2f}"
            for row in self.scores
        ]
        reason = "the smallest that is not significantly worse than the best"
        if self.scores[0].low is None:
            reason = "the best; that many documents give no intervals, give more to tell sizes apart"
        return "\n".join([head, *rows, f"chosen: {self.size}, {reason}"])


def _bracketed(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None or high is None else f"[{low:{form}}, {high:{form}}]"


def choose_vocabulary(
    documents: Sequence[str],
    *,
    kind: TokenizerKind = "bpe",
    sizes: Sequence[int] = SIZES,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> VocabularyChoice:
    """Try sizes on held-out documents: every tenth one, and the smallest of the best is chosen.

    Args:
        documents: the corpus.
        kind: the kind of tokenizer.
        sizes: the candidates; those that the corpus is too small for are left out.
        confidence: the confidence of the intervals.
        seed: random seed of the bootstrap.
        progress: called with (what, done, total).

    Raises:
        DataError: too few documents to hold any out, or the same text on both sides alone.
        UsageError: no size that the corpus is large enough for, or none that holds the bytes.
    """
    check_confidence(confidence)
    if len(documents) < _MIN_DOCUMENTS:
        raise DataError(
            f"{len(documents)} documents are too few to choose a size on; give {_MIN_DOCUMENTS} or more, or a --size"
        )
    seen = [text for place, text in enumerate(documents) if place % HELD_OUT_EVERY]
    held_out = [text for text in documents[::HELD_OUT_EVERY] if text.strip()]
    if not held_out:
        raise DataError("none of the documents that are held out, every tenth one, holds text; leave empty ones out")
    # A document that is learned from costs next to nothing, and the more so the longer the tokens are; one that is held
    # out twice is one unit of the bootstrap.
    learned = set(seen)
    held_out = [text for text in dict.fromkeys(held_out) if text not in learned]
    if not held_out:
        raise DataError("all documents that are held out stand among the others, too; leave duplicates out")
    bytes_D = np.array([len(text.encode()) for text in held_out], dtype=np.float64)
    tried: list[tuple[int, NDArray[Any], float, int]] = []
    faults: list[str] = []
    for done, size in enumerate(sorted(set(sizes)), start=1):
        try:
            tokenizer = train_tokenizer(seen, kind=kind, vocabulary=size)
        except UsageError as fault:
            if tried:
                # Larger sizes need more text still.
                break
            # The first ones may be too small for the bytes instead.
            faults.append(str(fault))
            continue
        tried.append((size, *_score(tokenizer, seen, held_out)))
        if progress is not None:
            progress("sizes", done, len(set(sizes)))
    if not tried:
        raise UsageError(f"no size can be tried: {faults[0] if faults else 'none is given'}")
    return _choose(tried, bytes_D, confidence, seed)


def _score(
    tokenizer: PreTrainedTokenizerFast, seen: Sequence[str], held_out: Sequence[str]
) -> tuple[NDArray[Any], float, int]:
    """Bits of each held-out document, bytes per token, and the order of the model."""
    ids, held_ids = plain_ids(tokenizer, seen), plain_ids(tokenizer, held_out)
    bytes_per_token = sum(len(text.encode()) for text in held_out) / max(sum(map(len, held_ids)), 1)
    order = min(1 + math.ceil(CONTEXT_BYTES / bytes_per_token), _MAX_ORDER)
    model = NgramModel(ids, order=order, vocabulary=len(tokenizer))
    return model.bits(held_ids), bytes_per_token, order


def _choose(
    tried: list[tuple[int, NDArray[Any], float, int]],
    bytes_D: NDArray[Any],
    confidence: float,
    seed: int,
) -> VocabularyChoice:
    bits_SD = np.stack([bits for _, bits, _, _ in tried])
    whole_S = bits_SD.sum(axis=1) / bytes_D.sum()
    best = int(whole_S.argmin())
    drawn_RS = resampled_ratios(bits_SD, bytes_D, seed=seed)
    enough = enough_units(len(bytes_D), confidence)
    low_S, high_S = percentile_interval(drawn_RS, confidence)
    # Paired: documents that are hard for one size are hard for all, so the difference varies far less than either
    # score.
    worse_low_S, worse_high_S = percentile_interval(drawn_RS - drawn_RS[:, [best]], confidence)
    scores = tuple(
        SizeScore(
            size=size,
            bits_per_byte=float(whole_S[place]),
            low=float(low_S[place]) if enough else None,
            high=float(high_S[place]) if enough else None,
            worse_by=float(whole_S[place] - whole_S[best]),
            worse_low=float(worse_low_S[place]) if enough else None,
            worse_high=float(worse_high_S[place]) if enough else None,
            bytes_per_token=bytes_per_token,
            bits_per_token=float(whole_S[place] * bytes_per_token),
            order=order,
        )
        for place, (size, _, bytes_per_token, order) in enumerate(tried)
    )
    return VocabularyChoice(
        # Without intervals no size is shown to be as good as the best, so none is taken for it.
        size=next(score.size for score in scores if score.worse_low is not None and score.worse_low <= 0)
        if enough
        else scores[best].size,
        scores=scores,
        held_out_documents=len(bytes_D),
        held_out_bytes=int(bytes_D.sum()),
        confidence=confidence,
    )
