"""``shoal corpus``: describe a corpus, clean it, remove duplicates, augment it, or search it for held-out items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from shoal.cli.main import VERBS
from shoal.cli.options import Augment, Column, Copies, CorpusSource, Json, MaybeRows, Seed
from shoal.cli.terminal import counted, print_json, print_notice, progress_bars
from shoal.errors import UsageError

Documents = Annotated[Path, Parameter(name="--out", help="File to write the documents to (.txt, .jsonl or .parquet).")]
Similarity = Annotated[
    float, Parameter(help="Jaccard index of word 5-grams above which two documents are near duplicates.")
]

corpus = App(name="corpus", help=VERBS["corpus"])


@corpus.command
def card(
    source: CorpusSource,
    /,
    *,
    column: Column = "text",
    out: Path | None = None,
    name: str | None = None,
    licence: str = "not stated",
    similarity: Similarity = 0.7,
    as_json: Json = False,
) -> None:
    """Describe a corpus: size, words, diversity, duplicates.

    Parameters
    ----------
    out
        Folder to write card.md and card.json to.
    name
        Name of the corpus. Default: the source.
    licence
        Licence of the texts.
    """
    from shoal.corpora import describe_corpus, read_documents
    from shoal.files import atomic_file

    with progress_bars() as progress:
        texts = counted(read_documents(source, column=column), "documents", progress)
        found = describe_corpus(texts, name=name or source, licence=licence, threshold=similarity)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for file, content in (("card.md", found.to_markdown()), ("card.json", found.to_json())):
            # Each by itself: the two hold the same numbers, so that an old one beside a new one is wrong only until the
            # next run.
            with atomic_file(out / file) as partial:
                partial.write_text(content, encoding="utf-8")
        print_notice(f"written to {out}")
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


@corpus.command
def clean(
    source: CorpusSource,
    /,
    *,
    out: Documents,
    column: Column = "text",
    language: str | None = None,
    boilerplate: bool = True,
    plain: bool = True,
    as_json: Json = False,
) -> None:
    """Clean the documents of a corpus: encoding, boilerplate, typography, language.

    Parameters
    ----------
    language
        Keep the documents of this language only, such as en.
    boilerplate
        Remove publishers' headers, credits and page numbers.
    plain
        Write plain quotes, dashes, spaces and line ends.
    """
    from shoal.corpora import Cleaning, read_documents, write_documents

    cleaning = Cleaning(language=language, boilerplate=boilerplate, plain=plain)
    with progress_bars() as progress:
        # Halves of surrogate pairs, which every other verb refuses, are what this one mends.
        texts = counted(read_documents(source, column=column, broken=True), "documents", progress)
        write_documents(({"text": text} for text in cleaning.apply(texts)), out)
    counts = dict(cleaning.counts)
    print_notice(f"written to {out}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}")
    if as_json:
        print_json(counts)


@corpus.command
def dedupe(
    source: CorpusSource,
    /,
    *,
    out: Documents,
    column: Column = "text",
    similarity: Similarity = 0.7,
    as_json: Json = False,
) -> None:
    """Remove exact and near duplicates; the first of them stays."""
    from shoal.corpora import DuplicateFinder, read_documents, write_documents

    finder = DuplicateFinder(threshold=similarity)
    # The numbers of documents and not their texts, so that memory does not grow with the corpus.
    dropped: list[dict[str, Any]] = []

    def unique(texts: Iterable[str]) -> Iterator[dict[str, str]]:
        for text in texts:
            found = finder.check(text)
            if found is None:
                yield {"text": text}
            else:
                dropped.append({"document": found.document, "of": found.original, "similarity": found.similarity})

    with progress_bars() as progress:
        written = write_documents(unique(counted(read_documents(source, column=column), "documents", progress)), out)
    print_notice(f"{written:,} documents written to {out}, {len(dropped):,} duplicates dropped")
    if as_json:
        print_json({"kept": written, "dropped": dropped})


@corpus.command
def augment(
    source: CorpusSource,
    /,
    *,
    out: Documents,
    augment: Augment,
    held_out: Path | None = None,
    copies: Copies = 1,
    seed: Seed = 0,
    column: Column = "text",
    as_json: Json = False,
) -> None:
    """Write the documents of a corpus with rewritten ones behind each.

    Parameters
    ----------
    held_out
        Documents that are neither written nor augmented, and that no document may be equal to.
    """
    from shoal.corpora import read_documents, write_documents
    from shoal.curation.augmentation import CorpusAugmentation

    reserved = read_documents(held_out, column=column) if held_out is not None else ()
    methods = CorpusAugmentation(augment or [], copies=copies, seed=seed, held_out=reserved)
    with progress_bars() as progress:
        texts = counted(read_documents(source, column=column), "documents", progress)
        written = write_documents(({"text": text} for text in methods.apply(texts)), out)
    print_notice(f"{written:,} documents written to {out}")
    if as_json:
        print_json([asdict(count) for count in methods.counts])
    else:
        print("\n".join(map(str, methods.counts)))


@corpus.command
def contamination(
    source: CorpusSource,
    /,
    *,
    task: str | None = None,
    data: MaybeRows = None,
    ngram: int = 8,
    column: Column = "text",
    as_json: Json = False,
) -> None:
    """Search a corpus for the held-out items of a task or of rows.

    Parameters
    ----------
    task
        A built-in task, whose held-out items are searched for.
    ngram
        Number of successive words that count as a copy.
    """
    from shoal.corpora import find_contamination, read_documents

    items = _held_out(task, data)
    with progress_bars() as progress:
        texts = counted(read_documents(source, column=column), "documents", progress)
        found = find_contamination(texts, items, run=ngram)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


def _held_out(task: str | None, data: Path | None) -> list[str]:
    """Prompt and completion of every held-out item."""
    from shoal.tasks import END_TOKEN, make_task, read_rows, rows_by_part

    if task is not None and data is None:
        rows = list(make_task(task).held_out)
    elif data is not None and task is None:
        rows = read_rows(data, end_token=END_TOKEN)
        rows = rows_by_part(rows).get("held_out", rows)
    else:
        raise UsageError("nothing to search for: give either --task NAME or --data ROWS.jsonl")
    # Together: prompts of a task are often alike, and would be found in any text on its subject.
    return [row.prompt + row.completion for row in rows]
