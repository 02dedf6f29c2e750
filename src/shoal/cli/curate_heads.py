"""``shoal curate label`` and ``train``: labels of documents, and a head that learns from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Column, CorpusSource, Flag, Json, PriceIn, PriceOut, Seed, Timeout, Vectors, Yes
from shoal.cli.terminal import check_target, confirmed, print_json, print_notice, progress_bars
from shoal.errors import DataError, UsageError
from shoal.wording import plural

Threshold = Annotated[int, Parameter(help="Label from which on a document is good.")]


def label(
    source: CorpusSource,
    /,
    *,
    out: Path,
    count: int = 300,
    labels: Path | None = None,
    vectors: Vectors = "hashed",
    threshold: Threshold = 3,
    pool: int = 5000,
    judge: str | None = None,
    judge_model: str | None = None,
    constrained: Flag = False,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    column: Column = "text",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Choose documents to label next, and have a judge label them, or write them with an empty label for you.

    Parameters
    ----------
    out
        File to write text and label to (.jsonl); the judge's answers go to a file next to it, and the same command
        resumes there.
    count
        Number of documents.
    labels
        Documents that are labelled already (.jsonl, .parquet or .csv with text and label): others are chosen, where a
        head trained on them is unsure.
    pool
        Number of random documents of the source among which is chosen.
    judge
        OpenAI-compatible endpoint of the judge, such as http://localhost:8080/v1; OPENAI_API_KEY holds its key.
    judge_model
        Name of the judge's model at the endpoint.
    constrained
        Constrain the judge's answers to a JSON schema, where its endpoint can (llama.cpp, vLLM, OpenAI).
    """
    from shoal.corpora import write_documents
    from shoal.corpora.llm import Endpoint
    from shoal.curation.classifier import EducationalJudge, draw_documents, read_labels

    check_target(out)
    if out.suffix != ".jsonl":
        raise UsageError(f"cannot write labels to {out.name}: give a file that ends in .jsonl")
    if (judge is None) != (judge_model is None):
        raise UsageError("a judge needs both --judge URL and --judge-model NAME")
    _keep_labels(out, labels, is_judged=judge is not None)
    with progress_bars() as progress:
        chosen = draw_documents(
            source,
            count,
            labelled=[] if labels is None else read_labels(labels),
            vectors=vectors,
            threshold=threshold,
            pool=pool,
            column=column,
            seed=seed,
            progress=progress,
        )
        points: list[int | None] = [None] * len(chosen)
        if judge is not None and judge_model is not None:
            judging = EducationalJudge(
                Endpoint(url=judge, model=judge_model, timeout=timeout),
                # Beside the labels, so that a labelling that was interrupted calls the judge for the rest alone.
                out.with_suffix(".answers.jsonl"),
                constrained=constrained,
                progress=progress,
            )
            cost = judging.estimate(chosen, price_in=price_in, price_out=price_out)
            print_notice(f"labels: {cost}")
            # Prices of 0 are those of a local server, which needs no consent.
            if cost.max_money > 0 and not yes and not confirmed():
                raise UsageError("the judge was not called; give --yes to spend what the estimate names")
            points = judging(chosen)
    write_documents(({"text": text, "label": one} for text, one in zip(chosen, points, strict=True)), out)
    summary = {
        "file": str(out),
        "documents": len(chosen),
        "labelled": sum(one is not None for one in points),
        "labels": {str(one): points.count(one) for one in sorted({one for one in points if one is not None})},
    }
    if as_json:
        print_json(summary)
    else:
        print(f"{summary['documents']:,} documents written to {out}, {summary['labelled']:,} of them labelled")


def _keep_labels(out: Path, labels: Path | None, *, is_judged: bool) -> None:
    """Refuse to write over labels that a person has given.

    Raises:
        UsageError: the file is the one of the labels that are there, or has labels, and no judge who gives them again.
    """
    from shoal.corpora import read_document_rows

    if not out.exists():
        return
    if labels is not None and labels.exists() and out.samefile(labels):
        raise UsageError(f"{out} holds the labels that are there already; give another --out")
    if is_judged:
        return
    try:
        filled = sum(row.get("label") not in (None, "") for row in read_document_rows(out))
    except DataError:
        return  # another file
    if filled:
        raise UsageError(
            f"{out} holds {plural(filled, 'label')}, which would be lost; give it with --labels, and another --out"
        )


def train(
    labels: Path,
    /,
    *,
    out: Path,
    vectors: Vectors = "hashed",
    threshold: Threshold = 3,
    folds: int = 5,
    source: str | None = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train a head that scores documents from labels, and measure how well it agrees with labels it has not seen.

    Parameters
    ----------
    labels
        Rows of text and label, a whole number, and perhaps group (.jsonl, .parquet or .csv); rows without a label are
        left out.
    out
        Folder to write the head to, for the filter educational-value(head=FOLDER).
    folds
        Number of parts that are left out in turn.
    source
        What the labels are; it is saved with the head. Default: the name of the file.
    """
    from shoal.curation.classifier import read_labels, train_quality_head

    with progress_bars() as progress:
        report = train_quality_head(
            read_labels(labels),
            vectors=vectors,
            threshold=threshold,
            folds=folds,
            source=source or str(labels),
            seed=seed,
            progress=progress,
        )
    report.head.save(out)
    print_notice(f"written to {out}")
    if as_json:
        print_json(report.to_dict())
    else:
        print(report)
