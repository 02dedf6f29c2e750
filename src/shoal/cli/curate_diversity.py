"""``shoal curate cover``, ``plan`` and ``coverage``: diversity by vectors and by constraints."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from shoal.cli.options import Column, CorpusSource, Json, Seed, Vectors
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars


def cover(
    source: CorpusSource,
    /,
    *,
    count: int,
    out: Path | None = None,
    vectors: Vectors = "hashed",
    method: Literal["farthest", "facility"] = "farthest",
    column: Column = "text",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Choose documents that cover a corpus, and report how far the others are from them.

    Parameters
    ----------
    count
        Number of documents to choose.
    out
        File to write the chosen documents to (.txt, .jsonl or .parquet).
    method
        farthest minds outliers (k-center), facility where most documents are (facility location).
    """
    from shoal.corpora import read_document_rows, write_documents
    from shoal.curation import find_cover
    from shoal.curation.classifier import encode_all, make_vectorizer

    if out is not None:
        check_target(out)
    rows = list(read_document_rows(source, column=column))
    with progress_bars() as progress:
        found = encode_all(make_vectorizer(vectors), [row[column] for row in rows], progress=progress)
    chosen = find_cover(found, count, method=method, seed=seed)
    if out is not None:
        # In the order of the corpus, and under the name by which other commands read a text.
        write_documents(({**rows[place], "text": rows[place][column]} for place in sorted(chosen.places)), out)
        print_notice(f"written to {out}")
    if as_json:
        print_json(chosen.to_dict())
    else:
        print(chosen)


def plan(space: Path, /, *, out: Path, count: int, seed: Seed = 0, as_json: Json = False) -> None:
    """Draw what to write under constraints, every value of an axis equally often.

    Parameters
    ----------
    space
        TOML file with template and axes.NAME.values, such as topic, audience or function name; axes.NAME.check is
        mention, function, grade or none.
    out
        File to write prompts and constraints to (.jsonl or .parquet).
    count
        Number of prompts.
    """
    from shoal.corpora import write_documents
    from shoal.curation.constraints import load_constraints
    from shoal.errors import UsageError

    check_target(out)
    if out.suffix == ".txt":
        raise UsageError(f"{out.name} would lose the constraints; give a file that ends in .jsonl or .parquet")
    found = load_constraints(space)
    write_documents(found.draw(count, seed=seed), out)
    if as_json:
        print_json({"file": str(out), "prompts": count, "combinations": found.size})
    else:
        print(f"{count:,} prompts of {found.size:,} combinations written to {out}")


def coverage(rows: CorpusSource, space: Path, /, *, column: Column = "text", as_json: Json = False) -> None:
    """Check whether texts meet the constraints that they were written under, and how evenly they cover them.

    Parameters
    ----------
    rows
        Rows of plan with the text that was written for each.
    space
        TOML file of the constraints.
    """
    from shoal.corpora import read_document_rows
    from shoal.curation.constraints import load_constraints, measure_coverage

    constraints = load_constraints(space)
    found = measure_coverage(list(read_document_rows(rows, column=column)), constraints, column=column)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
