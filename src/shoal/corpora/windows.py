"""Documents packed into windows of tokens for training.

A window begins with the beginning of a document, so that no story loses its start, and holds as many whole documents
as fit; what is left over is filled with end tokens. A document longer than a window is cut into windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


def pack_windows(documents: Iterable[Sequence[int]], *, context: int, end_token_id: int) -> NDArray[np.int32]:
    """Windows of token ids, in the order of the documents; each document is followed by an end token.

    Args:
        documents: token ids, without end tokens.
        context: tokens per window.
        end_token_id: what stands between documents and fills a window.

    Returns:
        An array of shape (windows, context).
    """
    # Next fit: documents stay in their order, which a tighter packing would change.
    windows: list[list[int]] = [[]]
    for document in documents:
        ids = [*document, end_token_id]
        for start in range(0, len(ids), context):
            part = ids[start : start + context]
            if len(windows[-1]) + len(part) > context:
                windows.append([])
            windows[-1].extend(part)
    filled = [window + [end_token_id] * (context - len(window)) for window in windows if window]
    return np.asarray(filled, dtype=np.int32).reshape(-1, context)
