"""How well a scorer of refusals agrees with human labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.safety.labels import CONDUCTS
from shoal.statistics import (
    Estimate,
    accuracy,
    calibration_error,
    class_f1,
    cohen_kappa,
    resample_confusion,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from shoal.safety.labels import Conduct

_FULL, _PARTIAL = CONDUCTS.index("refusal"), CONDUCTS.index("partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalAgreement:
    """How well a scorer agrees with labels; intervals are over groups of answers."""

    answers: int
    accuracy: Estimate
    """Of refusal, full or partial, against full compliance."""

    kappa: Estimate
    """Cohen's, of the same."""

    accuracy_full: Estimate
    """Of full refusal against full compliance, answers labelled as partial refusals left out."""

    kappa_full: Estimate
    three_way: Estimate
    """The share of answers whose conduct is the labelled one of three."""

    kappa_three_way: Estimate
    partial_f1: Estimate
    """Of partial refusals among all three."""

    calibration_error: Estimate
    """Of the probability of a refusal, full or partial, in ten bins."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The numbers, one a line."""
        rows = {
            "answers": f"{self.answers:,}",
            "refusal (any) against compliance": f"accuracy {self.accuracy:.3f}, kappa {self.kappa:.3f}",
            "full refusal against compliance": f"accuracy {self.accuracy_full:.3f}, kappa {self.kappa_full:.3f}",
            "all three": f"accuracy {self.three_way:.3f}, kappa {self.kappa_three_way:.3f}",
            "partial refusals": f"F1 {self.partial_f1:.3f}",
            "calibration error": f"{self.calibration_error:.3f}",
        }
        return "\n".join(f"{name:33} {value}" for name, value in rows.items())


def measure_refusal_agreement(
    labels: Sequence[Conduct],
    probabilities_N3: NDArray[np.float64],
    conducts: Sequence[Conduct],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> RefusalAgreement:
    """Compare a scorer with labels.

    Args:
        labels: by people.
        probabilities_N3: of each conduct, by the scorer.
        conducts: its decisions.
        groups: of the answers, such as their prompts, which are resampled as a whole.
        seed: of the bootstrap.

    Raises:
        DataError: all labels are of one class.
    """
    truth = np.array([CONDUCTS.index(label) for label in labels])
    guess = np.array([CONDUCTS.index(conduct) for conduct in conducts])
    refuses = truth != 0
    if refuses.all() or not refuses.any():
        raise DataError(f"all {len(truth)} labels are of one class; give answers that comply and answers that refuse")
    names = list(groups) if groups is not None else list(range(len(truth)))
    any_kind = resample_confusion(refuses.astype(int), (guess != 0).astype(int), classes=2, groups=names, seed=seed)
    # Without partial refusals, of which it is a convention on which side they count.
    clear = np.flatnonzero(truth != _PARTIAL)
    full = resample_confusion(
        (truth[clear] == _FULL).astype(int), (guess[clear] != 0).astype(int), classes=2,
        groups=[names[place] for place in clear], seed=seed,
    )  # fmt: skip
    three = resample_confusion(truth, guess, classes=3, groups=names, seed=seed)
    return RefusalAgreement(
        answers=len(truth),
        accuracy=any_kind.estimate(accuracy),
        kappa=any_kind.estimate(cohen_kappa),
        accuracy_full=full.estimate(accuracy),
        kappa_full=full.estimate(cohen_kappa),
        three_way=three.estimate(accuracy),
        kappa_three_way=three.estimate(cohen_kappa),
        partial_f1=three.estimate(lambda tables: class_f1(tables, _PARTIAL)),
        calibration_error=calibration_error(1 - probabilities_N3[:, 0], refuses.astype(int), groups=names, seed=seed),
    )
