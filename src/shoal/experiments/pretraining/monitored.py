"""The documents that a pretraining is monitored by: those held out, and as many that are trained on.

Both the training loop and the records want the losses of the held-out documents after the same steps. They are measured
once for each state of the weights.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.experiments.pretraining.scoring import HeldOutSet, held_out_set
from shoal.training import MonitoredDocuments, Monitoring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import numpy.typing as npt
    from transformers import PreTrainedModel

    from shoal.experiments.pretraining.callbacks import Clock
    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.records import HeldOutScore


@dataclass(slots=True)
class MeasuredOnce:
    """A set of documents that is read once for each state of a model's weights."""

    documents: HeldOutSet
    _digest: str = ""
    _nats_R: list[float] = field(default_factory=list)

    def nats(self, model: PreTrainedModel) -> list[float]:
        """The log-likelihood of each row, in nats."""
        from shoal.models import model_digest

        # By the weights themselves: the step alone does not say whether they are the averaged ones.
        digest = model_digest(model)
        if digest != self._digest:
            self._nats_R, self._digest = self.documents.nats(model), digest
        return self._nats_R

    def score(self, model: PreTrainedModel) -> HeldOutScore:
        """Bits per byte, with a bootstrap interval over documents."""
        return self.documents.score_of(self.nats(model))

    def losses(self, model: PreTrainedModel) -> npt.NDArray[np.float64]:
        """The loss of each document in nats."""
        return self.documents.losses_of(self.nats(model))


def training_sample_sets(prepared: Prepared, recipe: Recipe, held_out: Mapping[str, MeasuredOnce]) -> list[HeldOutSet]:
    """Documents that may be trained on, of each corpus as many as are held out and scored.

    Args:
        prepared: the data of the training.
        recipe: says how long a document may be.
        held_out: the held-out documents, by corpus.
    """
    context = recipe.training.context or recipe.model.context
    found = (
        held_out_set(
            prepared.corpora[name],
            prepared.split.seen[name],
            max_documents=len(one.documents.sizes),
            context=context,
        )
        for name, one in held_out.items()
    )
    return [one for one in found if one is not None]


def monitoring_of(
    prepared: Prepared, recipe: Recipe, held_out: Mapping[str, MeasuredOnce], clock: Clock | None
) -> Monitoring | None:
    """What the training loop evaluates, after the steps whose scores are recorded; None where nothing is held out.

    Args:
        prepared: the data of the training.
        recipe: says when.
        held_out: the held-out documents, by corpus.
        clock: that stands still meanwhile; None in a process that measures nothing.
    """
    from shoal.experiments.pretraining.callbacks import score_steps

    if not held_out:
        return None
    sample = training_sample_sets(prepared, recipe, held_out)

    def held_out_losses(model: PreTrainedModel) -> list[float]:
        with _standing_still(clock):
            return [float(nats) for one in held_out.values() for nats in one.losses(model)]

    def sample_losses(model: PreTrainedModel) -> list[float]:
        with _standing_still(clock):
            return [float(nats) for one in sample for nats in one.losses_of(one.nats(model))]

    return Monitoring(
        held_out=MonitoredDocuments(
            losses=held_out_losses, tokens=[count for one in held_out.values() for count in one.documents.tokens]
        ),
        training_sample=MonitoredDocuments(losses=sample_losses, tokens=[n for one in sample for n in one.tokens]),
        steps=score_steps(prepared.stream.steps, recipe.evaluation.every),
    )


@contextmanager
def _standing_still(clock: Clock | None) -> Iterator[None]:
    """Within it a clock of training does not run."""
    if clock is None:
        yield
        return
    clock.stop()
    try:
        yield
    finally:
        clock.start()
