"""An evaluator is proved on dummy models of known accuracy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shoal.errors import CertificationError
from shoal.evaluation.certification.certificate import Certificate, CheckResult
from shoal.evaluation.certification.checks import Check, Finding

if TYPE_CHECKING:
    from shoal.evaluation.certification.diff import Evaluator
    from shoal.progress import Progress


def certify(
    evaluator: Evaluator | None = None,
    *,
    fast: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    stop_at_first_failure: bool = False,
) -> Certificate:
    """Prove an evaluator on dummies whose right scores are known by construction.

    Dummies that are certain must be scored exactly, item by item; those that answer at random within the
    Clopper-Pearson interval at 1e-6. An evaluator that raises, or returns too few records, fails that check.

    Args:
        evaluator: called with a model, its tokenizer and examples; returns one record per example, with at least
            ``exact_match``. Other fields of `ItemScore` are certified where its records have them. By default
            shoal's own.
        fast: only the part that every run begins with.
        seed: random seed of the dummies that answer at random, and of the order of items.
        progress: called with (what, checks done, checks in all).
        stop_at_first_failure: leave out what follows the first check that fails.
    """
    if evaluator is None:
        # Here and not above: a foreign evaluator is certified without importing shoal's own.
        from shoal.evaluation import evaluate

        evaluator = evaluate
    due = checks(fast=fast)
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
    )


def checks(*, fast: bool) -> tuple[Check, ...]:
    """The checks in the order in which they are made: the cheapest and most informative ones first.

    Args:
        fast: only the essential ones, with which every run begins.
    """
    from shoal.evaluation.certification.essential_checks import ESSENTIAL
    from shoal.evaluation.certification.thorough_checks import THOROUGH

    return ESSENTIAL if fast else (*ESSENTIAL, *THOROUGH)


def _examine(check: Check, evaluator: Evaluator, seed: int) -> CheckResult:
    start = time.perf_counter()
    try:
        finding = check.examine(evaluator, seed)
    except CertificationError as fault:
        finding = Finding({"records": "one for each example"}, {"error": str(fault)}, passed=False)
    except Exception as fault:  # noqa: BLE001  # the evaluator is foreign code, and whatever it raises is its failure
        finding = Finding(
            {"records": "one for each example"}, {"error": f"{type(fault).__name__}: {fault}"}, passed=False
        )
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
