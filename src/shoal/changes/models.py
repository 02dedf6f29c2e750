"""Which changes are sought: those of the law, by tests, or those of level or slope, by a model with memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from shoal.changes.mixing import SHORT
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.changes.levels_slopes import ModelChange
    from shoal.changes.search import Search
    from shoal.changes.stream import Stream

Model = Literal["law", "levels", "slopes"]
"""What changes: anything; the level of the values; their slope, or the drift of a random walk."""
LASTING = 8
"""A memory of fewer steps is never long."""
FEW = 60
"""Steps of a row of states, or fewer, that no test has blocks enough for."""
FEWEST = 4
"""Steps of a stream that a model is fitted to."""


class Answer(NamedTuple):
    """The answer of a model."""

    model: Model
    """Which."""
    changes: list[ModelChange]
    """The changes, in order."""
    settled: bool = True
    """Whether this is final; otherwise the tests of the law are made too."""


def check_model(model: Model | None, stream: Stream, process_count: int | None) -> None:
    """Refuse a model that is not known or cannot be used.

    Args:
        model: the name of the model; None to have it chosen.
        stream: the stream that it is for.
        process_count: the number of distinct processes, if it was given.

    Raises:
        UsageError: there is no such model, or it is one of levels or slopes for symbols or with ``process_count``.
    """
    if model is not None and model not in get_args(Model):
        raise UsageError(f"model is 'law', 'levels' or 'slopes', or None to have it chosen; got {model!r}")
    if model in (None, "law"):
        return
    if stream.symbols is not None:
        raise UsageError(f"symbols have no {model}; model={model!r} needs a stream of numbers")
    if process_count is not None:
        raise UsageError(f"process_count groups pieces by their law; leave it out, or leave out model={model!r}")


def answer_of_model(stream: Stream, search: Search, model: Model | None) -> Answer | None:
    """The answer of a model of levels or slopes for a stream, or None where the tests of the law are to be made.

    Where no model is named, one is fitted where the stream remembers longer than the shortest piece, so that no blocks
    could be permuted. Levels of a stream of more than 500 steps are left to the tests, which find them and more.

    Args:
        stream: the stream.
        search: it made ready.
        model: what the user wants; None to have it chosen.
    """
    if model == "law" or stream.values is None:
        return None
    lasting = search.memory.apparent >= max(LASTING, search.margin + 1)
    if model is None and not (lasting and _known(stream) == stream.values.shape[1]):
        return None
    if model is None and (search.given or (search.states and stream.length > FEW)):
        return None  # outages and a few states are pieces that no model of noise describes
    if _steps(stream) < FEWEST:
        return None if model is None else Answer(model, [])
    from shoal.changes import levels_slopes, noise_models  # only few streams need them

    slopes = (noise_models.SLOPES, noise_models.DRIFTS)
    families = {"levels": (noise_models.LEVELS,), "slopes": slopes, None: (noise_models.LEVELS, *slopes)}[model]
    fitting = levels_slopes.Fitting(stream.from_first, search.margin)
    fit = fitting.shortest(families)
    if model is None and fit.family == noise_models.LEVELS and stream.length > SHORT:
        return None
    changes = fitting.changes(fit, search.shuffler, alpha=search.alpha, confidence=search.confidence)
    settled = model is not None or bool(changes) or fit.family == noise_models.SLOPES
    if not settled and stream.length > SHORT:
        return None  # a random walk, which is hardly ever taken to drift by chance, may change in other ways
    found = model or ("levels" if fit.family == noise_models.LEVELS else "slopes")
    return Answer(found, changes, settled=settled)


def _known(stream: Stream) -> int:
    """How many coordinates have a value at all."""
    assert stream.values is not None
    return int((~np.isnan(stream.values)).any(axis=0).sum())


def _steps(stream: Stream) -> int:
    """The steps from the first at which anything is known to the last."""
    assert stream.values is not None
    known = np.flatnonzero(~np.isnan(stream.values).all(axis=1))
    return int(known[-1] - known[0]) + 1 if len(known) else 0
