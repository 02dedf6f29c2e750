"""The texts of a comparison: excerpts of the held-out ones, corpora that share nothing with them, parts by filters.

Cost: the corpora are read once or twice as streams; memory holds the excerpts and the ids of the documents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.experiments.corpus_comparison.plan import PARTS
from shoal.experiments.pretraining.documents import document_id, prepare_documents, read_ids, read_texts
from shoal.experiments.storage import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan
    from shoal.experiments.pretraining.tables import DocumentsTable
    from shoal.progress import Progress

_SAME_TEXT = 0.5
"""From this share of its excerpts on a held-out text counts as a part of the corpus: leaving out the documents would
leave a corpus that was chosen by the text it is measured on."""


def held_out_excerpts(table: DocumentsTable, plan: CorpusComparisonPlan, cache: Path, progress: Progress) -> list[str]:
    """The beginnings of some documents of a held-out text, each once.

    Args:
        table: where they come from.
        plan: says how many, and how long they are.
        cache: the folder that keeps them.
        progress: called with (what, done, total).
    """
    file = prepare_documents(table, cache, progress=progress)
    # Ids are digests, so that the lowest are a random sample.
    ids = sorted(set(read_ids(file).tolist()))[: plan.held_out_documents]
    wanted, found = set(ids), {}
    for text in read_texts(file):
        number = int(document_id(text), 16)
        if number in wanted:
            found[number] = _shortened(text, plan.held_out_characters)
    return [found[number] for number in ids]


def _shortened(text: str, characters: int) -> str:
    """The beginning of a text, up to the last white space that fits."""
    if len(text) <= characters:
        return text
    whole_words = text[:characters].rsplit(maxsplit=1)
    return whole_words[0] if whole_words else text[:characters]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many documents of a corpus nothing is trained on."""

    contaminated: int
    repeated: int


def text_file(plan: CorpusComparisonPlan, cache: Path, name: str) -> Path:
    """The documents of what is compared.

    Args:
        plan: what is compared.
        cache: the folder that keeps them.
        name: of a corpus, or of a part.
    """
    return cache / ("corpora" if plan.filters is None else "parts") / f"{name}.parquet"


def write_clean(
    table: DocumentsTable,
    held_out: Mapping[str, Sequence[str]],
    plan: CorpusComparisonPlan,
    cache: Path,
    progress: Progress,
) -> LeftOut:
    """Write the documents of a corpus that share nothing with a held-out text, each once.

    Args:
        table: where they come from.
        held_out: the excerpts of each held-out text.
        plan: says how many words in succession make a copy.
        cache: the folder that they are written to.
        progress: called with (what, done, total).

    Raises:
        DataError: no document is left, or a held-out text is largely a part of the corpus.
    """
    from shoal.corpora import find_contamination

    source = prepare_documents(table, cache, progress=progress)
    owners = [name for name, excerpts in held_out.items() for _ in excerpts]
    # All held-out texts in one pass: a corpus of gigabytes is read once, however many texts there are.
    excerpts = [text for texts in held_out.values() for text in texts]
    ids_D = read_ids(source).tolist()
    what = f"looking for held-out texts in {table.name}"
    found = find_contamination(_counted(read_texts(source), what, len(ids_D), progress), excerpts, run=plan.run)
    contaminated = {overlap.document for overlap in found.overlaps}
    _refuse_same_text(table.name, [owners[item] for item in found.contaminated], held_out)
    seen: set[int] = set()
    repeated = 0
    chosen = []
    for place, number in enumerate(ids_D):
        if place in contaminated:
            continue
        if number in seen:
            repeated += 1
            continue
        seen.add(number)
        chosen.append(place)
    if not chosen:
        raise DataError(
            f"every document of the corpus {table.name!r} shares {plan.run} words in succession with a held-out text; "
            "give another held-out text, or raise run"
        )
    wanted = set(chosen)
    texts = (text for place, text in enumerate(read_texts(source)) if place in wanted)
    _write_texts(texts, cache / "corpora" / f"{table.name}.parquet")
    return LeftOut(contaminated=len(contaminated), repeated=repeated)


def _refuse_same_text(corpus: str, owners: Sequence[str], held_out: Mapping[str, Sequence[str]]) -> None:
    """Refuse a held-out text that is largely a part of a corpus.

    Args:
        corpus: its name.
        owners: the held-out text of each excerpt that stands in the corpus.
        held_out: all excerpts.
    """
    for name, excerpts in held_out.items():
        count = owners.count(name)
        if count >= _SAME_TEXT * len(excerpts):
            raise DataError(
                f"{count} of {len(excerpts)} excerpts of the held-out text {name!r} stand in the corpus {corpus!r}; "
                "give a held-out text that no model is trained on"
            )


def _write_texts(texts: Iterable[str], file: Path) -> None:
    from shoal.corpora import write_documents

    file.parent.mkdir(parents=True, exist_ok=True)
    write_documents(({"id": document_id(text), "text": text} for text in texts), file)


def divide_by_filters(
    plan: CorpusComparisonPlan, left_out: Mapping[str, LeftOut], cache: Path, progress: Progress
) -> dict[str, LeftOut]:
    """Divide all documents by the filters; what was left out of the whole was left out of each part.

    Args:
        plan: has the filters.
        left_out: of each corpus.
        cache: the folder with the corpora, to which the parts are written.
        progress: called with (what, done, total).

    Raises:
        UsageError: the filters remove every document.
        DataError: they keep every document.
    """
    from shoal.curation import curate, split_specs

    assert plan.filters is not None
    files = [cache / "corpora" / f"{table.name}.parquet" for table in plan.corpus]
    repeats = [0]
    rows = ({"text": text} for text in _each_once(files, repeats))
    stays, goes = cache / "better.jsonl", cache / "worse.jsonl"
    card = curate(rows, filters=split_specs(plan.filters), out=stays, removed=goes, progress=progress)
    write_json(cache / "card.json", card.to_dict())
    if card.after.documents == card.before.documents:
        raise DataError(
            f"the filters {plan.filters} keep all {card.before.documents:,} documents, so that there is no worse part; "
            "give other filters or limits"
        )
    better, worse, random = (text_file(plan, cache, name) for name in PARTS)
    _write_texts(_jsonl_texts(stays), better)
    _write_texts(_jsonl_texts(goes), worse)
    # Better and worse together: the control is drawn from all, and not from what is left over.
    _write_texts(_each_once(files, [0]), random)
    total = LeftOut(
        contaminated=sum(one.contaminated for one in left_out.values()),
        repeated=sum(one.repeated for one in left_out.values()) + repeats[0],
    )
    return dict.fromkeys(PARTS, total)


def _each_once(files: Sequence[Path], repeats: list[int]) -> Iterator[str]:
    """The documents of all corpora, of which several may have the same.

    Args:
        files: of the corpora, each with every document once.
        repeats: its one number grows by the documents that are left out.
    """
    seen: set[int] = set()
    for file in files:
        for number, text in zip(read_ids(file).tolist(), read_texts(file), strict=True):
            if number in seen:
                repeats[0] += 1
                continue
            seen.add(number)
            yield text


def _jsonl_texts(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def _counted(texts: Iterable[str], what: str, total: int, progress: Progress) -> Iterator[str]:
    for done, text in enumerate(texts, start=1):
        yield text
        progress(what, done, total)
