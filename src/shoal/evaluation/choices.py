"""Log-likelihoods of the choices of items, and the choices that follow from them; a tie is no choice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.evaluation.batching import ScoringRow, row_check
from shoal.evaluation.likelihoods import log_likelihoods
from shoal.text import encode_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification.choices import ChoiceItem
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceScore:
    """How a model chose. An index is None where the best choices are equally good."""

    log_likelihoods: tuple[float, ...]
    """By choice, in nats."""

    choice: int | None
    choice_per_token: int | None
    """By the log-likelihood divided by the number of the choice's tokens."""

    choice_per_character: int | None
    choice_per_byte: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)


def score_choices(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    items: Sequence[ChoiceItem],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> list[ChoiceScore]:
    """Score the choices of items in one pass over all of them.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: the model's.
        items: contexts with their choices.
        token_budget: tokens of a batch, padding included; a longer choice goes alone.
        progress: called with (what, done, total).

    Raises:
        BoundaryError: a token covers the end of a context and the start of a choice.
        DataError: a choice has no tokens, or an id lies outside the model's vocabulary.
        TooLongError: context and choice are longer than the model's context.
    """
    places = [(item, choice) for item in items for choice in item.choices]
    pairs = encode_pairs(tokenizer, [(item.context, choice, False) for item, choice in places])
    rows = [ScoringRow(place, pair.ids, pair.boundary, 0, len(pair.target)) for place, pair in enumerate(pairs)]
    check = row_check(model)
    for row, (item, choice) in zip(rows, places, strict=True):
        check(row, item.context or choice)
    nats = iter(log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what="choices"))
    tokens = iter(len(pair.target) for pair in pairs)
    return [_score(item, [next(nats) for _ in item.choices], [next(tokens) for _ in item.choices]) for item in items]


def _score(item: ChoiceItem, nats: list[float], tokens: list[int]) -> ChoiceScore:
    return ChoiceScore(
        log_likelihoods=tuple(nats),
        choice=_greatest(nats, [1] * len(nats)),
        choice_per_token=_greatest(nats, tokens),
        choice_per_character=_greatest(nats, [len(choice) for choice in item.choices]),
        choice_per_byte=_greatest(nats, [len(choice.encode()) for choice in item.choices]),
    )


def _greatest(nats: list[float], lengths: list[int]) -> int | None:
    """The index of the greatest value per length; None where several have it."""
    values = [value / length for value, length in zip(nats, lengths, strict=True)]
    best = max(values)
    return values.index(best) if values.count(best) == 1 else None
