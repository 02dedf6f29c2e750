"""``shoal vectors``: the vectors of a text's tokens, word vectors judged, and how many dimensions they need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from shoal.cli.main import VERBS
from shoal.cli.options import Files, Json, MinCount, Model, Numbers, Plot, Seed, Texts
from shoal.cli.terminal import check_target, print_json, progress_bars, show_result
from shoal.cli.vector_queries import analogy, map_, neighbours as neighbours_of, train
from shoal.cli.vectors_work import chosen_methods, read_corpus, train_vectors
from shoal.errors import DataError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.text.vectors import AnalogyScore, SimilarityScore, WordCorpus, WordVectors

ANALOGIES = "questions-words.txt"
# Below it 50 to 100 dimensions are expected to suffice; the report compares what it finds with that.
FEW_SENTENCES = 100_000

# By factors of about two up to 300, the usual size of published vectors.
DIMENSIONS = (10, 25, 50, 100, 200, 300)

vectors = App(name="vectors", help=VERBS["vectors"])
vectors.command(train)
vectors.command(neighbours_of, name="neighbours")
vectors.command(analogy)
vectors.command(map_, name="map")


@vectors.command
def show(
    text: str,
    /,
    *,
    model: Model,
    neighbours: int = 8,
    projection: Literal["pca", "tsne"] = "pca",
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show the vectors of a text's tokens, their nearest neighbours, and how isotropic their space is.

    Parameters
    ----------
    text
        The text.
    neighbours
        Number of nearest neighbours of each token.
    projection
        Projection of the map: pca, or tsne (needs shoal[vectors]).
    """
    from shoal import reports
    from shoal.insight import AnalysisOptions
    from shoal.insight.vectors import describe_vectors
    from shoal.models import load_model

    if plot is not None:
        check_target(plot)
    with progress_bars() as progress:
        options = AnalysisOptions(seed=seed, progress=progress)
        loaded = load_model(model, seed=seed)
        report = describe_vectors(loaded, text, neighbours=neighbours, method=projection, options=options)
    show_result(report, as_json=as_json, plot=plot, page=lambda: reports.vectors_page(report))


@vectors.command
def judge(
    *,
    corpus: Files = None,
    method: Texts = None,
    file: Files = None,
    sets: Path,
    dimension: int = 100,
    min_count: MinCount = 5,
    out: Path | None = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train word vectors on a corpus, or read them, and judge them by human similarity scores and analogies.

    Parameters
    ----------
    corpus
        Text to train on (.txt, or a .zip of them). Repeatable.
    method
        glove, word2vec, word2vec-skip-gram or fasttext. Repeatable. Default: all of them.
    file
        File of word vectors (a word and its numbers per line) to judge too. Repeatable.
    sets
        Folder of evaluation sets: each .txt holds pairs of words with a score, questions-words.txt the analogies.
    dimension
        Dimension of the trained vectors.
    out
        Folder to write the trained vectors to, one file per method.
    """
    from shoal.text.vectors import judge_analogies, judge_similarity, read_vector_file, write_vector_file

    chosen = chosen_methods(method)
    if not corpus and not file:
        raise UsageError("nothing to judge: give --corpus FILE to train on, or --file FILE of word vectors")
    if out is not None and not corpus:
        raise UsageError("--out is for trained vectors; give --corpus FILE to train on, or leave it out")
    pairs, analogies = _read_sets(sets)
    if out is not None and out.exists() and not out.is_dir():
        raise StoreError(f"{out} is a file; give a folder, into which one file per method is written")
    found = []
    with progress_bars() as progress:
        made = {str(each): read_vector_file(each) for each in file or []}
        if corpus:
            words = read_corpus(corpus, min_count)
            made |= {name: train_vectors(words, name, dimension, seed, progress) for name in chosen}
        for name, each in made.items():
            answers = judge_analogies(each, analogies) if analogies is not None else []
            found.append((name, each, judge_similarity(each, pairs, seed=seed), answers))
    if out is not None:
        # Only now that everything is trained: a folder that a failed command made would look like a result.
        out.mkdir(parents=True, exist_ok=True)
        for name in chosen if corpus else ():
            write_vector_file(made[name], out / f"{name}.txt")
    if as_json:
        print_json(
            [
                {
                    "vectors": name,
                    "words": len(each.words),
                    "dimension": each.dimension,
                    "similarity": [score.to_dict() for score in scores],
                    "analogies": [score.to_dict() for score in answers],
                }
                for name, each, scores, answers in found
            ]
        )
        return
    for name, each, scores, answers in found:
        _print_scores(name, each, scores, answers)


@vectors.command
def dimension(
    *corpus: Path,
    method: str = "word2vec",
    dimensions: Numbers = None,
    pairs: Path | None = None,
    sentiment: Path | None = None,
    emotion: Path | None = None,
    tags: Path | None = None,
    model: str | None = None,
    seeds: int = 1,
    sentences: int | None = None,
    min_effect: float = 0.02,
    min_count: MinCount = 5,
    as_json: Json = False,
) -> None:
    """Find the smallest sufficient dimension of word vectors, task by task, with intervals and cost.

    Parameters
    ----------
    corpus
        Text to train on (.txt, or a .zip of them).
    method
        glove, word2vec, word2vec-skip-gram or fasttext.
    dimensions
        Dimensions to compare, as in --dimensions 25 50 100. Default: 10 25 50 100 200 300.
    pairs
        File of word pairs with human similarity scores.
    sentiment
        File of lines with a text, a tab and a sentiment label (.gz too).
    emotion
        File of lines with a text, a tab and an emotion label (.gz too).
    tags
        File of lines with a word, a tab and its part of speech.
    model
        Model spec, whose input embeddings are scored on the same tasks.
    seeds
        Number of trainings at each dimension.
    sentences
        Number of sentences to sample from the corpus for training. Default: all.
    min_effect
        Smallest loss of a score that counts as a loss.
    """
    from shoal.insight import AnalysisOptions
    from shoal.insight.vectors import Kind, PairTask, VectorTask, find_dimension, read_label_task
    from shoal.text.vectors import read_word_pairs

    if not corpus:
        raise UsageError("nothing to train on: give a corpus, as in shoal vectors dimension books.txt --pairs men.txt")
    (name,) = chosen_methods([method])
    labelled: dict[Kind, Path | None] = {"sentiment": sentiment, "emotion": emotion, "part of speech": tags}
    tasks: list[VectorTask] = [
        read_label_task(path, name=kind, kind=kind) for kind, path in labelled.items() if path is not None
    ]
    if pairs is not None:
        # First: it is the one task that needs no classifier, and stands first in tables.
        tasks.insert(0, PairTask(pairs=read_word_pairs(pairs), name="similarity"))
    if not tasks:
        raise UsageError("no task to find a dimension by: give --pairs, --sentiment, --emotion or --tags with a file")
    words = read_corpus(corpus, min_count, sentences)
    own = _own_scores(model, words, tasks) if model is not None else None
    with progress_bars() as progress:
        report = find_dimension(
            lambda size, seed: train_vectors(words, name, size, seed, progress),
            tasks,
            dimensions or DIMENSIONS,
            seeds=seeds,
            few_sentences=len(words.sentence_ends) < FEW_SENTENCES,
            min_effect=min_effect,
            options=AnalysisOptions(progress=progress),
        )
    if as_json:
        print_json({"sentences": len(words.sentence_ends), "words": len(words.words), **report.to_dict(), "own": own})
        return
    print(f"{len(words.sentence_ends):,} sentences, {len(words.ids):,} words of {len(words.words):,} kinds, {name}")
    print(report)
    if own is not None:
        print(f"\nthe input vectors of {model}, {own['dimension']} dimensions, over the words of the corpus")
        for task, score in own["scores"].items():
            print(f"  {task:16}  {score:.3f}")


def _print_scores(
    name: str, each: WordVectors, scores: Sequence[SimilarityScore], answers: Sequence[AnalogyScore]
) -> None:
    """Print one line per set."""
    print(f"{name}: {len(each.words):,} words, {each.dimension} dimensions")
    for score in scores:
        print(f"  {score}")
    # The last is the total over all sections of questions.
    for answer in answers[-1:]:
        print(f"  {replace(answer, name='analogies')}")
    print()


def _read_sets(folder: Path) -> tuple[list[Any], Any]:
    """The similarity sets of a folder, and its analogies if there are any."""
    from shoal.text.vectors import read_analogies, read_word_pairs

    files = sorted(file for file in folder.glob("*.txt") if file.name != ANALOGIES)
    questions = folder / ANALOGIES
    if not files and not questions.exists():
        raise DataError(f"{folder} holds no .txt file; give a folder with sets of word pairs")
    return [read_word_pairs(file) for file in files], read_analogies(questions) if questions.exists() else None


def _own_scores(model: str, corpus: WordCorpus, tasks: Sequence[Any]) -> dict[str, Any]:
    """A model's own vectors on the parts to report on."""
    from shoal.insight.vectors import embed_words
    from shoal.models import load_model

    own = embed_words(load_model(model), corpus.words)
    return {"dimension": own.dimension, "scores": {task.name: task.judge(own)[1].score for task in tasks}}
