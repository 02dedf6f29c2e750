"""The documents of a batch at a spike, and the n-grams that repeat in them.

The documents with the highest loss are named: they have raised that of the batch. Repeated text is what is found behind
many spikes (Chowdhery et al. 2022, arXiv:2204.02311, section 5.1, skip such batches), so the longest n-grams that
repeat in them are named too. Without losses the documents with the largest share of repeated n-grams stand for them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.training.watch.events import BatchContent, BatchDocument, RepeatedNgram

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    Tokens = tuple[Hashable, ...]

SIZES = (32, 16, 8, 4)
"""Lengths of n-grams that are looked for, the longest first."""
_SHARE_SIZE = 4
_MIN_COUNT = 3
_MAX_TOKENS = 200_000
"""Read of a batch, at most; the documents behind are counted only."""
_NAMED = 3
_TEXT = 80


def batch_content(
    batch: Any,
    decode: Callable[[Sequence[int]], str] | None = None,
    *,
    losses: Sequence[float] | None = None,
    name: str = "",
) -> BatchContent:
    """What stands in a batch.

    Args:
        batch: texts, rows of token ids, or a `shoal.training.Batch`; a mapping gives each of them a name.
        decode: gives the text of token ids; None shows the ids.
        losses: of each document, mean of its predicted tokens in nats; None where they are not known.
        name: of the batch; by default that of a `Batch`.

    Raises:
        DataError: a document is neither text nor a row of token ids; there are more or fewer losses than documents.
    """
    given = list(batch.values()) if isinstance(batch, Mapping) else list(getattr(batch, "documents", batch))
    labels = list(map(str, batch)) if isinstance(batch, Mapping) else [getattr(one, "source", "") for one in given]
    documents = [_tokens(one) for one in given]
    if losses is not None and len(losses) != len(documents):
        raise DataError(f"a batch of {len(documents)} documents has {len(losses)} losses; give one for each")
    read: list[Tokens] = []
    for tokens in documents:
        if sum(map(len, read)) + len(tokens) > _MAX_TOKENS and read:
            break
        read.append(tokens)
    counts = Counter(gram for tokens in read for gram in _grams(tokens, _SHARE_SIZE))
    shares = [_share(tokens, counts) for tokens in read]
    ranks = shares if losses is None else [loss if math.isfinite(loss) else math.inf for loss in losses]
    order = sorted(range(len(read)), key=lambda place: (-ranks[place], place))[:_NAMED]
    return BatchContent(
        name=name or getattr(batch, "name", "") or "batch",
        documents=tuple(
            BatchDocument(
                place=place,
                source=labels[place],
                number=getattr(given[place], "number", None),
                loss=None if losses is None else float(losses[place]),
                tokens=len(read[place]),
                repeated=shares[place],
                text=_shortened(_text(read[place][: _TEXT // 2], decode)),
            )
            for place in order
        ),
        document_count=len(documents),
        repeats=tuple(_repeats(read if losses is None else [read[place] for place in order], decode)),
    )


def _tokens(document: Any) -> Tokens:
    """The words of a text, or the ids of a row."""
    if isinstance(document, str):
        return tuple(document.split())
    ids = getattr(document, "ids", document)
    if hasattr(ids, "tolist"):
        ids = ids.tolist()
    if not isinstance(ids, (list, tuple)) or not all(isinstance(one, int) for one in ids):
        raise DataError(f"a document of a batch is a text or a row of token ids; got {str(document)[:60]!r}")
    return tuple(ids)


def _grams(tokens: Tokens, size: int) -> Iterable[Tokens]:
    return (tokens[start : start + size] for start in range(len(tokens) - size + 1))


def _share(tokens: Tokens, counts: Counter[Tokens]) -> float:
    grams = list(_grams(tokens, _SHARE_SIZE))
    return sum(counts[gram] > 1 for gram in grams) / len(grams) if grams else 0.0


def _repeats(documents: Sequence[Tokens], decode: Callable[[Sequence[int]], str] | None) -> Iterable[RepeatedNgram]:
    """The longest n-grams that stand at least three times, none within another that was named before."""
    named: list[Tokens] = []
    for size in SIZES:
        counts = Counter(gram for tokens in documents for gram in _grams(tokens, size))
        for gram, count in counts.most_common(64):
            if count < _MIN_COUNT or len(named) == _NAMED:
                break
            if any(_overlap(gram, other) for other in named):
                continue
            named.append(gram)
            holders = sum(any(one == gram for one in _grams(tokens, size)) for tokens in documents)
            yield RepeatedNgram(text=_shortened(_text(gram, decode)), tokens=size, count=count, documents=holders)


def _overlap(gram: Tokens, other: Tokens) -> bool:
    """Whether more than half of an n-gram stands in another: windows on one repeated passage are one finding."""
    held = Counter(other)
    return sum(min(count, held[token]) for token, count in Counter(gram).items()) > len(gram) // 2


def _text(tokens: Sequence[Any], decode: Callable[[Sequence[int]], str] | None) -> str:
    if tokens and isinstance(tokens[0], str):
        return " ".join(tokens)
    return decode(list(tokens)) if decode is not None else "ids " + " ".join(map(str, tokens))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."
