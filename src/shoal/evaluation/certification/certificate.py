"""An evaluator is proved on dummy models of known accuracy, and gets a record that it scored them as it must."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import CertificationError, UnknownNameError
from shoal.evaluation.certification.item_kinds import Finding, ItemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

    from shoal.evaluation.certification.checks import Check
    from shoal.evaluation.certification.item_kinds import Evaluator
    from shoal.progress import Progress


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

    kind: str = "exact-match"
    """What the evaluator was certified for: exact-match, choices or generation."""

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


def certify(
    evaluator: Evaluator | None = None,
    *,
    kind: str = "exact-match",
    fast: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    stop_at_first_failure: bool = False,
) -> Certificate:
    """Prove an evaluator on dummies whose right scores are known by construction.

    Dummies that are certain must be scored exactly, item by item; those that answer at random within the
    Clopper-Pearson interval at 1e-6. An evaluator that raises, or returns too few records, fails that check.

    Args:
        evaluator: called with a model, its tokenizer and items; returns one record per item. By default shoal's own.
        kind: what it is certified for. ``exact-match``: items are `Example`, records have at least ``exact_match``;
            other fields of `ItemScore` are certified where they are there. ``choices``: items are `ChoiceItem`,
            records are a chosen index, log-likelihoods, or the fields of `ChoiceKind`. ``generation``: items are
            `GenerationItem`, records are a filtered answer, a verdict, or the fields of `GenerationKind`.
        fast: only the part that every run begins with.
        seed: random seed of the dummies that answer at random, and of the order of items.
        progress: called with (what, checks done, checks in all).
        stop_at_first_failure: leave out what follows the first check that fails.

    Raises:
        UnknownNameError: there is no such kind.
    """
    subject = find_kind(kind)
    evaluator = subject.own_evaluator() if evaluator is None else evaluator
    due = subject.checks(fast=fast)
    results: list[CheckResult] = []
    for done, check in enumerate(due, start=1):
        results.append(_examine(check, evaluator, seed))
        if progress is not None:
            progress("certify", done, len(due))
        if stop_at_first_failure and not results[-1].passed:
            break
    return Certificate(
        evaluator=_name(evaluator),
        passed=all(result.passed for result in results),
        checks=tuple(results),
        fast=fast,
        seed=seed,
        kind=kind,
    )


def find_kind(name: str) -> ItemKind[Any]:
    """The kind of items that a name stands for.

    Raises:
        UnknownNameError: there is no such kind.
    """
    # The kinds register themselves by name when they are imported.
    from shoal.evaluation.certification import choices, generation  # noqa: F401

    if name not in ItemKind.known:
        raise UnknownNameError("kind of certificate", name, ItemKind.known)
    return ItemKind.known[name]


def _examine(check: Check, evaluator: Evaluator, seed: int) -> CheckResult:
    start = time.perf_counter()
    try:
        finding = check.examine(evaluator, seed)
    except Exception as fault:  # noqa: BLE001  # the evaluator is foreign code, and whatever it raises is its failure
        error = str(fault) if isinstance(fault, CertificationError) else f"{type(fault).__name__}: {fault}"
        finding = Finding({"records": "one for each example"}, {"error": error}, passed=False)
    return CheckResult(
        name=check.name,
        proves=check.proves,
        expected=finding.expected,
        got=finding.got,
        passed=finding.passed,
        seconds=time.perf_counter() - start,
    )


def _name(evaluator: Evaluator) -> str:
    name = getattr(evaluator, "__qualname__", type(evaluator).__qualname__)
    return f"{getattr(evaluator, '__module__', type(evaluator).__module__)}.{name}"


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
