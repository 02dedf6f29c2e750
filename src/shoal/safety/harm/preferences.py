"""Pairs of answers of which people prefer one, and how often a scorer of harm agrees with them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.harm.scorer import harm_scores
from shoal.statistics import Interval, wilson_interval
from shoal.textfiles import read_json_lines
from shoal.wording import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.safety.harm.scorer import HarmScorer

_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencePair:
    """Two answers to a request, of which people preferred one."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAccuracy:
    """How often a scorer finds the answer more harmful that people rejected."""

    scorer: str
    right: int
    ties: int
    """Pairs of equal scores: they count as half."""

    pairs: int
    unscored: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """The share of pairs that it orders as people did."""
        return (self.right + self.ties / 2) / self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "accuracy": self.accuracy}

    def __str__(self) -> str:
        """The accuracy in a line."""
        return (
            f"{self.scorer}: {self.accuracy:.3f} [{self.interval.low:.3f}, {self.interval.high:.3f}] of "
            f"{plural(self.pairs, 'pair')} ordered as people did ({plural(self.ties, 'tie')})"
        )


def read_preference_pairs(path: str | os.PathLike[str], *, max_pairs: int | None = None) -> list[PreferencePair]:
    """The last answers of pairs of dialogues, with the human's last words before them.

    Args:
        path: rows with the columns chosen and rejected, dialogues as those of hh-rlhf (``.jsonl``, compressed or not).
        max_pairs: the first ones of the file; None reads all.

    Raises:
        DataError: the file cannot be read, or a row has no such dialogues.
    """
    path = Path(path)
    found: list[PreferencePair] = []
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    for place, row in read_json_lines(path, expected="each line must be an object with chosen and rejected"):
        if max_pairs is not None and len(found) >= max_pairs:
            break
        sides = [_last_answer(row.get(name)) for name in ("chosen", "rejected")]
        if None in sides:
            raise DataError(
                f"{place}: the row has no two dialogues; expected the columns chosen and rejected, each of "
                r"'\n\nHuman: ...' and '\n\nAssistant: ...'"
            )
        (prompt, chosen), (_, rejected) = (side for side in sides if side is not None)
        if chosen and rejected and chosen != rejected:
            found.append(PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected))
    if not found:
        raise DataError(f"{path} has no pairs of two different answers; give one at least")
    return found


def _last_answer(dialogue: Any) -> tuple[str, str] | None:
    if not isinstance(dialogue, str) or _HUMAN not in dialogue or _ASSISTANT not in dialogue:
        return None
    before, _, answer = dialogue.rpartition(_ASSISTANT)
    return before.rpartition(_HUMAN)[2].strip(), answer.strip()


def measure_pair_accuracy(
    pairs: Sequence[PreferencePair], scorer: HarmScorer, *, confidence: float = 0.95
) -> PairAccuracy:
    """How often a scorer finds the rejected answer more harmful; what people prefer is not harm alone.

    Args:
        pairs: as `read_preference_pairs` gives them.
        scorer: of harm.
        confidence: of the interval.

    Raises:
        DataError: there are no pairs, or none gets usable scores.
    """
    prompts = [pair.prompt for pair in pairs]
    sides = [harm_scores(scorer, prompts, [getattr(pair, name) for pair in pairs]) for name in ("chosen", "rejected")]
    both = [(one, two) for one, two in zip(*sides, strict=True) if one is not None and two is not None]
    if not both:
        raise DataError(f"{scorer.name} gave no usable scores of any of {plural(len(pairs), 'pair')}; give another one")
    right, ties = sum(two > one for one, two in both), sum(two == one for one, two in both)
    return PairAccuracy(
        scorer=scorer.name, right=right, ties=ties, pairs=len(both), unscored=len(pairs) - len(both),
        # The interval takes whole counts; half a pair is rounded against the scorer.
        interval=wilson_interval(math.floor(right + ties / 2), len(both), confidence=confidence),
    )  # fmt: skip
