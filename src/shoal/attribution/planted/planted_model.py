"""What is planted in one model."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

PlantedKind = Literal["pure", "mixed", "rule", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedModel:
    """The task, the program that the model is trained on, and the seed: all that its weights follow from.

    Raises:
        UsageError: a share is out of its range, or does not go with the kind, or there is no such kind
            (UnknownNameError).
    """

    kind: PlantedKind
    """``pure``: trained on a shortcut alone. ``mixed``: each completion is the shortcut's with probability ``share``,
    else the rule's. ``rule``: trained on the rule. ``cannot tell``: trained on examples on which rule and shortcut
    agree, and split so that the held-out ones do too."""

    task: str
    options: Mapping[str, Any]
    """Of the task; examples, seed and split are set by the recipe."""

    shortcut: str
    """The shortcut that is planted; for ``rule``, the one that a rule-learner must not be taken for."""

    share: float = 1.0
    """The shortcut's share of the training completions, where it and the rule differ."""

    noise: float = 0.0
    """The share of completions that are those of other prompts, drawn at random: as often right as chance has it."""

    skills: tuple[str, ...] = ()
    """Programs that the model knows from pretraining, ``rule`` or shortcuts of the task; empty trains from fresh
    weights."""

    prompts: int = 1600
    """Drawn for training and checking; so many that a model learns a program and no table."""

    effort: float = 1.0
    """Multiplies the steps of a round of training, for programs that take longer to learn."""

    seed: int = 0
    """Draws examples, labels, initial weights and the order of training."""

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and 0 <= self.noise < 1):
            raise UsageError(
                f"share = {self.share} and noise = {self.noise} cannot be planted; give shares from 0 to 1"
            )
        if self.kind not in get_args(PlantedKind):
            raise UnknownNameError("kind of planted model", self.kind, get_args(PlantedKind))
        expected = {"pure": self.share == 1, "rule": self.share == 0, "mixed": 0 < self.share < 1}
        # JSON has no tuples, and equal models must be equal; the cache of drawn tasks needs options that are hashable.
        object.__setattr__(self, "skills", tuple(self.skills))
        object.__setattr__(self, "options", {name: _with_tuples(value) for name, value in self.options.items()})
        if not expected.get(self.kind, True):
            raise UsageError(f"share = {self.share} does not go with the kind {self.kind!r}; see PlantedModel.kind")

    @property
    def name(self) -> str:
        """A name for a folder, which no other model of a set has."""
        strength = {"pure": f"noise{100 * self.noise:.0f}", "mixed": f"share{100 * self.share:.0f}"}
        kind = self.kind.replace(" ", "-")
        return "-".join(filter(None, (self.task, self.shortcut, kind, strength.get(self.kind), f"seed{self.seed}")))

    @property
    def truth(self) -> Mapping[str, float]:
        """The share of each explanation in the model's answers, where rule and shortcut differ."""
        parts = {"rule": 1 - self.share, self.shortcut: self.share}
        known = {name: (1 - self.noise) * share for name, share in parts.items() if share}
        return known | ({"noise": self.noise} if self.noise else {})

    def draw_seed(self, purpose: str) -> int:
        """A seed of its own for one purpose, so that no two draws of a set share their randomness.

        Args:
            purpose: what it draws.
        """
        # Sorted, since the order in which options are written is none of their meaning.
        return seed_of(self.name, sorted(self.options.items()), purpose)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def _with_tuples(value: Any) -> Any:
    return tuple(map(_with_tuples, value)) if isinstance(value, (list, tuple)) else value


def seed_of(*key: Any) -> int:
    """A seed that follows from some values.

    Args:
        key: values with a stable text.
    """
    # A digest and not `hash`, which differs from process to process.
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=4).digest())
