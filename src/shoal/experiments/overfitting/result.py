"""The result of a comparison: a row per method, the asymptotes, and the verdict of each claim."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.overfitting.recipe import BASELINE, OverfitPlan
from shoal.wording import aligned_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from shoal.statistics import Estimate, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitRow:
    """One method."""

    name: str
    kind: str
    """``single``, a kind of ensemble, or ``distilled``."""

    meaning: str
    """What it does, in a few words."""

    failed: str = ""
    """Why it has no numbers, in one line."""

    test: Estimate | None = None
    """Bits per byte of the test text."""

    training: Estimate | None = None
    """Bits per byte of training text."""

    gap: Estimate | None = None
    """Test minus training, by seed."""

    gain: Estimate | None = None
    """Test bits per byte of the baseline minus those of the row, by seed: above 0 is better. None for the baseline."""

    by_seed: tuple[float, ...] = ()
    """Test bits per byte of each seed."""

    training_compute: float = 0.0
    """Floating-point operations, mean over the seeds."""

    inference_compute: float = 0.0
    """Floating-point operations per token."""

    parameters: int = 0
    """Of all of its models."""

    tokens: int = 0
    """That its models were trained on, together."""

    weights: tuple[float, ...] = ()
    """Of the members, mean over the seeds."""

    notes: dict[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asymptote:
    """``loss = floor + factor / size ** exponent``, over members of an ensemble or parameters of one model."""

    name: str
    axis: str
    """``members`` or ``parameters``."""

    sizes: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]
    """Test bits per byte, a row per seed."""

    floor: Estimate
    factor: float
    exponent: float
    exponent_is_fitted: bool

    def at(self, size: float) -> float:
        """The fitted loss at a size."""
        return float(self.floor.value + self.factor * size**-self.exponent)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        how = "fitted" if self.exponent_is_fitted else "given, since so few sizes cannot show it"
        last = f"{self.losses_mean[-1]:.4f} at {self.sizes[-1]:,.0f}"
        return f"{self.name}: asymptote {self.floor} bits per byte ({last}; exponent {self.exponent:.2f}, {how})"

    @property
    def losses_mean(self) -> tuple[float, ...]:
        """The mean over seeds at each size."""
        return tuple(np.mean(self.losses, axis=0).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim with its verdict."""

    claim: str
    better: str
    than: str
    smallest_effect: float
    verdict: Word
    effect: Estimate | None
    """Bits per byte by which ``better`` is below ``than``; None where one of them has no numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.effect is None:
            return f"{self.claim} No answer: {self.better} or {self.than} has no numbers."
        return (
            f"{self.claim} {self.verdict.capitalize()}: {self.better} is {self.effect} bits per byte below {self.than} "
            f"(what would matter: {self.smallest_effect:g})."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitResult:
    """A comparison, as far as it is done."""

    folder: Path
    plan: OverfitPlan
    rows: tuple[OverfitRow, ...]
    asymptotes: tuple[Asymptote, ...]
    claims: tuple[Claim, ...]
    distilled_shares: dict[str, Estimate]
    """From a distilled row to the share of its teacher's gain over the baseline that it has."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.plan.overfit.name,
            "folder": str(self.folder),
            "seeds": self.plan.overfit.seeds,
            "confidence": self.plan.overfit.confidence,
            "rows": [row.to_dict() for row in self.rows],
            "asymptotes": [one.to_dict() for one in self.asymptotes],
            "claims": [claim.to_dict() for claim in self.claims],
            "distilled_shares": {name: share.to_dict() for name, share in self.distilled_shares.items()},
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per method."""
        import pandas as pd

        columns = ("test", "training", "gap", "gain")
        rows = []
        for row in self.rows:
            flat: dict[str, Any] = {"row": row.name, "kind": row.kind, "failed": row.failed}
            for column in columns:
                estimate: Estimate | None = getattr(row, column)
                if estimate is not None:
                    flat |= {column: estimate.value, f"{column}_low": estimate.low, f"{column}_high": estimate.high}
            rows.append(flat | {"training_compute": row.training_compute, "inference_compute": row.inference_compute})
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        lines = [*self._table(), ""]
        lines += [f"{row.name} failed: {row.failed}" for row in self.rows if row.failed]
        lines += [str(one) for one in self.asymptotes]
        lines += [f"{name} keeps {share:.0%} of its teacher's gain" for name, share in self.distilled_shares.items()]
        lines += [str(claim) for claim in self.claims]
        return "\n".join(lines).strip()

    def _table(self) -> list[str]:
        """The rows, the best first, as aligned text."""
        head = ["row", "test bits per byte", "gain on baseline", "gap to training", "training", "use"]
        base = next((row.training_compute for row in self.rows if row.name == BASELINE), 0.0) or 1.0
        single = next((row.inference_compute for row in self.rows if row.name == BASELINE), 0.0) or 1.0
        rows = [
            [
                row.name,
                str(row.test),
                "" if row.gain is None else str(row.gain),
                str(row.gap),
                f"x{row.training_compute / base:.2f}",
                f"x{row.inference_compute / single:.2f}",
            ]
            for row in sorted_rows(self.rows)
        ]
        return aligned_rows([head, *rows])


def sorted_rows(rows: Sequence[OverfitRow]) -> list[OverfitRow]:
    """The rows that have numbers, the fewest bits per byte first."""
    scored = [(row.test.value, row) for row in rows if row.test is not None]
    return [row for _, row in sorted(scored, key=lambda pair: pair[0])]
