"""The data of a comparison, made once: held-out excerpts, corpora without them, parts, one tokenizer, tokens.

Cost: the corpora are read once or twice as streams; memory holds the excerpts and the ids of the documents.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.experiments.corpus_comparison.plan import PARTS, CorpusComparisonPlan
from shoal.experiments.pretraining.documents import document_id, prepare_documents, read_ids, read_texts
from shoal.experiments.pretraining.tokens import prepare_tokens
from shoal.experiments.storage import disk_faults, read_json, write_json
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.experiments.pretraining.tables import DocumentsTable
    from shoal.experiments.pretraining.tokens import TokenizedCorpus
    from shoal.progress import Progress

TOKENIZER_CHARACTERS = 2_000_000
"""Of all corpora together."""

_SUMMARY = "prepared.json"
_TOKENIZER = "tokenizer"
_SAME_TEXT = 0.5
"""From this share of its excerpts on a held-out text counts as a part of the corpus: leaving out the documents would
leave a corpus that was chosen by the text it is measured on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusCounts:
    """What there is of a corpus, or of a part."""

    documents: int
    contaminated: int
    """Documents that were left out because they share words with a held-out text."""

    repeated: int
    """Documents that were left out because they repeat another one."""

    characters: int
    tokens: int
    """That a model can be trained on, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCorpora:
    """The data that all trainings share."""

    tokenizer: PreTrainedTokenizerFast
    corpora: Mapping[str, TokenizedCorpus]
    held_out: Mapping[str, Sequence[str]]
    """The excerpts of each held-out text."""

    counts: Mapping[str, CorpusCounts]


def prepare_corpora(plan: CorpusComparisonPlan, cache: Path, *, progress: Progress = no_progress) -> PreparedCorpora:
    """The data of a comparison, made where it is not there yet.

    Args:
        plan: what is compared.
        cache: the folder that keeps it; it belongs to this plan alone.
        progress: called with (what, done, total).

    Raises:
        DataError: a corpus is empty or has fewer tokens than the plan wants of it, or a held-out text is a part of it.
        UsageError: filters that keep everything or nothing, or a vocabulary that the corpora do not give.
        ShoalError: as `prepare_documents`.
    """
    from shoal.text import save_tokenizer

    with disk_faults(cache):
        cache.mkdir(parents=True, exist_ok=True)
        if not (cache / _SUMMARY).is_file():
            held_out = {table.name: _excerpts(table, plan, cache, progress) for table in plan.held_out}
            left_out = {table.name: _write_clean(table, held_out, plan, cache, progress) for table in plan.corpus}
            if plan.filters is not None:
                left_out = _divide(plan, left_out, cache, progress)
            tokenizer = _learn_tokenizer(plan, cache)
            save_tokenizer(tokenizer, cache / _TOKENIZER)
            corpora = _tokenize(plan, tokenizer, cache, progress)
            counts = {name: _count(name, corpora[name], left_out[name], plan, cache) for name in plan.compared}
            _check_enough(counts, plan)
            summary = {"held_out": held_out, "counts": {name: asdict(one) for name, one in counts.items()}}
            write_json(cache / _SUMMARY, summary)
    return read_prepared(plan, cache)


def read_prepared(plan: CorpusComparisonPlan, cache: Path) -> PreparedCorpora:
    """What `prepare_corpora` wrote.

    Args:
        plan: what is compared.
        cache: the folder that keeps it.

    Raises:
        StoreError: the folder is damaged.
    """
    from transformers import PreTrainedTokenizerFast

    summary = read_json(cache / _SUMMARY)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(cache / _TOKENIZER)
    return PreparedCorpora(
        tokenizer=tokenizer,
        corpora=_tokenize(plan, tokenizer, cache, no_progress),
        held_out=summary["held_out"],
        counts=read_counts(cache),
    )


def read_counts(cache: Path) -> dict[str, CorpusCounts]:
    """What there is of each corpus.

    Args:
        cache: the folder that `prepare_corpora` wrote.

    Raises:
        StoreError: it is not there, or damaged.
    """
    return {name: CorpusCounts(**counts) for name, counts in read_json(cache / _SUMMARY)["counts"].items()}


def _excerpts(table: DocumentsTable, plan: CorpusComparisonPlan, cache: Path, progress: Progress) -> list[str]:
    """The beginnings of some documents of a held-out text, each once."""
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
    whole_words = text[:characters].rsplit(maxsplit=1)[0]
    return whole_words or text[:characters]


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """How many documents of a corpus nothing is trained on."""

    contaminated: int
    repeated: int


def _text_file(plan: CorpusComparisonPlan, cache: Path, name: str) -> Path:
    """The documents of what is compared."""
    return cache / ("corpora" if plan.filters is None else "parts") / f"{name}.parquet"


def _write_clean(
    table: DocumentsTable,
    held_out: Mapping[str, Sequence[str]],
    plan: CorpusComparisonPlan,
    cache: Path,
    progress: Progress,
) -> _LeftOut:
    """Write the documents of a corpus that share nothing with a held-out text, each once."""
    from shoal.corpora import find_contamination

    source = prepare_documents(table, cache, progress=progress)
    owners = [name for name, excerpts in held_out.items() for _ in excerpts]
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
    return _LeftOut(contaminated=len(contaminated), repeated=repeated)


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


def _divide(
    plan: CorpusComparisonPlan, left_out: Mapping[str, _LeftOut], cache: Path, progress: Progress
) -> dict[str, _LeftOut]:
    """Divide all documents by the filters; what was left out of the whole was left out of each part."""
    from shoal.curation import curate, split_specs

    assert plan.filters is not None
    files = [cache / "corpora" / f"{table.name}.parquet" for table in plan.corpus]
    rows = ({"text": text} for file in files for text in read_texts(file))
    stays, goes = cache / "better.jsonl", cache / "worse.jsonl"
    card = curate(rows, filters=split_specs(plan.filters), out=stays, removed=goes, progress=progress)
    write_json(cache / "card.json", card.to_dict())
    if card.after.documents == card.before.documents:
        raise DataError(
            f"the filters {plan.filters} keep all {card.before.documents:,} documents, so that there is no worse part; "
            "give other filters or limits"
        )
    better, worse, random = (_text_file(plan, cache, name) for name in PARTS)
    _write_texts(_jsonl_texts(stays), better)
    _write_texts(_jsonl_texts(goes), worse)
    _write_texts((text for file in files for text in read_texts(file)), random)
    total = _LeftOut(
        contaminated=sum(one.contaminated for one in left_out.values()),
        repeated=sum(one.repeated for one in left_out.values()),
    )
    return dict.fromkeys(PARTS, total)


def _jsonl_texts(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def _learn_tokenizer(plan: CorpusComparisonPlan, cache: Path) -> PreTrainedTokenizerFast:
    """A tokenizer of equally many characters of each corpus, so that it favours none."""
    from shoal.text import train_tokenizer

    # The random part has documents of both others.
    names = [name for name in plan.compared if plan.filters is None or name != "random"]
    files = [_text_file(plan, cache, name) for name in names]
    least = min(sum(map(len, read_texts(file))) for file in files)
    share = min(least, TOKENIZER_CHARACTERS // len(files))
    texts = (text for file in files for text in _sampled(file, share))
    return train_tokenizer(texts, kind="bpe", vocabulary=plan.vocabulary, context=plan.context)


def _sampled(file: Path, characters: int) -> Iterator[str]:
    """Documents in the order of their ids, which is a random one, up to a number of characters."""
    texts = list(read_texts(file))
    for place in read_ids(file).argsort(kind="stable").tolist():
        if characters <= 0:
            return
        yield texts[place][:characters]
        characters -= len(texts[place])


def _tokenize(
    plan: CorpusComparisonPlan, tokenizer: PreTrainedTokenizerFast, cache: Path, progress: Progress
) -> dict[str, TokenizedCorpus]:
    return {
        name: prepare_tokens(_text_file(plan, cache, name), tokenizer, name=name, progress=progress)
        for name in plan.compared
    }


def _count(
    name: str, corpus: TokenizedCorpus, left_out: _LeftOut, plan: CorpusComparisonPlan, cache: Path
) -> CorpusCounts:
    return CorpusCounts(
        documents=len(corpus.ids_D),
        contaminated=left_out.contaminated,
        repeated=left_out.repeated,
        characters=sum(map(len, read_texts(_text_file(plan, cache, name)))),
        # The opening of a document is read and not predicted.
        tokens=int((corpus.file.lengths - corpus.opening).sum()),
    )


def _check_enough(counts: Mapping[str, CorpusCounts], plan: CorpusComparisonPlan) -> None:
    """Refuse a corpus that cannot give as many unique tokens as each must."""
    if "equal" not in plan.designs:
        return
    few = {name: one.tokens for name, one in counts.items() if one.tokens < plan.unique}
    if few:
        named = ", ".join(f"{name} ({tokens:,})" for name, tokens in few.items())
        raise DataError(
            f"each corpus must give {plan.unique:,} unique tokens, and these have fewer: {named}; give more text, or "
            f"--unique {min(few.values())} or less"
        )


def _counted(texts: Iterable[str], what: str, total: int, progress: Progress) -> Iterator[str]:
    for done, text in enumerate(texts, start=1):
        yield text
        progress(what, done, total)
