"""The tokenizer of a recipe: one that is there, or one that is learned on the seen documents and kept beside them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from shoal.experiments.pretraining.documents import read_texts
from shoal.experiments.storage import disk_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.experiments.pretraining.heldout import Mask
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.progress import Progress

_FORMAT = 1


def prepare_tokenizer(
    recipe: Recipe,
    texts: Mapping[str, Path],
    seen: Mapping[str, Mask],
    *,
    progress: Progress | None = None,
) -> PreTrainedTokenizerFast:
    """The tokenizer of the recipe, learned where it is not there yet.

    Args:
        recipe: says which.
        texts: the prepared documents by corpus; a learned tokenizer is kept beside them.
        seen: which documents it may see.
        progress: called with (what, done, total).

    Raises:
        UsageError: a vocabulary larger than the corpora give, or too small.
        ModelError: the tokenizer that was named cannot be had.
        StoreError: the disk is full.
    """
    from transformers import PreTrainedTokenizerFast

    from shoal.models import load_tokenizer
    from shoal.text import save_tokenizer, train_tokenizer

    table = recipe.tokenizer
    if table.source is not None:
        return load_tokenizer(table.source)
    texts = {name: file for name, file in texts.items() if name in (table.corpora or texts)}
    seen = {name: seen[name] for name in texts}
    masks = hashlib.sha256(b"".join(np.packbits(mask).tobytes() for mask in seen.values())).hexdigest()
    known = json.dumps([_FORMAT, table.model_dump(mode="json"), [file.name for file in texts.values()], masks])
    home = next(iter(texts.values())).parent
    folder = home / f"tokenizer-{hashlib.sha256(known.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        documents = list(_sample(texts, seen, table.documents))
        vocabulary = table.vocabulary if table.vocabulary != "auto" else _best(documents, recipe, progress)
        made = train_tokenizer(documents, kind=table.kind, vocabulary=vocabulary, context=recipe.model.context)
        with disk_faults(home):
            save_tokenizer(made, folder)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.model_max_length = recipe.model.context
    return tokenizer


def _best(documents: list[str], recipe: Recipe, progress: Progress | None) -> int:
    from shoal.text import choose_vocabulary

    return choose_vocabulary(documents, kind=recipe.tokenizer.kind, progress=progress).size


def _sample(texts: Mapping[str, Path], seen: Mapping[str, Mask], most: int) -> Iterator[str]:
    """Seen documents of all corpora, from each the same share, in order."""
    every = max(1.0, sum(int(mask.sum()) for mask in seen.values()) / most)
    for name, file in texts.items():
        places = np.flatnonzero(seen[name])
        chosen = set(places[np.arange(0, len(places), every).astype(np.int64)].tolist())
        yield from (text for place, text in enumerate(read_texts(file)) if place in chosen)
