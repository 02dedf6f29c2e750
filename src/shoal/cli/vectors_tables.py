"""What ``shoal vectors`` prints: sizes, neighbours and shapes; scores on sets; a table a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.vectors import DimensionReport, VectorReport
    from shoal.text.vectors import AnalogyScore, SimilarityScore, WordVectors


def print_report(report: VectorReport) -> None:
    """Sizes, neighbours and shapes."""
    own = report.vectors
    count, width = own.contextual[-1].shape
    kinds = "tied" if own.tied else "not tied"
    print(f"{own.model}: {len(own.contextual) - 1} layers")
    print(f"  input vectors       {own.input_VD.shape[0]} x {own.input_VD.shape[1]}")
    if own.output_VD is not None:
        print(f"  output vectors      {own.output_VD.shape[0]} x {own.output_VD.shape[1]} ({kinds} to the input)")
    print(f"  vectors of the text {count} x {width} at each layer\n")
    for each in report.neighbours:
        print(f"  {each.token!r}, length {each.length:.3g}")
        for measure, near in each.nearest.items():
            said = " ".join(f"{name!r}{'*' if name in each.only[measure] else ''}" for name, _ in near)
            print(f"    {measure:18}  {said}")
    print("  (* near by this measure alone)\n")
    for pair in report.agreement:
        print(f"  {pair.first} and {pair.second}: {pair.shared:.0%} shared, the same first for {pair.same_first:.0%}")
    print(f"\n  {'vectors':10}{'number':>8}{'cosine':>9}{'centred':>9}{'IsoScore':>10}{'partition':>11}{'hubs':>7}")
    for shape in report.geometry:
        hubs = "-" if shape.hub_skewness is None else f"{shape.hub_skewness:.2f}"
        print(
            f"  {shape.space:10}{shape.count:8}{shape.mean_cosine:9.3f}{shape.centred_cosine:9.3f}"
            f"{shape.iso_score:10.3f}{shape.partition_ratio:11.2g}{hubs:>7}"
        )


def print_scores(
    name: str, each: WordVectors, scores: Sequence[SimilarityScore], asked: Sequence[AnalogyScore]
) -> None:
    """A line a set."""
    print(f"{name}: {len(each.words):,} words, {each.dimension} dimensions")
    for score in scores:
        found = "too few pairs are known"
        if score.spearman is not None:
            found = f"{score.spearman:.3f} [{score.low:.3f}, {score.high:.3f}]"
        print(f"  {score.name:22}  {found:24}  {score.known} of {score.pairs} pairs known ({score.coverage:.0%})")
    for answers in asked[-1:]:
        share = "none is known" if answers.share is None else f"{answers.share:.1%} right"
        print(f"  {'analogies':22}  {share:24}  {answers.known} of {answers.questions} questions known")
    print()


def print_dimensions(report: DimensionReport) -> None:
    """A table a task, and the cost."""
    for finding in report.findings:
        print(f"\n{finding.task} ({finding.items} items to report on): best by validation {finding.best}")
        for each in finding.scores:
            print(
                f"  {each.dimension:5}  {each.score:.3f}  loss {each.loss:+.3f} [{each.low:+.3f}, {each.high:+.3f}]  "
                f"{each.standing}"
            )
        enough = "no smaller one is shown to be as good" if finding.enough is None else f"{finding.enough} is enough"
        few = "" if finding.items_needed is None else f"; too few items, about {finding.items_needed:,} settle it"
        print(f"  {enough}{few}\n  claim: {finding.claim}: {finding.verdict}")
    print("\ncost")
    for cost in report.costs:
        print(f"  {cost.dimension:5}  {cost.seconds:8.1f} CPU-seconds  {cost.bytes / 2**20:7.1f} MiB")
