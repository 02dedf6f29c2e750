"""The commands of ``shoal vectors`` on word vectors of one's own: train, neighbours, analogy, map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.cli.options import Json, MinCount, Plot, Seed
from shoal.cli.terminal import check_target, print_json, progress_bars, show_result
from shoal.errors import UsageError

VectorFile = Annotated[
    Path,
    Parameter(
        name="--word-vectors",
        help="File of word vectors: a word and its numbers per line (.txt, .vec, .gz), or word2vec's binary form.",
    ),
]


def train(
    *corpus: Path,
    method: str = "word2vec",
    dimension: int = 100,
    window: int | None = None,
    passes: int | None = None,
    min_count: MinCount = 5,
    sentences: int | None = None,
    seed: Seed = 0,
    out: Path,
    as_json: Json = False,
) -> None:
    """Train word vectors on a corpus and write them to a file.

    Parameters
    ----------
    corpus
        Text to train on (.txt, or a .zip of them).
    method
        glove, word2vec, word2vec-skip-gram or fasttext.
    dimension
        Dimension of the trained vectors.
    window
        Words on either side that count as context. Default: 10 for glove, 5 for the others.
    passes
        Passes over the corpus. Default: 25 for glove, 5 for the others.
    sentences
        Number of sentences to sample from the corpus for training. Default: all.
    out
        File to write the vectors to, in word2vec's text form.
    """
    from shoal.cli.vectors_work import chosen_methods, read_corpus, train_vectors
    from shoal.text.vectors import write_vector_file

    if not corpus:
        raise UsageError("nothing to train on: give a corpus, as in shoal vectors train books.txt --out vectors.txt")
    check_target(out)
    (name,) = chosen_methods([method])
    with progress_bars() as progress:
        words = read_corpus(corpus, min_count, sentences)
        made = train_vectors(words, name, dimension, seed, progress, window=window, passes=passes)
    write_vector_file(made, out)
    if as_json:
        print_json(
            {
                "method": name,
                "sentences": len(words.sentence_ends),
                "words": len(words.ids),
                "kinds": len(words.words),
                "dimension": made.dimension,
                "out": str(out),
            }
        )
        return
    print(
        f"{name}: {len(words.sentence_ends):,} sentences, {len(words.ids):,} words of {len(words.words):,} kinds, "
        f"{made.dimension} dimensions, written to {out}"
    )


def neighbours(
    *words: str,
    vectors: VectorFile,
    count: int = 10,
    as_json: Json = False,
) -> None:
    """Show the words nearest to words by cosine.

    Parameters
    ----------
    words
        Words that have a vector.
    count
        Number of neighbours of each.
    """
    from shoal.text.vectors import nearest_words, read_vector_file

    if not words:
        raise UsageError("no word: give one, as in shoal vectors neighbours king --word-vectors vectors.txt")
    made = read_vector_file(vectors)
    found = [nearest_words(made, word, count=count) for word in words]
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    print("\n\n".join(map(str, found)))


def analogy(
    *question: Annotated[str, Parameter(allow_leading_hyphen=True)],
    vectors: VectorFile,
    count: int = 5,
    as_json: Json = False,
) -> None:
    """Answer an analogy such as "king - man + woman" by 3CosAdd and 3CosMul, with and without its own words.

    Parameters
    ----------
    question
        The analogy: "king - man + woman", or "man : king :: woman".
    count
        Number of answers.
    """
    from shoal.text.vectors import parse_analogy, read_vector_file, solve_analogy

    near, far = parse_analogy(" ".join(question))
    found = solve_analogy(read_vector_file(vectors), near, far, count=count)
    if as_json:
        print_json(found.to_dict())
        return
    print(found)


def map_(
    *words: str,
    vectors: VectorFile,
    neighbours: int = 0,
    top: int = 100,
    projection: Literal["pca", "tsne"] = "pca",
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Draw words in a plane, and say how far the plane can be trusted.

    Parameters
    ----------
    words
        Words to draw. Default: the most frequent ones (the first of the file).
    neighbours
        Number of nearest words to draw with each.
    top
        Number of the most frequent words to draw where no word is given.
    projection
        Projection of the map: pca, or tsne (needs shoal[vectors]).
    """
    from shoal import reports
    from shoal.insight.vectors import map_words
    from shoal.text.vectors import read_vector_file

    if top < 0:
        raise UsageError(f"--top is {top}; give a number of words of 0 or more")
    if plot is not None:
        check_target(plot)
    made = read_vector_file(vectors)
    # Files of word vectors have the most frequent words first.
    found = map_words(made, words or made.words[:top], neighbours=neighbours, method=projection, seed=seed)
    show_result(found, as_json=as_json, plot=plot, page=lambda: reports.word_map_page(found, source=vectors.name))
