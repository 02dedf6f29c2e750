"""The record that an evaluator scored dummies of known accuracy as it must."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of one check."""

    name: str

    proves: str
    """What an evaluator that passes has shown, in one sentence."""

    expected: Mapping[str, Any]
    """The values that were due, by name: ``item`` and one of its fields, counts, shares, ... The unit ends the name
    where a value has one (``log_likelihood_nats``, ``margin_logits``)."""

    got: Mapping[str, Any]
    """The values that came instead, by the same names; ``error`` where the evaluator raised one."""

    passed: bool

    seconds: float
    """Wall-clock time, the making of the dummy included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The checks and their outcome; equal for equal arguments, apart from the seconds."""

    evaluator: str
    """The evaluator's module and name."""

    passed: bool
    """Whether every check passed."""

    checks: tuple[CheckResult, ...]

    fast: bool
    """Whether it was only the part that every run begins with."""

    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return {**asdict(self), "checks": [asdict(check) for check in self.checks]}

    def to_frame(self) -> pandas.DataFrame:
        """One row per check."""
        import pandas

        return pandas.DataFrame([asdict(check) for check in self.checks])

    def __str__(self) -> str:
        """What was proved, a line per check, and what came instead where it was not."""
        lines = []
        for check in self.checks:
            lines.append(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.proves}")
            if not check.passed:
                lines += [f"      expected {values_text(check.expected)}", f"      got      {values_text(check.got)}"]
        failed = sum(not check.passed for check in self.checks)
        outcome = "is certified" if self.passed else f"failed {failed} checks"
        seconds = sum(check.seconds for check in self.checks)
        lines.append(f"{self.evaluator} {outcome}: {len(self.checks)} checks in {seconds:.1f} s")
        return "\n".join(lines)


def values_text(values: Mapping[str, Any]) -> str:
    """Named values in a line: ``item 3, exact_match True``."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items()) or "nothing"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return str(value)
