"""What a dummy predicts after every context that it knows: a tree of contexts with a row of logits at each node.

The scores that an evaluator must give a dummy are read off its tree, in plain Python.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN = 0
"""The node of every context that is not in the tree."""

ROOT = 1
"""The node of the empty context."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row of logits: a few tokens stand out, all others share the floor."""

    logits: tuple[tuple[int, float], ...]
    """(token id, logit), each id at most once."""

    floor: float = 0.0
    """The logit of every other token; not-a-number makes the whole row so."""


@dataclass(slots=True)
class ContextTree:
    """The tree. What is written first stays: a context that two items share keeps the first one's prediction."""

    tokens: int
    """The number of tokens that differ from each other: the size of a prediction's row."""

    unknown: Prediction
    """What is predicted after every context that nothing was written for."""

    children: dict[tuple[int, int], int] = field(default_factory=dict)
    """(node, token id) to node."""

    predictions: list[Prediction] = field(default_factory=list)
    """By node."""

    _written: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        # For UNKNOWN and ROOT. No child is ever added to UNKNOWN, so that a walk that has left the tree stays outside.
        self.predictions.extend([self.unknown, self.unknown])

    def find(self, context: Sequence[int]) -> int:
        """The node of a context, ``UNKNOWN`` where it is not in the tree."""
        node = ROOT
        for token in context:
            node = self.step(node, token)
        return node

    def step(self, node: int, token: int) -> int:
        """The node that one more token leads to."""
        return self.children.get((node, token), UNKNOWN)

    def write(self, context: Sequence[int], predictions: Sequence[tuple[Prediction, int]]) -> None:
        """Walk on from a context: at each place leave the prediction, then follow the token.

        Args:
            context: the token ids read so far.
            predictions: (prediction, token id to follow), one per place.
        """
        node = ROOT
        for token in context:
            node = self._child(node, token)
        for prediction, token in predictions:
            if node not in self._written:
                self._written.add(node)
                self.predictions[node] = prediction
            node = self._child(node, token)

    def _child(self, node: int, token: int) -> int:
        child = self.children.get((node, token))
        if child is None:
            child = len(self.predictions)
            self.children[node, token] = child
            self.predictions.append(self.unknown)
        return child


def confident(token: int, place: int, runner_up: int | None = None) -> Prediction:
    """A prediction with one clear winner; how clear depends on the place, so that no two places look alike.

    All logits are multiples of 1/2, which every float type represents exactly.

    Args:
        token: the winner.
        place: its position in the target.
        runner_up: the token that comes second; None for none.
    """
    confidence = 6.0 + 0.5 * (place % 4)
    if runner_up is None or runner_up == token:
        return Prediction(((token, confidence),))
    return Prediction(((token, confidence), (runner_up, confidence - 1.5)))


def hash_uniform(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the arguments."""
    # Not hash(), which for text differs from process to process.
    digest = hashlib.sha256(repr((seed, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


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
    greedy = _walk(tree, start, len(target), end_id)
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


def greedy_continuation(tree: ContextTree, prompt: Sequence[int], length: int, end_id: int) -> tuple[int, ...]:
    """What a dummy continues a prompt with, the end token included where it comes.

    Args:
        tree: of the dummy.
        prompt: token ids.
        length: the most tokens.
        end_id: the end token, behind which nothing is generated.
    """
    return _walk(tree, tree.find(prompt), length, end_id)


def _walk(tree: ContextTree, node: int, length: int, end_id: int) -> tuple[int, ...]:
    answer: list[int] = []
    while len(answer) < length and (not answer or answer[-1] != end_id):
        answer.append(greedy_token(tree.predictions[node], tree.tokens))
        node = tree.step(node, answer[-1])
    return tuple(answer)
