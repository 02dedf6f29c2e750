"""What a training on examples is monitored by: their losses, on the model's completions, summed over groups.

Examples of one group, such as those of one template, are alike, so that they are one document of the tests and
intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.training import MonitoredDocuments, Monitoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example

MAX_MONITORED = 200
"""Examples on either side that are scored at each evaluation, at most: about as many as a recipe's documents."""


def monitor_examples(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    held_out: Sequence[Example],
    trained_on: Sequence[Example] = (),
    *,
    max_examples: int = MAX_MONITORED,
) -> Monitoring:
    """Held-out examples, and some of those that are trained on, as what `shoal.training.train` evaluates on its way.

    Args:
        model: whose context must hold them.
        tokenizer: the model's.
        held_out: examples that are not trained on.
        trained_on: those that are, for the gap; none measures no gap.
        max_examples: of either side, spread evenly over those given.

    Raises:
        DataError: there are no held-out examples, or one cannot be encoded.
        TooLongError: one does not fit into the model's context.
    """
    if not held_out:
        raise DataError("there are no held-out examples to evaluate on the way; hold some out, or give them")
    sample = _documents(model, tokenizer, trained_on, max_examples) if trained_on else None
    return Monitoring(held_out=_documents(model, tokenizer, held_out, max_examples), training_sample=sample)


def _documents(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example], max_examples: int
) -> MonitoredDocuments:
    """The examples as documents, those of one group together."""
    from shoal.evaluation import encode_rows, log_likelihoods

    chosen = [examples[place * len(examples) // max_examples] for place in range(max_examples)]
    if len(examples) <= max_examples:
        chosen = list(examples)
    rows = encode_rows(model, tokenizer, chosen)
    groups = [str(example.tags.get("group", f"example {place}")) for place, example in enumerate(chosen)]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    group_R = [numbers[group] for group in groups]

    def losses(learning: PreTrainedModel) -> list[float]:
        nats_R = -np.asarray(log_likelihoods(learning, rows))
        found: list[float] = np.bincount(group_R, weights=nats_R, minlength=len(numbers)).tolist()
        return found

    tokens = np.bincount(group_R, weights=[row.stop - row.start for row in rows], minlength=len(numbers))
    return MonitoredDocuments(losses=losses, tokens=[int(count) for count in tokens])
