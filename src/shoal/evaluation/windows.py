"""Long documents cut into windows that a model can read, each of their tokens scored once."""

from __future__ import annotations

from shoal.errors import UsageError

Window = tuple[tuple[int, ...], int]
"""Ids, and from which of them on they are scored."""


def cut_windows(
    ids: tuple[int, ...], start: int, *, context: int | None, stride: int | None, full: bool = False
) -> list[Window]:
    """Cut a document into windows, each of which scores the tokens that follow those of the window before it.

    A window holds one id more than the context, since its last one is predicted and not read. So after the first
    window, a token is predicted from at least ``context + 1 - stride`` tokens before it.

    Args:
        ids: of the document, with what opens it.
        start: the first id that is scored; at least 1.
        context: ids that the model reads at most; None where there is no limit.
        stride: tokens that a window scores after the first one; None only without a limit.
        full: move the last window back until it is full.

    Raises:
        UsageError: a stride below 1 or above the context, or a context that the opening fills.
    """
    if context is None:
        return [(ids, start)]
    if stride is None or not 1 <= stride <= context + 1:
        raise UsageError(f"the stride is {stride}; give 1 to {context} tokens, the context that a window has")
    if context < start:
        raise UsageError(f"a context of {context} tokens is filled by what opens a document ({start}); give more")
    size = context + 1
    found = [(ids[:size], start)]
    done = size
    while done < len(ids):
        begin = done + stride - size
        if full:
            begin = min(begin, len(ids) - size)
        window = ids[begin : begin + size]
        found.append((window, done - begin))
        done = begin + size
    return found
