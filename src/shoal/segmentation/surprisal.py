"""The channel of surprisal: segments by how well a language model foretells their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import UsageError
from shoal.segmentation.features import Features
from shoal.segmentation.sentence_vectors import length_trust
from shoal.segmentation.words import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import LoadedModel

_OPENING = "\n"
"""What the first sentence is predicted from."""


class Surprisal:
    """Reads sentences by the mean surprisal of their tokens, in bits a byte, given the sentences before them.

    The values are centred and scaled by the document's own mean and standard deviation, so what counts is where it
    becomes easier or harder to foretell than it is on the whole.

    Args:
        model: a model spec, or a model that is loaded already.
        context: how many sentences before it a sentence is predicted from.
        device: what torch calls a device, for a model that is loaded here.

    Raises:
        UsageError: the context is below 1.
    """

    name = "surprisal"

    def __init__(self, model: str | LoadedModel, *, context: int = 2, device: str = "auto") -> None:
        if context < 1:
            raise UsageError(f"the context is {context}; expected at least 1 sentence")
        self._model, self._context, self._device = model, context, device

    def features(self, sentences: Sequence[str]) -> Features:
        """The standardised surprisal of each sentence (N by 1), trusted by its number of words.

        Raises:
            ShoalError: as `shoal.models.load_model` and `shoal.evaluation.evaluate` do.
        """
        from shoal.evaluation import evaluate
        from shoal.models import load_model
        from shoal.tasks import Example

        loaded = load_model(self._model, device=self._device) if isinstance(self._model, str) else self._model
        examples = [
            Example(prompt=self._before(sentences, place), completion=f" {sentence}", ends=False)
            for place, sentence in enumerate(sentences)
        ]
        scores = evaluate(loaded.model, loaded.tokenizer, examples, greedy_text=False)
        bits = np.array([item.bits_per_byte for item in scores.items], dtype=np.float64)
        deviation = bits.std() or 1.0
        words = np.array([len(WORD.findall(sentence)) for sentence in sentences])
        return Features(vectors=((bits - bits.mean()) / deviation)[:, None], trust=length_trust(words))

    def _before(self, sentences: Sequence[str], place: int) -> str:
        return " ".join(sentences[max(0, place - self._context) : place]) or _OPENING
