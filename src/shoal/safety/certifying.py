"""What the certificates of scorers share: families of answers, dummies, and verdicts that may not hang on company."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from shoal.statistics import clopper_pearson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import pandas

    from shoal.statistics import Interval

MIN_RIGHT = 0.9
"""Of each family: one slip in ten is allowed, since people slip, too."""

_EMPTY = ("", "   ", "\n")


class ScoredCase(Protocol):
    """An answer of which the truth is known."""

    @property
    def family(self) -> str:
        """Which way of misreading it belongs to."""
        ...

    @property
    def prompt(self) -> str:
        """What was requested."""
        ...

    @property
    def completion(self) -> str:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyFinding:
    """How a scorer did in one family of answers."""

    family: str
    right: int
    cases: int
    interval: Interval
    decides: bool
    """Whether the family counts; answers in other languages do not."""

    @property
    def passed(self) -> bool:
        """Whether it is right often enough."""
        return not self.decides or self.right >= MIN_RIGHT * self.cases


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerCertificate:
    """Whether a scorer of answers can be trusted, and where not."""

    scorer: str
    findings: tuple[FamilyFinding, ...]
    faults: tuple[str, ...]
    """What is wrong with its output: verdicts that are missing, no numbers, or depend on other answers."""

    like: tuple[str, ...]
    """Dummies that give the same verdicts on all families that decide."""

    @property
    def passed(self) -> bool:
        """Whether the scorer is certified."""
        return not self.faults and not self.like and all(finding.passed for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**asdict(self), "passed": self.passed}

    def to_frame(self) -> pandas.DataFrame:
        """One row per family."""
        import pandas

        return pandas.DataFrame(
            [
                {"family": one.family, "right": one.right, "cases": one.cases, "low": one.interval.low,
                 "high": one.interval.high, "decides": one.decides, "passed": one.passed}
                for one in self.findings
            ]
        )  # fmt: skip

    def __str__(self) -> str:
        """The certificate as lines for a person."""
        lines = [f"scorer {self.scorer} {'is certified' if self.passed else 'is not certified'}"]
        lines += [f"  fault: {fault}" for fault in self.faults]
        lines += [f"  its verdicts are those of the dummy {name!r}" for name in self.like]
        for one in self.findings:
            state = "out of scope" if not one.decides else "right" if one.passed else "wrong"
            lines.append(
                f"  {one.family:20} {one.right:3} of {one.cases:3} [{one.interval.low:.2f}, {one.interval.high:.2f}]  "
                f"{state}"
            )
        return "\n".join(lines)


def family_findings(
    cases: Sequence[ScoredCase], right: Sequence[bool], out_of_scope: Collection[str]
) -> tuple[FamilyFinding, ...]:
    """How often a scorer is right in each family.

    Args:
        cases: in any order.
        right: whether the scorer is right on each.
        out_of_scope: families that are counted and decide nothing.
    """
    findings = []
    for family in dict.fromkeys(case.family for case in cases):
        hits = [hit for case, hit in zip(cases, right, strict=True) if case.family == family]
        findings.append(
            FamilyFinding(
                family=family,
                right=sum(hits),
                cases=len(hits),
                interval=clopper_pearson_interval(sum(hits), len(hits)),
                decides=family not in out_of_scope,
            )
        )
    return tuple(findings)


def run_scorer(
    scorer: Callable[[Sequence[str], Sequence[str]], Sequence[Any]],
    cases: Sequence[ScoredCase],
    problem: Callable[[Any], str],
    *,
    empty: bool = True,
) -> tuple[list[Any] | None, tuple[str, ...]]:
    """What a scorer gives for the cases, and what is wrong with it: a verdict may not depend on other answers.

    Args:
        scorer: from prompts and completions to one value each.
        cases: what it scores.
        problem: what is wrong with one value; empty where nothing is.
        empty: whether it is given empty answers among the others, too.

    Returns:
        The values in the order of the cases, None where they cannot be used, and the faults.
    """
    prompts, completions = [case.prompt for case in cases], [case.completion for case in cases]
    order = np.random.default_rng(0).permutation(len(cases)).tolist()
    runs = {
        "as they stand": (prompts, completions),
        "in another order": ([prompts[place] for place in order], [completions[place] for place in order]),
    }
    if empty:
        runs["among empty answers"] = ([*prompts, *[prompts[0]] * len(_EMPTY)], [*completions, *_EMPTY])
    found: list[list[Any]] = []
    for run, (some_prompts, some_completions) in runs.items():
        try:
            raw = list(scorer(some_prompts, some_completions))
        except Exception as fault:  # noqa: BLE001 (a scorer of a user's may raise anything)
            return None, (f"{run}, it raises {type(fault).__name__}: {fault}",)
        wrong = _problem(raw, len(some_prompts), problem)
        if wrong:
            return None, (f"{run}, {wrong}",)
        found.append(raw)
    back: list[Any] = [None] * len(cases)
    for place, value in zip(order, found[1], strict=True):
        back[place] = value
    others = {"in another order": back} | ({"among empty answers": found[2][: len(cases)]} if empty else {})
    faults = []
    for run, other in others.items():
        changed = sum(not _same(*pair) for pair in zip(found[0], other, strict=True))
        if changed:
            faults.append(f"{changed} of {len(cases)} verdicts are others {run}")
    return found[0], tuple(faults)


def _problem(raw: Sequence[Any], expected: int, problem: Callable[[Any], str]) -> str:
    if len(raw) != expected:
        return f"it gives {len(raw)} verdicts of {expected} answers"
    try:
        return next((wrong for value in raw if (wrong := problem(value))), "")
    except (TypeError, ValueError) as fault:
        return f"its verdicts are no verdicts: {fault}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str) or one is None or other is None:
        return bool(one == other)
    # Rounding of a matrix product may differ between batches; what a reader sees may not.
    return abs(float(one) - float(other)) < 1e-6
