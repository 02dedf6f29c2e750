"""Averages of the weights over the steps of a training, which generalise better than its last weights.

EMA, the exponential moving average: the weights after step t count in proportion to decay^(T - t) at step T. It is
corrected for its beginning as Adam's averages are (Kingma and Ba 2015, arXiv:1412.6980, section 3), so that the weights
before the first step have no part in it. SWA, stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407,
algorithm 1): the plain mean of the weights after each step from a start on; it is meant for a learning rate that stays
up, as the schedule ``constant`` has it. The models trained here have no batch norm whose statistics would have to be
computed again.

Where a step may take several batches, SWA begins behind the share of the batches that it would begin behind otherwise.

Cost: one vector of the trained weights, and one pass over it for each step.

Shapes: P trained weights in all.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shoal.training.flat_parameters import FlatParameters
    from shoal.training.settings import TrainSettings

_KEY, _BEGUN = "average", "average-begun"


class WeightAverage:
    """The average of the weights after the steps so far; without one in the settings it does nothing.

    Args:
        weights: which are averaged.
        settings: say which average, if any.
        batches: of the whole training.
    """

    def __init__(self, weights: FlatParameters, settings: TrainSettings, batches: int) -> None:
        self._weights, self._decay = weights, settings.ema_decay
        # At most the batch before the last: a start that rounds to the end would average nothing.
        self._first = batches if settings.swa_start is None else min(round(settings.swa_start * batches), batches - 1)
        self._begun: int | None = None
        """The step before the first one that is averaged evenly."""
        self._average_P: torch.Tensor | None = None

    def update(self, step: int, done: int) -> None:
        """Count the weights in.

        Args:
            step: that they are of, counted from 1.
            done: batches that were trained on.
        """
        if self._begun is None and done > self._first:
            self._begun = step - 1
        share = self._share(step)
        if share == 1.0:
            self._average_P = self._weights.to_vector().clone()
        elif share and self._average_P is not None:
            self._average_P.lerp_(self._weights.to_vector(), share)

    def _share(self, step: int) -> float:
        """The part of the new weights in the average after them; 1 at its beginning, 0 before."""
        if self._decay:
            return 1.0 if step == 1 else (1 - self._decay) / (1 - self._decay**step)
        return 0.0 if self._begun is None else 1 / (step - self._begun)

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Within it the model has the averaged weights, where there are some."""
        if self._average_P is None:
            yield
            return
        own_P = self._weights.to_vector().clone()
        self._weights.load_vector(self._average_P)
        try:
            yield
        finally:
            self._weights.load_vector(own_P)

    def finish(self) -> None:
        """Leave the averaged weights in the model."""
        if self._average_P is not None:
            self._weights.load_vector(self._average_P)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of it."""
        if self._average_P is None:
            return {}
        begun = {} if self._begun is None else {_BEGUN: torch.tensor(self._begun)}
        return {_KEY: self._average_P} | begun

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to what `state` gave."""
        # A copy, since the average is updated in place, and a training may go back to one state several times.
        self._average_P = state[_KEY].to(self._weights.to_vector().device, copy=True) if _KEY in state else None
        self._begun = int(state[_BEGUN]) if _BEGUN in state else None
