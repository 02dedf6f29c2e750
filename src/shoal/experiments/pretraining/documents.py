"""The documents of a corpus: read or generated, cleaned, without their repeats, and kept as one Parquet file.

The file is named by a digest of what it was made from, so that it is made once for all runs that share a cache. A
document's id is the digest of its text up to white space; it names the document in every list and run. Of a hub data
set the newest revision is read when a run is begun, and then the same one to its end.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corpora import HUB, parse_hub, pin
from shoal.errors import DataError, StoreError, UnavailableError
from shoal.experiments.storage import disk_faults, read_json, write_json
from shoal.files import digest_of_files
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.tables import DocumentsTable
    from shoal.progress import Progress


FORMAT = 2
"""Raised where equal sources would give other documents."""

# Keys that leave the documents as they are, so that runs that differ in them share the file.
_MAKES_NO_DOCUMENT = {"name", "held_out", "passes", "licence"}
_VERSION_STORIES = 20
"""Stories that stand for the version of a grammar: where it was changed, they differ, and the corpus is made again."""


def document_id(text: str) -> str:
    """The id of a document: 16 hexadecimal characters."""
    # A text may hold half a surrogate pair, of a broken JSON escape; strict UTF-8 would refuse it.
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def corpus_key(corpus: DocumentsTable) -> str:
    """A digest of what the corpus's documents are made from, as 16 hexadecimal characters.

    Raises:
        DataError: the source is not there.
    """
    values = corpus.model_dump(mode="json", exclude=_MAKES_NO_DOCUMENT | {"source"})
    stories = None if corpus.source is not None else list(islice(_generated(corpus), _VERSION_STORIES))
    source = None if corpus.source is None else _source_digest(corpus.source)
    return hashlib.sha256(json.dumps([FORMAT, values, stories, source]).encode()).hexdigest()[:16]


def prepare_documents(corpus: DocumentsTable, folder: Path, *, progress: Progress | None = None) -> Path:
    """The Parquet file of the corpus's documents, made where it is not there yet.

    Args:
        corpus: where they come from, and how they are cleaned.
        folder: the cache.
        progress: called with (what, done, total).

    Raises:
        DataError: the corpus holds no document, or cannot be read as UTF-8 text.
        UsageError, MissingExtraError, UnavailableError: as `read_documents`.
        StoreError: the disk is full, or the folder cannot be written.
    """
    from shoal.corpora import write_documents

    if corpus.source is not None:
        corpus = corpus.model_copy(update={"source": pinned_source(corpus.source, folder)})
    file = folder / f"texts-{corpus_key(corpus)}.parquet"
    if file.is_file():
        return file
    counts = {"read": 0, "repeated": 0, "counting": 0, "kept": 0}
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        rows = (
            {"id": document_id(text), "text": text}
            for text in _counted(_documents(corpus, counts), corpus, counts, progress)
        )
        write_documents(_not_empty(rows, corpus), file)
        # After the documents: the generators count while they are drained.
        write_json(file.with_suffix(".json"), counts)
    return file


@contextmanager
def cache_faults(place: Path) -> Iterator[None]:
    """Turn what reading a damaged file of the cache raises into a `StoreError` of one line.

    Args:
        place: the file, or the folder that was written as a whole.
    """
    try:
        yield
    except (DataError, OSError, EOFError, ValueError, KeyError, TypeError) as fault:  # pyarrow's faults are among them
        raise StoreError(
            f"{place} is damaged ({in_one_line(fault, limit=160)}); delete it and give the same command again, which "
            "makes it anew"
        ) from fault


def read_ids(file: Path) -> npt.NDArray[np.uint64]:
    """The ids of a prepared file's documents, as numbers in order.

    Raises:
        StoreError: the file is damaged.
    """
    import pyarrow.parquet as pq

    with cache_faults(file):
        column = pq.read_table(file, columns=["id"]).column(0).to_pylist()
        return np.asarray([int(one, 16) for one in column], dtype=np.uint64)


def read_texts(file: Path) -> Iterator[str]:
    """The documents of a prepared file in order; memory does not grow with their number.

    Raises:
        StoreError: the file is damaged.
    """
    import pyarrow.parquet as pq

    with cache_faults(file):
        table = pq.ParquetFile(file)
    with table:
        for batch in table.iter_batches(1000, columns=["text"]):
            yield from batch.column(0).to_pylist()


def _documents(corpus: DocumentsTable, counts: dict[str, int]) -> Iterator[str]:
    """All documents, cleaned and without repeats."""
    texts = _cleaned(_raw(corpus, counts), corpus, counts)
    # Cut last, so that the number is of documents that remain and not of those that were read.
    return islice(_distinct(texts, counts) if corpus.deduplicate else texts, corpus.documents)


def _raw(corpus: DocumentsTable, counts: dict[str, int]) -> Iterator[str]:
    for text in _generated(corpus) if corpus.source is None else _read(corpus.source, corpus):
        counts["read"] += 1
        yield text


def _read(source: str, corpus: DocumentsTable) -> Iterable[str]:
    from shoal.corpora import read_documents, read_easiest_books, read_zipped_stories

    if corpus.easiest_books is not None:
        return read_easiest_books(Path(source), corpus.easiest_books)
    if source.endswith(".zip"):
        return read_zipped_stories(Path(source))
    return read_documents(source, column=corpus.column)


def _generated(corpus: DocumentsTable) -> Iterator[str]:
    from shoal.corpora import generate_stories
    from shoal.corpora.grammar import story_row, tell_stories

    if corpus.mixture is not None:
        yield from generate_stories(
            corpus.stories or 0, corpus.mixture, seed=corpus.seed, max_distractors=corpus.longest
        )
        return
    stories = tell_stories(seed=corpus.seed, features=corpus.features)
    for story in islice(stories, corpus.grammar):
        yield str(story_row(story, instructed=corpus.instruct)["text"])


def _cleaned(texts: Iterable[str], corpus: DocumentsTable, counts: dict[str, int]) -> Iterator[str]:
    from shoal.corpora import Cleaning, clean_text, drop_counting

    full = Cleaning(language=corpus.language)
    for text in texts:
        cleaned = full.apply_to_one(text) if corpus.clean == "full" else text
        if cleaned is not None and corpus.clean == "plain":
            cleaned = clean_text(cleaned)
        if cleaned and corpus.drop_counting:
            left, dropped = drop_counting([cleaned])
            counts["counting"] += dropped
            cleaned = left[0] if left else None
        if cleaned:
            yield cleaned


def _distinct(texts: Iterable[str], counts: dict[str, int]) -> Iterator[str]:
    from shoal.corpora import DuplicateFinder

    finder = DuplicateFinder()
    for text in texts:
        if finder.check(text) is None:
            yield text
        else:
            counts["repeated"] += 1


def _counted(
    texts: Iterable[str], corpus: DocumentsTable, counts: dict[str, int], progress: Progress | None
) -> Iterator[str]:
    wanted = corpus.documents or corpus.grammar or corpus.stories or 0
    for text in texts:
        counts["kept"] += 1
        if progress is not None:
            progress(f"documents of {corpus.name}", counts["kept"], max(wanted, counts["kept"]))
        yield text


def _not_empty(rows: Iterable[dict[str, Any]], corpus: DocumentsTable) -> Iterator[dict[str, Any]]:
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty:
        raise DataError(f"the corpus {corpus.name!r} holds no document after cleaning; give one with text")


def _source_digest(source: str) -> str:
    """Of a hub data set its name and commit, of files what stands in them."""
    if source.startswith(HUB):
        return str(pin(parse_hub(source)))
    path = Path(source)
    if not path.exists():
        raise DataError(f"there is no {path}; give a file, a folder or {HUB}org/name as the source of a corpus")
    return digest_of_files(path)


_KNOWN = "hub.json"


def pinned_source(source: str, folder: Path) -> str:
    """A source with the commit of its hub data set in it; one that is no such set stays as it is.

    The commit is written down in the folder, so that without a network the documents that lie there are found again.

    Args:
        source: as a recipe has it.
        folder: of the prepared documents.

    Raises:
        UsageError: the hub has no such data set.
        UnavailableError: the hub cannot be reached, and the data set was never read before.
    """
    if not source.startswith(HUB):
        return source
    wanted = parse_hub(source)
    known: dict[str, str] = read_json(folder / _KNOWN) if (folder / _KNOWN).is_file() else {}
    try:
        pinned = str(pin(wanted))
    except UnavailableError:
        if str(wanted) not in known:
            raise
        return known[str(wanted)]
    if known.get(str(wanted)) != pinned:
        with disk_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / _KNOWN, known | {str(wanted): pinned})
    return pinned


def pinned_sources(recipe: Recipe, folder: Path) -> dict[str, str]:
    """The pinned source of each corpus that is a hub data set, by the corpus's name.

    Args:
        recipe: with the corpora.
        folder: of the prepared documents.

    Raises:
        ShoalError: as `pinned_source`.
    """
    sources = {corpus.name: corpus.source for corpus in recipe.corpus if corpus.source is not None}
    return {name: pinned_source(source, folder) for name, source in sources.items() if source.startswith(HUB)}


def with_sources(recipe: Recipe, sources: Mapping[str, str]) -> Recipe:
    """The recipe with other sources.

    Args:
        recipe: as it was read.
        sources: what is read instead, by the corpus's name.
    """
    places = {corpus.name: place for place, corpus in enumerate(recipe.corpus)}
    return recipe.with_values({f"corpus.{places[name]}.source": source for name, source in sources.items()})
