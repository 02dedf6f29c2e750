"""Word2Vec and FastText by gensim.

Source: Mikolov et al. (2013), arXiv:1301.3781 and 1310.4546; Bojanowski et al. (2017), TACL 5:135-146.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from shoal.errors import MissingExtraError, UsageError
from shoal.text.vectors.wordvectors import WordVectors

if TYPE_CHECKING:
    from shoal.progress import Progress
    from shoal.text.vectors.corpus import WordCorpus


@dataclass(frozen=True, slots=True, kw_only=True)
class GensimSettings:
    """How gensim learns; what stands here is its own default."""

    dimension: int = 100
    window: int = 5
    passes: int = 5
    skip_gram: bool = False
    """The middle word predicts those around it; without it, those around it predict the middle one."""

    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.dimension, self.window, self.passes) < 1:
            raise UsageError(
                "word vectors need a dimension, a window and passes of at least 1, not "
                f"{self.dimension}, {self.window} and {self.passes}"
            )


def train_gensim(
    corpus: WordCorpus,
    kind: Literal["word2vec", "fasttext"],
    settings: GensimSettings | None = None,
    *,
    progress: Progress | None = None,
) -> WordVectors:
    """Train Word2Vec or FastText on a corpus, on one thread, so that equal seeds give equal vectors.

    Args:
        corpus: the words as ids; gensim gets exactly these.
        kind: which of the two.
        settings: how to learn.
        progress: called with (what, done, total).

    Raises:
        MissingExtraError: without gensim.
    """
    try:
        from gensim.models import FastText, Word2Vec
    except ImportError as error:
        raise MissingExtraError("vectors", "Word2Vec and FastText") from error
    settings = settings or GensimSettings()
    sentences = list(corpus.sentences())
    model = (Word2Vec if kind == "word2vec" else FastText)(
        vector_size=settings.dimension,
        window=settings.window,
        sg=int(settings.skip_gram),
        min_count=1,  # the corpus has left rare words out already
        workers=1,
        seed=settings.seed,
    )
    model.build_vocab(sentences)
    alphas = np.linspace(model.alpha, model.min_alpha, settings.passes + 1)
    for done in range(settings.passes):
        # gensim's own schedule of rates, one pass per call, so that progress can be reported.
        model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=float(alphas[done]),
            end_alpha=float(alphas[done + 1]),
        )
        if progress is not None:
            progress(kind, done + 1, settings.passes)
    return WordVectors(words=corpus.words, matrix=np.stack([model.wv[word] for word in corpus.words]))
