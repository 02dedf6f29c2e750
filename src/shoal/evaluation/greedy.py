"""The greedy continuation of items whose target the model does not emit, proved token by token.

Up to the first divergence the greedy text is the target; at it, scoring has found the argmax. From there a draft is
made (with a key-value cache, or from the rest of the target where the model has no cache) and scored by the very pass
that judges targets. What the pass confirms stays; where the draft leaves the argmax, the argmax replaces it and the
rest is drafted again. So the text is the greedy one whatever the draft was, and a bad draft costs time only (the
verification step of speculative decoding, Leviathan et al. 2023, at temperature 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.evaluation.batching import ScoringRow
from shoal.models import can_continue, decode_greedily

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.evaluation.scoring import Scorer, SpanScore
    from shoal.models import FactoredModel

Draft = tuple[int, ...]


@dataclass(slots=True)
class _Continuation:
    """The greedy continuation of one item, as far as it is proved."""

    item: int
    prompt: tuple[int, ...]
    target: tuple[int, ...]
    emitted: tuple[int, ...]
    broken: bool = False
    """A logit was not a number, so that the continuation stops here."""

    def done(self, end_id: int | None) -> bool:
        return self.broken or self.emitted[-1:] == (end_id,) or len(self.emitted) >= len(self.target)


def continue_wrong_items(
    factored: FactoredModel,
    scorer: Scorer,
    wrong: Sequence[SpanScore],
    end_id: int | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[int, tuple[int, ...]]:
    """The greedy continuation of every wrong item: up to its end token, at most as many tokens as its target has.

    Where a logit is not a number, the continuation stops before it.

    Args:
        factored: of the model, which is in evaluation mode.
        scorer: scores drafts.
        wrong: the span of each wrong item that ends with its first wrong token or later.
        end_id: the token that ends a continuation, if there is one.
        on_progress: called with the number of finished items and of all.
    """
    items = [_start(span) for span in wrong]
    going = [item for item in items if not item.done(end_id)]
    cached, may_pad = bool(going) and can_continue(factored), True
    while going:
        drafts = (
            _drafts(factored, going, end_id, may_pad=may_pad) if cached else [_rest_of_target(item) for item in going]
        )
        rows = [
            ScoringRow(
                place, (*item.prompt, *item.emitted, *draft), len(item.prompt) + len(item.emitted), 0, len(draft)
            )
            for place, (item, draft) in enumerate(zip(going, drafts, strict=True))
        ]
        for verdict in scorer.score(rows):
            _extend(going[verdict.row.item], verdict)
        going = [item for item in going if not item.done(end_id)]
        # A draft that failed may have failed for its padding: from now on numbers as near to the verdict as can be.
        may_pad = False
        if on_progress is not None:
            on_progress(len(items) - len(going), len(items))
    return {item.item: item.emitted for item in items}


def _start(span: SpanScore) -> _Continuation:
    row = span.row
    target = row.ids[row.boundary :]
    # Scoring has proved these tokens and the argmax behind them, so that drafting starts one token later.
    emitted = target[: span.wrong_at]
    if span.greedy_id is not None:
        emitted = (*emitted, span.greedy_id)
    return _Continuation(row.item, row.ids[: row.boundary], target, emitted, broken=span.greedy_id is None)


def _drafts(factored: FactoredModel, items: list[_Continuation], end_id: int | None, *, may_pad: bool) -> list[Draft]:
    prefixes = [(*item.prompt, *item.emitted) for item in items]
    limits = [len(item.target) - len(item.emitted) for item in items]
    drafts = decode_greedily(factored, prefixes, limits, end_id, may_pad=may_pad)
    return [tuple(draft) for draft in drafts]


def _rest_of_target(item: _Continuation) -> Draft:
    # The draft that costs nothing: a model that slipped at one token often continues as the target does.
    return item.target[len(item.emitted) :]


def _extend(item: _Continuation, verdict: SpanScore) -> None:
    """Append what is confirmed and, behind it, the argmax that the draft missed."""
    draft = verdict.row.ids[verdict.row.boundary :]
    item.emitted = (*item.emitted, *draft[: verdict.wrong_at])
    if verdict.wrong_at is not None:
        if verdict.greedy_id is None:
            item.broken = True
        else:
            item.emitted = (*item.emitted, verdict.greedy_id)
