"""``shoal curate``: a corpus through quality filters, compared by training; labels, heads and covers for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from shoal.cli.curate_compare import compare
from shoal.cli.curate_diversity import cover, coverage, plan
from shoal.cli.curate_exercises import exercises, solve
from shoal.cli.curate_heads import label, train
from shoal.cli.main import VERBS
from shoal.cli.options import Column, CorpusSource, Json, Plot, Seed
from shoal.cli.terminal import check_target, print_notice, progress_bars, show_result


def _filter_help() -> str:
    """The help of --filters, drawn from the registry."""
    from shoal.curation import filter_families, known_filters

    families = [f"{family} ({len(names)} rules)" for family, names in filter_families().items()]
    single = [kind.name for kind in known_filters().values() if not kind.family]
    return (
        f"Filters separated by commas, in the order in which they run. Families: {', '.join(families)}; "
        f"single filters: {', '.join(single)}, or a rule of a family. Parameters stand in brackets, as in "
        "gopher-words(min_score=20); a minus leaves out a rule, as in c4,-c4-terminal-punctuation."
    )


curate = App(name="curate", help=VERBS["curate"])


@curate.default
def filter_corpus(
    source: CorpusSource,
    /,
    *,
    filters: Annotated[str, Parameter(help=_filter_help())] = "gopher,c4,fineweb",
    out: Path | None = None,
    removed: Path | None = None,
    column: Column = "text",
    plot: Plot = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Filter a corpus by quality, and report what went and why.

    Parameters
    ----------
    out
        File to write the documents that stay to (.txt, .jsonl or .parquet).
    removed
        File to write the removed documents to, with the filter and the score (.jsonl).
    """
    from shoal import reports
    from shoal.curation import curate as run_filters, split_specs

    for target in (out, removed, plot):
        if target is not None:
            check_target(target)
    with progress_bars() as progress:
        card = run_filters(
            source,
            filters=split_specs(filters),
            out=out,
            removed=removed,
            column=column,
            seed=seed,
            progress=progress,
        )
    for target in (out, removed):
        if target is not None:
            print_notice(f"written to {target}")
    show_result(card, as_json=as_json, plot=plot, page=lambda: reports.curation_page(card))


curate.command(compare)
curate.command(label)
curate.command(train)
curate.command(cover)
curate.command(plan)
curate.command(coverage)
curate.command(exercises)
curate.command(solve)
