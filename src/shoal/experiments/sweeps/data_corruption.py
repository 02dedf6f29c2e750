"""Corruption of the training documents of a corpus, while the held-out documents stay as they are.

- ``kept``: the share of the training documents that there is; the size of the data at equal everything else.
- ``repeats``: the share of them that is replaced by copies of others.
- ``noise``: the share of the words that is replaced by words drawn from the same corpus, so that the word frequencies
  stay and the sense is lost.

A greater severity includes a smaller one: the documents and words that it hits are the same and more.

Shapes: N training documents.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.pretraining.documents import prepare_documents, read_ids, read_texts
from shoal.experiments.pretraining.split import split_documents
from shoal.experiments.storage import write_text
from shoal.text import LETTER_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from shoal.experiments.pretraining import Recipe

_WORD = re.compile(rf"{LETTER_RUN}(?:'{LETTER_RUN})*")
# The documents are cleaned already, and stand in the file that is the source.
_AS_IT_IS: dict[str, Any] = {
    "grammar": None, "mixture": None, "stories": None, "easiest_books": None, "documents": None, "features": [],
    "instruct": False, "longest": 36, "column": "text", "clean": "none", "language": None, "deduplicate": False,
    "drop_counting": False,
}  # fmt: skip


def corrupt_corpora(recipe: Recipe, corruption: Mapping[str, Mapping[str, float]], folder: Path) -> Recipe:
    """The recipe with corrupted corpora, which are written as files; all of its held-out documents stay.

    Args:
        recipe: with the corpora as they are.
        corruption: by corpus and kind.
        folder: where the files go, and the documents that they are made from.

    Raises:
        ShoalError: a corpus that cannot be read or split.
    """
    if not corruption:
        return recipe
    files = {corpus.name: prepare_documents(corpus, folder) for corpus in recipe.corpus}
    texts = {name: list(read_texts(file)) for name, file in files.items()}
    ids = {name: read_ids(file) for name, file in files.items()}
    split = split_documents(ids, recipe)
    listed = "".join(f"{one}\n" for one in split.ids(ids))
    list_file = folder / f"held-out-{hashlib.sha256(listed.encode()).hexdigest()[:16]}.txt"
    if not list_file.is_file():
        write_text(list_file, listed)
    values: dict[str, Any] = {"evaluation.held_out_ids": str(list_file)}
    for name, given in corruption.items():
        source = _written(files[name], texts[name], split.held_out[name], split.seen[name], given)
        values |= {f"corpus.{name}.{key}": value for key, value in _AS_IT_IS.items()}
        values[f"corpus.{name}.source"] = str(source)
    return recipe.with_values(values)


def corrupt(texts: list[str], corruption: Mapping[str, float]) -> list[str]:
    """Training documents under the corruption: ``kept`` first, then ``repeats``, then ``noise``.

    Args:
        texts: the N documents.
        corruption: by kind; what is missing is not done.
    """
    # The same draws for every severity, so that a greater one includes a smaller one.
    chance = np.random.default_rng(0)
    ranks_N, copied_N = chance.permutation(len(texts)), chance.permutation(len(texts))
    sources_N, words = chance.random(len(texts)), _words(texts)
    whole = max(1, round(corruption.get("kept", 1.0) * len(texts)))
    there = [place for place in range(len(texts)) if ranks_N[place] < whole]
    # By rank, and not by a chance for each document, so that the share is exact.
    # One document at least stays, of which the others can be copies.
    replaced = min(round(corruption.get("repeats", 0.0) * len(there)), len(there) - 1)
    hit = set(sorted(there, key=lambda place: copied_N[place])[:replaced])
    # Copies are of documents that stay: those of a replaced one would save its text.
    sound = [place for place in there if place not in hit]
    chosen = [sound[int(sources_N[place] * len(sound))] if place in hit else place for place in there]
    noise = corruption.get("noise", 0.0)
    # By the place among all N, so that another ``kept`` hits the same words of the documents that stay.
    return [
        _noisy(texts[copied], noise, words, place) if noise else texts[copied]
        for place, copied in zip(there, chosen, strict=True)
    ]


def _written(file: Path, texts: list[str], held_out: Any, seen: Any, corruption: Mapping[str, float]) -> Path:
    """The file of the held-out and the corrupted documents, made where it is not there yet."""
    from shoal.corpora import write_documents

    # Trials may hold out other documents, of this corpus or of another one that has some of the same.
    masks = hashlib.sha256(held_out.tobytes() + seen.tobytes()).hexdigest()
    key = hashlib.sha256(json.dumps([file.name, masks, sorted(corruption.items())]).encode()).hexdigest()[:16]
    out = file.with_name(f"damaged-{key}.parquet")
    if not out.is_file():
        test = [text for text, is_held_out in zip(texts, held_out, strict=True) if is_held_out]
        trained = corrupt([text for text, is_seen in zip(texts, seen, strict=True) if is_seen], corruption)
        write_documents(({"text": text} for text in [*test, *trained]), out)
    return out


def _words(texts: list[str]) -> list[str]:
    """All words of the documents, so that one drawn from them is as frequent as it is there."""
    return [word for text in texts for word in _WORD.findall(text)]


def _noisy(text: str, share: float, words: list[str], seed: int) -> str:
    chance = np.random.default_rng([1, seed])

    def pieces() -> Iterator[str]:
        end = 0
        for match in _WORD.finditer(text):
            # Two draws for each word, hit or not, so that a greater share replaces the same words by the same others.
            hit, drawn = chance.random(2)
            yield text[end : match.start()]
            yield words[int(drawn * len(words))] if hit < share else match[0]
            end = match.end()
        yield text[end:]

    return "".join(pieces())
