"""Documents laid out as a stream of tokens for training on windows.

A window begins with the beginning of a document, so that no story loses its start, and holds as many whole documents
as fit; what is left over is filled with end tokens. A document longer than a window is cut into windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    IntArray = np.ndarray[Any, np.dtype[np.integer[Any]]]


def lay_out(documents: Iterable[Sequence[int]], *, context: int, end_token_id: int) -> IntArray:
    """Windows (count × context) of token ids, in the order of the documents; each document is followed by an end token.

    Args:
        documents: token ids, without end tokens.
        context: tokens a window.
        end_token_id: what stands between documents and fills a window.
    """
    windows: list[list[int]] = [[]]
    for document in documents:
        ids = [*document, end_token_id]
        for start in range(0, len(ids), context):
            piece = ids[start : start + context]
            if len(windows[-1]) + len(piece) > context:
                windows.append([])
            windows[-1].extend(piece)
    filled = [window + [end_token_id] * (context - len(window)) for window in windows if window]
    return np.asarray(filled, dtype=np.int32).reshape(-1, context)
