"""How good certification is: the mutants that it kills, and the right evaluators that it passes.

Every mutant of exact match is an evaluator with one fault, shown to change a score against `generate()` on some case.
Half of them were written when the dummies had been frozen; their rate says how well the suite finds faults that it was
not made for. Mutants of choices and of generation are right evaluators with one step exchanged.

    python -m benchmarks.mutants                       # exact match
    python -m benchmarks.mutants choices generation    # the other kinds

Each mutant is printed and appended to bench-out/mutants.jsonl when it has been judged.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.processes import ROOT, append_part, write_result


def main() -> None:
    import torch

    sys.path.insert(0, str(ROOT / "tests" / "evaluation"))
    torch.set_num_threads(1)
    if sys.argv[1:]:
        write_result("mutants_of_kinds", {kind: score_kind(kind) for kind in sys.argv[1:]})
        return
    from mutants import scoring

    verdicts = []
    todo = [(kind, name) for name in scoring.HALVES for kind in scoring.mutants(name)]
    for kind, half in todo:
        one = scoring.verdict(kind, half)
        verdicts.append(one)
        append_part("mutants", row(one))
        outcome = f"killed by: {one.killed_by.name}" if one.killed_by else "SURVIVES"
        shown = "" if one.changes else "   (not shown to change a score: not counted)"
        print(f"{one.half:6} {one.name:28} {one.seconds:5.2f} s  {outcome}{shown}\n       {one.fault}", flush=True)
    rates = {half: rate([one for one in verdicts if one.half == half]) for half in scoring.HALVES}
    alarms = right_evaluators()
    for name, (killed, counted) in rates.items():
        print(f"{name}: {killed} of {counted} killed ({killed / counted:.1%})")
    seconds = sum(one.seconds for one in verdicts)
    print(f"{seconds:.1f} CPU-seconds for all mutants")
    print(f"{len(alarms)} right evaluators, {sum(map(bool, alarms.values()))} of them failed")
    write(verdicts, rates, alarms)


def score_kind(kind: str) -> dict[str, Any]:
    """The mutants and the right evaluators of choices or of generation."""
    from mutants import choice_mutants, choice_right, generation_mutants, generation_right
    from shoal.evaluation import certify

    families = {
        "choices": (choice_mutants.Choosing, choice_right.RIGHT_CHOICES),
        "generation": (generation_mutants.Answering, generation_right.RIGHT_GENERATION),
    }
    base, right = families[kind]
    start, killed = time.process_time(), {}
    for mutant in base.mutants:
        certificate = certify(mutant(), kind=kind, stop_at_first_failure=True)
        killed[mutant.__name__] = None if certificate.passed else certificate.checks[-1].name
        print(f"{mutant.__name__:28} {killed[mutant.__name__] or 'SURVIVES'}\n       {mutant.__doc__}", flush=True)
    seconds = time.process_time() - start
    alarms = {}
    for evaluator in (None, *right, base()):
        certificate = certify(evaluator, kind=kind)
        alarms[certificate.evaluator] = sum(not check.passed for check in certificate.checks)
        print(f"{certificate.evaluator:60} {alarms[certificate.evaluator]} checks failed", flush=True)
    count = sum(name is not None for name in killed.values())
    print(f"{kind}: {count} of {len(killed)} killed in {seconds:.1f} CPU-seconds, {len(alarms)} right evaluators")
    return {"killed_by": killed, "cpu_seconds": seconds, "failed_checks_of_right_evaluators": alarms}


def rate(verdicts: list[Any]) -> tuple[int, int]:
    """How many are killed of those that are mutants."""
    counted = [one for one in verdicts if one.changes]
    return sum(one.killed_by is not None for one in counted), len(counted)


def right_evaluators() -> dict[str, int]:
    """The number of failed checks of each evaluator that is right."""
    from mutants.correct import CORRECT

    from shoal.evaluation import certify, evaluate, evaluate_by_generation

    alarms = {}
    for evaluator in (evaluate, evaluate_by_generation, *CORRECT):
        start = time.process_time()
        failed = sum(not check.passed for check in certify(evaluator).checks)
        name = f"{evaluator.__module__}.{evaluator.__name__}"
        seconds = time.process_time() - start
        print(f"{name:60} {seconds:5.1f} CPU-s  {failed} checks failed", flush=True)
        append_part("mutants", {"right_evaluator": name, "failed_checks": failed, "cpu_seconds": seconds})
        alarms[name] = failed
    return alarms


def row(verdict: Any) -> dict[str, Any]:
    """What is recorded of a mutant."""
    return {
        "name": verdict.name,
        "fault": verdict.fault,
        "half": verdict.half,
        "killed_by": verdict.killed_by.name if verdict.killed_by else None,
        "changes": verdict.changes,
        "cpu_seconds": verdict.seconds,
    }


def write(verdicts: list[Any], rates: dict[str, tuple[int, int]], alarms: dict[str, int]) -> None:
    """All of it as JSON beside the other benchmarks."""
    rows = [row(one) for one in verdicts]
    write_result("mutants", {"mutants": rows, "rates": rates, "failed_checks_of_right_evaluators": alarms})


if __name__ == "__main__":
    main()
