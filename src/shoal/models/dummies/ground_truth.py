"""The scores that an evaluator must give a dummy, read off its tree in plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.dummies.context_tree import ContextTree, Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """The right scores of one example. Positions count completion tokens from 0, the end token included."""

    exact_match: bool
    first_divergence: int | None
    divergence: Literal["ended-early", "went-on", "other"] | None
    margin: float
    """The least of target logit minus best other logit up to and including the first divergence."""
    token_margins: tuple[float, ...]
    tokens: int
    token_accuracy: float
    log_likelihood: float
    """Sum over the target in nats; not-a-number where a row is."""
    greedy: tuple[int, ...]
    """The greedy continuation, at most as long as the target, the end token included where it comes."""
    greedy_ends: bool


def ground_truth(
    tree: ContextTree, prompt: Sequence[int], target: Sequence[int], end_id: int, twins: int = 1
) -> GroundTruth:
    """The right scores of a dummy on one example.

    Args:
        tree: of the dummy.
        prompt: token ids.
        target: token ids, the end token included.
        end_id: the end token.
        twins: how often the head repeats the row of each token.
    """
    tokens = tree.tokens
    start = node = tree.find(prompt)
    rows = []
    for token in target:
        rows.append(tree.predictions[node])
        node = tree.step(node, token)
    due = list(zip(rows, target, strict=True))
    answer = [greedy_token(row, tokens) for row in rows]
    hits = [one == token and not math.isnan(row.floor) for one, (row, token) in zip(answer, due, strict=True)]
    margins = [_margin(row, token, tokens, twins) for row, token in due]
    first = hits.index(False) if False in hits else None
    greedy = _greedy(tree, start, len(target), end_id)
    divergence: Literal["ended-early", "went-on", "other"] | None = None
    if first is not None:
        early, late = answer[first] == end_id, target[first] == end_id
        divergence = "ended-early" if early else "went-on" if late else "other"
    return GroundTruth(
        exact_match=first is None,
        first_divergence=first,
        divergence=divergence,
        margin=min(margins if first is None else margins[: first + 1]),
        token_margins=tuple(margins),
        tokens=len(target),
        token_accuracy=sum(hits) / len(hits),
        log_likelihood=sum(_log_probability(row, token, tokens, twins) for row, token in due),
        greedy=greedy,
        greedy_ends=end_id in greedy,
    )


def greedy_token(row: Prediction, tokens: int) -> int:
    """The token of the greatest logit; at a tie the lowest id. A row that is not a number gives 0, as torch does.

    Args:
        row: of logits.
        tokens: how many tokens there are.
    """
    if math.isnan(row.floor):
        return 0
    best = max((logit for _, logit in row.logits), default=-math.inf)
    listed = {token for token, _ in row.logits}
    candidates = [token for token, logit in row.logits if logit >= max(best, row.floor)]
    if row.floor >= best or not row.logits:
        # Of all tokens at the floor the lowest id; among the first len(listed) + 1 ids one at least is not listed.
        candidates += [token for token in range(len(listed) + 1) if token not in listed][:1]
    return min(token for token in candidates if token < tokens)


def _margin(row: Prediction, target: int, tokens: int, twins: int) -> float:
    listed = dict(row.logits)
    own = listed.pop(target, row.floor)
    others = list(listed.values())
    # The floor counts only where a token besides the target has it.
    if len(listed) + 1 < tokens:
        others.append(row.floor)
    # A twin of the target has its very logit.
    if twins > 1:
        others.append(own)
    return own - max(others)


def _log_probability(row: Prediction, target: int, tokens: int, twins: int) -> float:
    listed = dict(row.logits)
    mass = sum(math.exp(logit) for logit in listed.values()) + (tokens - len(listed)) * math.exp(row.floor)
    return listed.get(target, row.floor) - math.log(mass) - math.log(twins)


def _greedy(tree: ContextTree, node: int, length: int, end_id: int) -> tuple[int, ...]:
    answer: list[int] = []
    while len(answer) < length and (not answer or answer[-1] != end_id):
        answer.append(greedy_token(tree.predictions[node], tree.tokens))
        node = tree.step(node, answer[-1])
    return tuple(answer)
