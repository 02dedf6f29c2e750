"""What the commands of ``shoal vectors`` share: the corpus, and vectors trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.progress import Progress
    from shoal.text.vectors import WordCorpus, WordVectors

METHODS = ("glove", "word2vec", "word2vec-skip-gram", "fasttext")


def chosen_methods(given: Sequence[str] | None) -> tuple[str, ...]:
    """Methods that there are."""
    for name in given or ():
        if name not in METHODS:
            raise UnknownNameError("method", name, METHODS)
    return tuple(dict.fromkeys(given)) if given else METHODS


def read_corpus(files: Sequence[Path], min_count: int, max_sentences: int | None = None) -> WordCorpus:
    """The sentences of text files, of the text files in archives, and of the documents of rows."""
    from shoal.text.vectors import build_corpus

    if max_sentences is not None and max_sentences < 1:
        raise UsageError(f"--sentences is {max_sentences}; give a whole number of at least 1")
    sentences = [sentence for file in files for sentence in _sentences(file)]
    if max_sentences is not None and max_sentences < len(sentences):
        import random

        # Of a fixed seed, so that trainings with other seeds differ by the training alone.
        sentences = random.Random(0).sample(sentences, max_sentences)
    return build_corpus(sentences, min_count=min_count)


def _sentences(file: Path) -> list[list[str]]:
    from shoal.corpora import read_documents
    from shoal.text.vectors import read_sentences, sentences_of
    from shoal.textfiles import holds_rows

    if holds_rows(file):
        return [sentence for text in read_documents(file) for sentence in sentences_of(text)]
    return read_sentences(file)


def train_vectors(
    corpus: WordCorpus,
    method: str,
    size: int,
    seed: int,
    progress: Progress,
    *,
    window: int | None = None,
    passes: int | None = None,
) -> WordVectors:
    """Vectors by one method, its other settings as they come.

    Args:
        corpus: the words as ids.
        method: one of `METHODS`.
        size: the dimension.
        seed: of the training.
        progress: called with (what, done, total).
        window: words of context; None is the method's own.
        passes: over the corpus; None is the method's own.
    """
    from shoal.text.vectors import GensimSettings, GloveSettings, train_gensim, train_glove

    own = {name: value for name, value in (("window", window), ("passes", passes)) if value is not None}
    if method == "glove":
        return train_glove(corpus, GloveSettings(dimension=size, seed=seed, **own), progress=progress)
    settings = GensimSettings(dimension=size, seed=seed, skip_gram=method.endswith("skip-gram"), **own)
    return train_gensim(corpus, "fasttext" if method == "fasttext" else "word2vec", settings, progress=progress)
