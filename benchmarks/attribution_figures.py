"""The figures of `benchmarks.attribution`: how often the truth was named, how far shares are off, and calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from shoal.statistics import wilson_interval

Record = dict[str, Any]
BINS = 10


def print_figures(records: Sequence[Record]) -> None:
    """Print every figure, with a 95% interval where it is a share of models."""
    by_kind = {
        kind: [each for each in records if each["kind"] == kind] for kind in ("pure", "mixed", "rule", "cannot tell")
    }
    print("\n| what | explain | plain agreement |\n|---|---|---|")
    for kind in ("pure", "mixed"):
        _row(f"{kind}: the shortcut is named", by_kind[kind], named, baseline_named)
    for noise in sorted({each["noise"] for each in by_kind["pure"]}):
        _row(
            f"pure, {noise:.0%} noise",
            [each for each in by_kind["pure"] if each["noise"] == noise],
            named,
            baseline_named,
        )
    for share in sorted({each["share"] for each in by_kind["mixed"]}):
        own = [each for each in by_kind["mixed"] if each["share"] == share]
        _row(f"mixed, share {share:g}", own, named, baseline_named)
        _row(f"mixed, share {share:g}: called a mixture with the rule", own, called_mixture, lambda _: False)
    _row("rule-learners: called so", by_kind["rule"], called_rule, lambda each: each["baseline"]["names"] == ["rule"])
    _row("cannot tell: called so", by_kind["cannot tell"], called_open, baseline_open)
    _print_precision(by_kind)
    _print_shares(by_kind)
    _print_calibration(records)
    _print_search(by_kind)
    _print_adaptive(records)


def named(record: Record) -> bool:
    """Whether the verdict is a shortcut or a mixture and names the planted shortcut, or one that no item separates."""
    return record["verdict"] in ("shortcut", "mixture") and bool(set(record["names"]) & set(record["equals"]))


def baseline_named(record: Record) -> bool:
    """Whether the planted shortcut alone gives the most answers."""
    return set(record["baseline"]["names"]) <= set(record["equals"])


def called_mixture(record: Record) -> bool:
    """Whether the verdict is a mixture of the planted shortcut and the rule."""
    return record["verdict"] == "mixture" and named(record) and bool(set(record["names"]) & set(record["rule_equals"]))


def called_rule(record: Record) -> bool:
    """Whether the verdict is the rule."""
    return record["verdict"] == "rule"


def called_open(record: Record) -> bool:
    """Whether the verdict is that rule and shortcut cannot be told apart."""
    return record["verdict"] == "cannot tell" and {"rule", record["shortcut"]} <= set(record["names"])


def baseline_open(record: Record) -> bool:
    """Whether rule and shortcut give equally many answers, and the most."""
    return {"rule", record["shortcut"]} <= set(record["baseline"]["names"])


def _row(what: str, records: Sequence[Record], holds: Callable[[Record], bool], peer: Callable[[Record], bool]) -> None:
    if records:
        cells = [_share(sum(map(test, records)), len(records)) for test in (holds, peer)]
        print(f"| {what} | {cells[0]} | {cells[1]} |")


def _share(count: int, total: int) -> str:
    if not total:
        return "none"
    interval = wilson_interval(count, total)
    return f"{count} of {total}, {count / total:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def _print_precision(by_kind: dict[str, list[Record]]) -> None:
    """Of all shortcuts that verdicts name as explaining a model, those that were planted in it."""
    for kinds in (("pure",), ("mixed",), ("rule",), ("pure", "mixed", "rule", "cannot tell")):
        right = total = 0
        for record in (each for kind in kinds for each in by_kind[kind]):
            if record["verdict"] in ("shortcut", "mixture"):
                # Explanations that no item separates are named together and count once.
                names = set(record["names"]) - set(record["rule_equals"]) - {"noise"}
                planted = set() if record["kind"] == "rule" else names & set(record["equals"])
                right += bool(planted)
                total += bool(planted) + len(names - set(record["equals"] if planted else ()))
        print(f"precision of named shortcuts, {', '.join(kinds)}: {_share(right, total)}")


def _print_shares(by_kind: dict[str, list[Record]]) -> None:
    for kind in ("pure", "mixed"):
        if not by_kind[kind]:
            continue
        errors, from_measured, covered, peers = [], [], 0, []
        for record in by_kind[kind]:
            truth = record["share"] * (1 - record["noise"])
            own = sum(record["shares"].get(name, 0.0) for name in record["equals"])
            errors.append(own - truth)
            if record["measured_share"] is not None and kind == "mixed":
                from_measured.append(own - record["measured_share"])
                name = record["shortcut"]
                covered += record["lows"][name] <= record["measured_share"] <= record["highs"][name]
            peers.append(record["baseline"]["share"] - truth)
        print(
            f"share of the shortcut, {kind}: mean error {mean(errors):+.3f}, "
            f"mean absolute error {mean(map(abs, errors)):.3f}, largest {max(map(abs, errors)):.3f}"
        )
        if from_measured:
            print(
                f"  from the share on fresh prompts: mean absolute error {mean(map(abs, from_measured)):.3f}; "
                f"in the 95% interval {_share(covered, len(from_measured))}"
            )


def _print_calibration(records: Sequence[Record]) -> None:
    """Expected calibration error (Naeini et al. 2015, AAAI): ten bins, weighted |mean probability - frequency|."""
    pairs, tops = [], []
    for record in records:
        main = _main(record)
        if main is None:
            continue
        for name, probability in record["leads"].items():
            if name not in main or name == next(iter(main)):
                value = sum(record["leads"].get(each, 0.0) for each in main) if name in main else probability
                pairs.append((min(1.0, value), name in main))
        best = max(record["leads"], key=record["leads"].__getitem__)
        value = sum(record["leads"].get(each, 0.0) for each in main) if best in main else record["leads"][best]
        tops.append((min(1.0, value), best in main))
    items = [tuple(pair) for record in records for pair in record["item_calibration"]]
    for what, found in (
        ("(model, explanation) pairs", pairs),
        ("the leading explanation of each model", tops),
        ("items with a known source", items),
    ):
        if found:
            print(f"calibration error over {what}: {calibration_error(found):.4f} ({len(found)})")


def _main(record: Record) -> list[str] | None:
    """The explanations that are the main one in truth; None where two are equally so."""
    if record["kind"] == "cannot tell" or record["share"] == 0.5:
        return None
    return record["rule_equals"] if record["share"] < 0.5 else record["equals"]


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """The expected calibration error of probabilities and outcomes."""
    probabilities = np.array([probability for probability, _ in pairs])
    outcomes = np.array([outcome for _, outcome in pairs], dtype=float)
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [
        abs(probabilities[places == place].mean() - outcomes[places == place].mean()) * (places == place).sum()
        for place in range(BINS)
        if (places == place).any()
    ]
    return math.fsum(gaps) / len(pairs)


def _print_search(by_kind: dict[str, list[Record]]) -> None:
    for kind in ("pure", "mixed"):
        own = [each["search"] for each in by_kind[kind] if "search" in each]
        if own:
            found = sum(each["found"] for each in own)
            print(f"search, {kind}: the shortcut taken out is found: {_share(found, len(own))}")
    own = [each["search"] for each in by_kind["rule"] if "search" in each]
    if own:
        print(f"search, rule-learners: invents a shortcut: {_share(sum(each['invented'] for each in own), len(own))}")


def _print_adaptive(records: Sequence[Record]) -> None:
    own = [each["adaptive"] for each in records if "adaptive" in each]
    if not own:
        return
    for order in ("discriminating", "random"):
        right = [each[order] for each in own if each[order]["right"]]
        items = median(each["items"] for each in right) if right else math.nan
        print(
            f"adaptive, {order}: settled rightly {_share(len(right), len(own))}, the truth rejected "
            f"{_share(sum(each[order]['rejected'] for each in own), len(own))}, median items {items:g}"
        )
    both = [each for each in own if each["discriminating"]["right"] and each["random"]["right"]]
    if both:
        ratio = median(each["discriminating"]["items"] / each["random"]["items"] for each in both)
        print(f"adaptive: items against random ones, median ratio {ratio:.3f} ({len(both)})")
