"""The record that an evaluator scored dummies of known accuracy as it must."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came out of one check."""

    name: str

    proves: str
    """What an evaluator that passes has shown, in one sentence."""

    expected: str
    got: str
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

    def to_text(self) -> str:
        """What was proved, a line a check, and what came instead where it was not."""
        lines = []
        for check in self.checks:
            lines.append(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.proves}")
            if not check.passed:
                lines += [f"      expected {check.expected}", f"      got      {check.got}"]
        failed = sum(not check.passed for check in self.checks)
        outcome = "is certified" if self.passed else f"failed {failed} checks"
        seconds = sum(check.seconds for check in self.checks)
        lines.append(f"{self.evaluator} {outcome}: {len(self.checks)} checks in {seconds:.1f} s")
        return "\n".join(lines)
