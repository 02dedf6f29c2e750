"""From a recipe to what a training needs: documents, held-out ids, tokenizer, tokens and their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError, UsageError
from shoal.experiments.pretraining.documents import prepare_documents, read_ids
from shoal.experiments.pretraining.split import split_documents
from shoal.experiments.pretraining.tokens import prepare_tokenizer, prepare_tokens
from shoal.training import CorpusShare, DocumentSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.split import HeldOutSplit
    from shoal.experiments.pretraining.tokens import TokenizedCorpus
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The data of a training; the corpora are in the order of the recipe."""

    texts: Mapping[str, Path]
    split: HeldOutSplit
    tokenizer: PreTrainedTokenizerFast
    corpora: Mapping[str, TokenizedCorpus]
    stream: DocumentSource

    @property
    def held_out_ids(self) -> list[str]:
        """The ids of the held-out documents, as they are published."""
        return self.split.ids({name: corpus.ids_D for name, corpus in self.corpora.items()})


def prepare_data(recipe: Recipe, cache: Path, *, progress: Progress | None = None) -> Prepared:
    """Read, split, tokenize and order the corpora; what is in the cache already is used again.

    Args:
        recipe: what to prepare.
        cache: the folder of prepared documents, tokenizers and tokens.
        progress: called with (what, done, total).

    Raises:
        DataError: a corpus is empty, not UTF-8, or too small to be split; all documents are shorter than the context.
        UsageError: a vocabulary that the corpora do not give, or a prompt that fills the context.
        ShoalError: as its parts.
    """
    texts = {corpus.name: prepare_documents(corpus, cache, progress=progress) for corpus in recipe.corpus}
    # The split comes before the tokenizer, which may learn from seen documents alone.
    split = split_documents({name: read_ids(file) for name, file in texts.items()}, recipe)
    tokenizer = prepare_tokenizer(recipe, texts, split.seen, progress=progress)
    corpora = {name: prepare_tokens(file, tokenizer, name=name, progress=progress) for name, file in texts.items()}
    context = recipe.training.context or recipe.model.context
    _check_context(corpora, context, recipe)
    _check_prompts(tokenizer, recipe)
    stream = document_source(recipe, tokenizer, seen_shares(recipe, corpora, split))
    return Prepared(texts=texts, split=split, tokenizer=tokenizer, corpora=corpora, stream=stream)


def seen_shares(recipe: Recipe, corpora: Mapping[str, TokenizedCorpus], split: HeldOutSplit) -> tuple[CorpusShare, ...]:
    """What a training reads of each corpus.

    Args:
        recipe: has the passes.
        corpora: the tokens by corpus.
        split: says which documents may be read.
    """
    return tuple(
        CorpusShare(
            file=corpora[table.name].file,
            name=table.name,
            passes=table.passes,
            seen=split.seen[table.name],
            opening=corpora[table.name].opening,
        )
        for table in recipe.corpus
    )


def document_source(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, shares: Sequence[CorpusShare]
) -> DocumentSource:
    """The batches of a recipe.

    Args:
        recipe: has the stages, the tokens, the size of a step and the seed.
        tokenizer: one that opens every text itself leaves none bare.
        shares: as `seen_shares` gives them, or changed.
    """
    stages = [
        {name: stage.tokens * weight / sum(stage.shares.values()) for name, weight in stage.shares.items()}
        for stage in recipe.stages
    ]
    table = recipe.training
    return DocumentSource(
        shares,
        context=table.context or recipe.model.context,
        batch_tokens=table.batch_tokens,
        seed=recipe.seed,
        stages=stages or None,
        tokens=table.tokens,
        order=table.order,
        bare=0.0 if _opens_itself(tokenizer) else table.bare,
    )


def _opens_itself(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether the tokenizer puts a token of its own before every text."""
    from shoal.text import opening_ids

    return bool(opening_ids(tokenizer))


def _check_context(corpora: Mapping[str, TokenizedCorpus], context: int, recipe: Recipe) -> None:
    # The last token of a document is predicted and not read.
    longest = max(int(corpus.file.lengths.max()) for corpus in corpora.values()) - 1
    if context > longest:
        key = "training.context" if recipe.training.context is not None else "model.context"
        raise DataError(
            f"{key} = {context}, and the longest document has {longest} tokens: documents are never joined, so that "
            f"the places behind would stay untrained; set {key} to {longest} or less, or give longer documents"
        )


def _check_prompts(tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> None:
    for prompt in recipe.evaluation.prompts:
        length = len(tokenizer(prompt, verbose=False)["input_ids"])
        if length >= recipe.model.context:
            raise UsageError(
                f"the prompt {prompt[:40]!r} has {length} tokens, and the model reads {recipe.model.context}; "
                "shorten it"
            )
