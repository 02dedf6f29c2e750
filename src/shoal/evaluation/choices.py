"""Log-likelihoods of the choices of items, and the choices that follow from them; a tie is no choice.

Items are encoded, packed and scored by the code of ``shoal eval``: shared beginnings are computed once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.evaluation.benchmarks.encoding import RequestEncoder
from shoal.evaluation.benchmarks.packing import find_header, pack_requests
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.prefix_scoring import PrefixScorer
from shoal.models import factor_model
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification.choices import ChoiceItem
    from shoal.evaluation.prefix_trees import TokenRequest
    from shoal.models.fast import FastModel
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceScore:
    """How a model chose. An index is None where the best choices are equally good."""

    log_likelihoods: tuple[float, ...]
    """By choice, in nats; white space at the end of a context is scored with the choice."""

    choice: int | None
    choice_per_token: int | None
    """By the log-likelihood divided by the number of the choice's tokens."""

    choice_per_character: int | None
    choice_per_byte: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)


def score_choices(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast,
    items: Sequence[ChoiceItem],
    *,
    token_budget: int = 1536,
    progress: Progress | None = None,
) -> list[ChoiceScore]:
    """Score the choices of items.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: the model's.
        items: contexts with their choices.
        token_budget: tokens of a batch, padding included; a longer choice goes alone.
        progress: called with (what, done, total).

    Raises:
        DataError: an item has no choices, a choice has no tokens, or an id lies outside the model's vocabulary.
        TooLongError: a choice is longer than the model's context.
    """
    if not items:
        return []
    for place, item in enumerate(items):
        if not item.choices:
            raise DataError(f"item {place} ({item.context[:40]!r}) has no choices; give at least one")
    report, done = progress or no_progress, 0
    pairs = [(item.context, choice) for item in items for choice in item.choices]
    rows = iter(RequestEncoder(model, tokenizer).pairs(pairs))
    requests = {str(place): [next(rows).request for _ in item.choices] for place, item in enumerate(items)}
    header = find_header(requests)
    nats: dict[str, list[float]] = {}
    with scoring_mode(model):
        longest = max(len(request.ids) for each in requests.values() for request in each)
        scorer = PrefixScorer(factor_model(model, max_length=longest))
        for block in pack_requests(requests, header, token_budget):
            scores = iter(scorer.score([each for name in block for each in requests[name]], header))
            nats |= {name: [next(scores).log_likelihood for _ in requests[name]] for name in block}
            done += len(block)
            report("choices", done, len(items))
    return [_score(item, nats[str(place)], requests[str(place)]) for place, item in enumerate(items)]


def _score(item: ChoiceItem, nats: list[float], requests: list[TokenRequest]) -> ChoiceScore:
    return ChoiceScore(
        log_likelihoods=tuple(nats),
        choice=_greatest(nats, [1] * len(nats)),
        choice_per_token=_greatest(nats, [len(request.target) for request in requests]),
        choice_per_character=_greatest(nats, [len(choice) for choice in item.choices]),
        choice_per_byte=_greatest(nats, [len(choice.encode()) for choice in item.choices]),
    )


def _greatest(nats: list[float], lengths: list[int]) -> int | None:
    """The index of the greatest value per length; None where several have it."""
    values = [value / length for value, length in zip(nats, lengths, strict=True)]
    best = max(values)
    return values.index(best) if values.count(best) == 1 else None
