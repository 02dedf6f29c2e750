"""What a training learns from, and what it is measured on: drawn by seed, and kept apart."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.safety.tuning.rows import InstructionPair, SafetyRequest

_WORDS = re.compile(r"[^\W_]+")


def balanced_requests(requests: Sequence[SafetyRequest], *, per_type: int | None, seed: int = 0) -> list[SafetyRequest]:
    """Equally many requests of each type, drawn at random, in the order that they stand in.

    Args:
        requests: of any types.
        per_type: of each type, at most; None takes all.
        seed: of the draw.
    """
    if per_type is None:
        return list(requests)
    draw = random.Random(f"{seed} requests")
    taken: set[int] = set()
    for kind in dict.fromkeys(one.type for one in requests):
        places = [place for place, one in enumerate(requests) if one.type == kind]
        # A type with fewer requests gives all that it has.
        taken.update(draw.sample(places, min(per_type, len(places))))
    return [requests[place] for place in sorted(taken)]


def check_both_kinds(requests: Sequence[SafetyRequest]) -> None:
    """Refuse requests of one kind alone: a rate of refusals says nothing without the other.

    Raises:
        DataError: all are harmful, or all are safe.
    """
    harmful = sum(one.harmful for one in requests)
    if harmful in (0, len(requests)):
        kind, other = ("harmful", "safe") if harmful else ("safe", "harmful")
        raise DataError(
            f"all {len(requests)} requests are {kind}; give {other} ones too: a model that always refuses, or never, "
            "would look perfect"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldPairs:
    """Instruction pairs without those that are measured on."""

    pairs: tuple[InstructionPair, ...]
    withheld: int
    """Pairs that were left out since their instruction is one of the requests."""


def withhold_requests(pairs: Sequence[InstructionPair], requests: Iterable[SafetyRequest]) -> WithheldPairs:
    """Leave out the pairs whose instruction is a request, up to case and punctuation.

    Args:
        pairs: to train on.
        requests: to measure on.
    """
    known = {_plain(one.prompt) for one in requests}
    left = tuple(pair for pair in pairs if _plain(pair.instruction) not in known)
    return WithheldPairs(pairs=left, withheld=len(pairs) - len(left))


def _plain(text: str) -> str:
    return " ".join(_WORDS.findall(text.lower()))
