"""The data of a comparison, made once: the texts, one tokenizer for all, their tokens, and what there is of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.experiments.corpus_comparison.texts import divide_by_filters, held_out_excerpts, text_file, write_clean
from shoal.experiments.pretraining.documents import read_ids, read_texts
from shoal.experiments.pretraining.tokens import prepare_tokens
from shoal.experiments.storage import disk_faults, read_json, write_json
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan
    from shoal.experiments.corpus_comparison.texts import LeftOut
    from shoal.experiments.pretraining.tokens import TokenizedCorpus
    from shoal.progress import Progress

TOKENIZER_CHARACTERS = 2_000_000
"""Of all corpora together."""

_SUMMARY = "prepared.json"
_TOKENIZER = "tokenizer"


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
            held_out = {table.name: held_out_excerpts(table, plan, cache, progress) for table in plan.held_out}
            left_out = {table.name: write_clean(table, held_out, plan, cache, progress) for table in plan.corpus}
            if plan.filters is not None:
                left_out = divide_by_filters(plan, left_out, cache, progress)
            tokenizer = _learn_tokenizer(plan, cache)
            save_tokenizer(tokenizer, cache / _TOKENIZER)
            corpora = _tokenize(plan, tokenizer, cache, progress)
            counts = {name: _count(name, corpora[name], left_out[name], plan, cache) for name in plan.compared}
            _check_enough(counts, plan)
            summary = {"held_out": held_out, "counts": {name: asdict(one) for name, one in counts.items()}}
            # Last, since it says that all else is whole.
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


def _learn_tokenizer(plan: CorpusComparisonPlan, cache: Path) -> PreTrainedTokenizerFast:
    """A tokenizer of equally many characters of each corpus, so that it favours none."""
    from shoal.text import train_tokenizer

    # The random part has documents of both others.
    names = [name for name in plan.compared if plan.filters is None or name != "random"]
    files = [text_file(plan, cache, name) for name in names]
    least = min(sum(map(len, read_texts(file))) for file in files)
    share = min(least, TOKENIZER_CHARACTERS // len(files))
    texts = (text for file in files for text in _sampled(file, share))
    return train_tokenizer(texts, kind="bpe", vocabulary=plan.vocabulary, context=plan.context)


def _sampled(file: Path, characters: int) -> Iterator[str]:
    """Documents in the order of their ids, which is a random one, up to a number of characters."""
    # Read twice, since a corpus need not fit into memory: the lengths say how many documents are enough.
    lengths_D = np.fromiter((len(text) for text in read_texts(file)), dtype=np.int64)
    order_D = read_ids(file).argsort(kind="stable")
    count = int(np.searchsorted(lengths_D[order_D].cumsum(), characters)) + 1
    chosen = set(order_D[:count].tolist())
    texts = {place: text for place, text in enumerate(read_texts(file)) if place in chosen}
    for place in order_D[:count].tolist():
        yield texts[place][:characters]
        characters -= len(texts[place])


def _tokenize(
    plan: CorpusComparisonPlan, tokenizer: PreTrainedTokenizerFast, cache: Path, progress: Progress
) -> dict[str, TokenizedCorpus]:
    return {
        name: prepare_tokens(text_file(plan, cache, name), tokenizer, name=name, progress=progress)
        for name in plan.compared
    }


def _count(
    name: str, corpus: TokenizedCorpus, left_out: LeftOut, plan: CorpusComparisonPlan, cache: Path
) -> CorpusCounts:
    return CorpusCounts(
        documents=len(corpus.ids_D),
        contaminated=left_out.contaminated,
        repeated=left_out.repeated,
        characters=sum(map(len, read_texts(text_file(plan, cache, name)))),
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
