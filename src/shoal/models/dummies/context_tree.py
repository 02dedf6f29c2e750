"""What a dummy predicts after every context that it knows: a tree of contexts with a row of logits at each node."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
