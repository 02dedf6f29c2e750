"""The engine behind the conventions of ruptures and scikit-learn.

``fit`` finds the changes and stores them, ``predict`` returns them, as ruptures' detectors do, with one difference:
ruptures appends the length of the stream to what it returns, and this does not, unless ``with_end`` is set. The
parameters are read and set as those of a scikit-learn estimator, so ``sklearn.base.clone`` works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.changes.points import change_points
from shoal.changes.validation import as_stream
from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from shoal.changes.models import Model
    from shoal.changes.result import Changes
    from shoal.changes.stream import Stream
    from shoal.changes.validation import Kind

PARAMETERS = ("min_distance", "process_count", "alpha", "confidence", "kind", "model", "seed", "with_end")


class ChangePointDetector:
    """Change points by ``fit``, ``predict`` and ``fit_predict``.

    As in scikit-learn, the parameters are stored as they are given and checked when they are used.

    Args:
        min_distance: the smallest share of the stream between two changes, in (0, 1).
        process_count: how many distinct processes the pieces come from; None has it chosen.
        alpha: the level of the tests: how often a change may be found in a stream without one; at most 0.5.
        confidence: the confidence of the sets of places, from 0.5.
        kind: "numbers" or "symbols"; None takes numbers as numbers and everything else as symbols.
        model: "law", "levels" or "slopes"; None has it chosen.
        seed: seed of the resampling.
        with_end: whether places end with the length of the stream, as those of ruptures do.
    """

    changes_: Changes
    """What ``fit`` found: places, confidence sets, p-values, and what changed."""

    def __init__(
        self,
        *,
        min_distance: float = 0.05,
        process_count: int | None = None,
        alpha: float = 0.05,
        confidence: float = 0.95,
        kind: Kind | None = None,
        model: Model | None = None,
        seed: int = 0,
        with_end: bool = False,
    ) -> None:
        self.min_distance = min_distance
        self.process_count = process_count
        self.alpha = alpha
        self.confidence = confidence
        self.kind = kind
        self.model = model
        self.seed = seed
        self.with_end = with_end

    def fit(self, x: Any, y: None = None) -> ChangePointDetector:  # noqa: ARG002 - scikit-learn passes it
        """Find the changes of a stream.

        Args:
            x: what `as_stream` reads: numbers (n,) or (n, d), symbols, a pandas Series or DataFrame.
            y: not used; scikit-learn's pipelines pass it.

        Raises:
            DataError: the stream cannot be used.
            UsageError: a parameter cannot be used.
        """
        self._stream: Stream = as_stream(x, kind=self.kind)
        self.changes_ = change_points(
            self._stream,
            self.min_distance,
            self.process_count,
            alpha=self.alpha,
            confidence=self.confidence,
            model=self.model,
            seed=self.seed,
        )
        return self

    def predict(self, x: Any = None) -> list[Any]:
        """The places in order: labels where the stream has an index, else steps counted from 0.

        Args:
            x: another stream to find the changes of; where it is None, the one that was fitted. A change point belongs
                to its stream: nothing that was fitted is carried over to another.

        Raises:
            UsageError: nothing was fitted, or ``with_end`` is set for an indexed stream, whose end has no label.
        """
        if x is not None:
            self.fit(x)
        if not hasattr(self, "changes_"):
            raise UsageError("nothing was fitted; call fit(x) or fit_predict(x) first")
        places = sorted(self.changes_.places)
        if self._stream.index is not None:
            if self.with_end:
                raise UsageError("the end of an indexed stream has no label; set with_end=False")
            return [self._stream.index[place] for place in places]
        return [*places, self.changes_.length] if self.with_end else places

    def fit_predict(self, x: Any, y: None = None) -> list[Any]:
        """Find the changes of a stream and return their places."""
        return self.fit(x, y).predict()

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn passes it
        """The parameters by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def set_params(self, **parameters: Any) -> ChangePointDetector:
        """Set parameters by name.

        Raises:
            UnknownNameError: there is no parameter of that name.
        """
        for name, value in parameters.items():
            if name not in PARAMETERS:
                raise UnknownNameError("parameter", name, PARAMETERS)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"
