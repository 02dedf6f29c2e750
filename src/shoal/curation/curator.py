"""`curate`: a corpus through quality filters, once and as a stream, with a card of what went and why."""

from __future__ import annotations

import math
import os
from collections import Counter
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shoal.corpora import estimate_documents, read_document_rows, write_documents
from shoal.curation.card import CorpusSize, CurationCard, FilterFinding, LineFinding
from shoal.curation.filter_specs import find_filters
from shoal.curation.pipeline import NO_LINES, FilterPipeline
from shoal.curation.tally import CurationTally
from shoal.errors import DataError, UsageError
from shoal.files import atomic_file
from shoal.progress import no_progress
from shoal.textfiles import json_line
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shoal.curation.filters import LineFilter, QualityFilter
    from shoal.curation.pipeline import FilteredDocument
    from shoal.curation.tally import PartTally
    from shoal.progress import Progress

    Row = dict[str, Any]
    Corpus = str | os.PathLike[str] | Iterable[str | Mapping[str, Any]]

DEFAULT_FILTERS = ("gopher", "c4", "fineweb")
"""In the order of FineWeb's own pipeline (Penedo et al. 2024, section 3.7)."""

_AT_ONCE = 256
"""Documents held in memory: enough for full batches of a model, and few enough for documents of a megabyte each."""


def curate(
    corpus: Corpus,
    *,
    filters: Sequence[str | QualityFilter | LineFilter] = DEFAULT_FILTERS,
    out: str | os.PathLike[str] | None = None,
    removed: str | os.PathLike[str] | None = None,
    column: str = "text",
    seed: int = 0,
    progress: Progress = no_progress,
) -> CurationCard:
    """Filter a corpus by quality; memory does not grow with the number of documents.

    Args:
        corpus: a path or ``hub:`` name as `shoal.corpora.read_documents` takes it, or texts or rows.
        filters: specs as `find_filters` reads them, or filters; they run in this order.
        out: the file of the documents that stay (.txt, .jsonl or .parquet); other columns of their rows stay as they
            are. None writes none.
        removed: the file (.jsonl) of the documents that go, as they came, with ``removed_by`` and ``score``; a column
            of theirs with one of these names stays as ``own_removed_by`` or ``own_score``.
        column: the column of the rows that holds the text.
        seed: of the samples behind quantiles and examples; what stays does not depend on it.
        progress: called with (what, done, total); the total is an estimate, and 0 where there is none.

    Raises:
        UnknownNameError: there is no such filter.
        UsageError: a filter cannot be used or comes twice, the kind of a file is not known, ``out`` and ``removed`` are
            one file, or no document stays for ``out``; then nothing is written.
        DataError: the corpus holds no text.
        OSError: a file cannot be written; nothing half-written is left.
    """
    if out is not None and removed is not None and Path(out).resolve() == Path(removed).resolve():
        raise UsageError(f"{removed} is both out and removed; give the documents that go a file of their own")
    pipeline = FilterPipeline(_chosen(filters))
    tally = CurationTally(pipeline.quality, seed=seed)
    name, total = "corpus", 0
    if isinstance(corpus, str | os.PathLike):
        name, total = str(corpus), estimate_documents(corpus)
    with ExitStack() as stack:
        sink = None if removed is None else _open_removed(stack, Path(removed))
        staying = _filtered(_rows(corpus, column), pipeline, tally, column, sink, total, progress)
        if out is None:
            for _ in staying:
                pass
        else:
            # A .txt file holds texts alone, in the column that `write_documents` reads.
            texts_alone = Path(out).suffix == ".txt"
            rows = ({"text": row[column]} if texts_alone else row for row in staying)
            write_documents(_checked(rows, pipeline, tally), Path(out))
    return _card(name, pipeline, tally)


def _chosen(filters: Sequence[str | QualityFilter | LineFilter]) -> list[QualityFilter | LineFilter]:
    if isinstance(filters, str):
        raise UsageError(f"filters is the text {filters!r}; give a list of specs, such as split_specs({filters!r})")
    specs = [one for one in filters if isinstance(one, str)]
    if len(specs) == len(filters):
        return find_filters(specs)
    # A minus refers to the specs before it, which filters among them would part.
    chosen = [one for given in filters for one in (find_filters([given]) if isinstance(given, str) else [given])]
    twice = next((name for name, count in Counter(one.name for one in chosen).items() if count > 1), None)
    if twice is not None:
        # The card and the removed documents tell filters by their names.
        raise UsageError(f"the filter {twice} comes twice; give it once, or give one of the two a name of its own")
    return chosen


def _rows(corpus: Corpus, column: str) -> Iterator[Row]:
    if isinstance(corpus, str | os.PathLike):
        yield from read_document_rows(corpus, column=column)
        return
    found = False
    for place, given in enumerate(corpus):
        row = {column: given} if isinstance(given, str) else dict(given)
        if not isinstance(row.get(column), str):
            raise DataError(f"row {place} of the corpus has no text in {column!r}; it has {', '.join(map(str, row))}")
        if row[column].strip():
            found = True
            yield row
    if not found:
        raise DataError("the corpus holds no text; give documents with at least one word")


def _filtered(
    rows: Iterator[Row],
    pipeline: FilterPipeline,
    tally: CurationTally,
    column: str,
    sink: IO[str] | None,
    total: int,
    progress: Progress,
) -> Iterator[Row]:
    """The rows that stay; the others are written to the sink, and all are counted."""
    names = [one.name for one in pipeline.quality]
    # In blocks, so that costly filters get whole batches, and still as a stream.
    while block := list(islice(rows, _AT_ONCE)):
        texts = [row[column] for row in block]
        found = pipeline.run(texts)
        tally.add(texts, found)
        done = tally.before.documents
        # The estimate may be too low; a bar beyond its end would be wrong, one without an end is not.
        progress("documents", done, total if done <= total else 0)
        for row, outcome in zip(block, found, strict=True):
            if outcome.removed_by is None:
                yield {**row, column: outcome.text}
            elif sink is not None:
                score = _score_of(outcome, names)
                line = _with_own(row) | {"removed_by": outcome.removed_by, "score": score}
                sink.write(json_line(line, "a document to be written"))


def _with_own(row: Row) -> Row:
    """The row with its columns ``removed_by`` and ``score``, where it has them, under names of their own."""
    found: Row = {}
    for name, value in row.items():
        free = name
        while free in ("removed_by", "score") or (free != name and free in row):
            free = f"own_{free}"
        found[free] = value
    return found


def _score_of(outcome: FilteredDocument, names: list[str]) -> float | None:
    """The score that removed a document; None where it is no number that JSON knows."""
    if outcome.removed_by not in names:
        return None
    score = outcome.scores[names.index(outcome.removed_by)]
    return score if math.isfinite(score) else None


def _checked(rows: Iterator[Row], pipeline: FilterPipeline, tally: CurationTally) -> Iterator[Row]:
    """The same rows.

    Raises:
        UsageError: there are none.
    """
    yield from rows
    if tally.after.documents:
        return
    limits = {one.name: f"{one.measures}: {one.limits}" for one in pipeline.quality}
    # Raised while the file is being written, so that the atomic write leaves what stood there before.
    worst = [f"{name} ({limits.get(name, 'all lines went')}) {count:,}" for name, count in tally.removed.most_common(3)]
    raise UsageError(
        f"the filters remove all {plural(tally.before.documents, 'document')}, most of them by {joined(worst)}; "
        "nothing is written; leave these filters out, or give other limits"
    )


def _open_removed(stack: ExitStack, path: Path) -> IO[str]:
    if path.suffix != ".jsonl":
        raise UsageError(f"cannot write removed documents to {path.name}: give a file that ends in .jsonl")
    partial = stack.enter_context(atomic_file(path))
    return stack.enter_context(partial.open("w", encoding="utf-8"))


def _card(source: str, pipeline: FilterPipeline, tally: CurationTally) -> CurationCard:
    filters = tuple(
        FilterFinding(
            name=one.name,
            measures=one.measures,
            limits=one.limits,
            source=one.source,
            scored=tally.before.scored(place),
            failed=tally.failed[place],
            removed=tally.removed[one.name],
            before=tally.before.spread(place),
            after=tally.after.spread(place),
            examples=tally.examples(one.name),
        )
        for place, one in enumerate(pipeline.quality)
    )
    lines = tuple(
        LineFinding(
            name=one.name,
            measures=one.measures,
            source=one.source,
            seen=counts.seen,
            removed=counts.removed,
            edited=counts.edited,
            examples=tuple(counts.examples),
        )
        for one, counts in pipeline.line_counts.items()
    )
    return CurationCard(
        source=source,
        before=_size(tally.before),
        after=_size(tally.after),
        filters=filters,
        lines=lines,
        without_lines=tally.removed[NO_LINES],
    )


def _size(part: PartTally) -> CorpusSize:
    return CorpusSize(documents=part.documents, words=part.words, characters=part.characters)
