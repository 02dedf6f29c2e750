"""Word vectors on shared text: GloVe beside gensim on the similarity sets, and how many dimensions each task needs.

    python -m benchmarks.vectors [judge] [--dimension 100]
    python -m benchmarks.vectors [dimension] [--sentences 30000 300000] [--dimensions 10 50 300] [--seeds 0]

The corpus is gutenberg-children and wikitext-2 of the shared data. A line a result is appended to
bench-out/vectors-judge.jsonl and bench-out/vectors-dimension.jsonl, so that a killed run keeps what it has.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import zipfile
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import DATA
from shoal.insight.vectors import LabelTask, PairTask, find_dimension, read_label_task
from shoal.text.vectors import (
    GensimSettings,
    GloveSettings,
    build_corpus,
    judge_analogies,
    judge_similarity,
    read_analogies,
    read_sentences,
    read_word_pairs,
    split_words,
    train_gensim,
    train_glove,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.text.vectors import WordCorpus, WordVectors

OUT = Path("bench-out")
SLACK = 0.05
MEN = "EN-MEN-TR-3k"
METHODS = ("word2vec", "glove", "word2vec-skip-gram", "fasttext")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["judge", "dimension", []], metavar="PART")
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--sentences", type=int, nargs="+", default=[30_000, 300_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[10, 25, 50, 100, 200, 300])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the sentences drawn and the trainings")
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    rows = sentences()
    if not options.parts or "judge" in options.parts:
        judge(build_corpus(rows), options.dimension, options.methods)
    for count in options.sentences if not options.parts or "dimension" in options.parts else ():
        for seed in options.seeds:
            drawn = random.Random(seed).sample(rows, min(count, len(rows)))
            dimension(build_corpus(drawn), options.dimensions, seed)


def judge(corpus: WordCorpus, size: int, methods: Sequence[str] = METHODS) -> None:
    """Every method on every set."""
    folder = DATA / "word-similarity"
    sets = [read_word_pairs(file) for file in sorted(folder.glob("EN-*.txt"))]
    analogies = read_analogies(folder / "questions-words.txt")
    print(
        f"{len(corpus.sentence_ends):,} sentences, {len(corpus.ids):,} words of {len(corpus.words):,} kinds, d = {size}"
    )
    men = {}
    for name in methods:
        started = time.process_time()
        vectors = train(corpus, name, size, 0)
        trained = time.process_time()
        scores, answers = judge_similarity(vectors, sets), judge_analogies(vectors, analogies)[-1]
        judged = time.process_time()
        men[name] = next(score.spearman for score in scores if score.name == MEN)
        append(
            "judge",
            {
                "method": name,
                "dimension": size,
                "training_cpu_seconds": trained - started,
                "judging_cpu_seconds": judged - trained,
                "similarity": [score.to_dict() for score in scores],
                "analogies": answers.to_dict(),
            },
        )
        print(f"\n{name}: training {trained - started:.0f}, judging {judged - trained:.1f} CPU-seconds")
        for score in scores:
            if score.spearman is not None:
                found = f"{score.spearman:6.3f} [{score.low:.3f}, {score.high:.3f}]"
                print(f"  {score.name:18} {found}  {score.known} of {score.pairs}")
        print(f"  {replace(answers, name='analogies')}", flush=True)
    for rival in ("word2vec", "word2vec-skip-gram") if set(methods) == set(METHODS) else ():
        reached = men["glove"] >= men[rival] - SLACK
        print(f"MEN: glove {men['glove']:.3f}, {rival} {men[rival]:.3f}: {'reached' if reached else 'NOT REACHED'}")


def dimension(corpus: WordCorpus, grid: list[int], seed: int) -> None:
    """The dimension by task at one size of the corpus."""
    few = len(corpus.sentence_ends) < 100_000
    sizes = f"{len(corpus.sentence_ends):,} sentences, {len(corpus.ids):,} words of {len(corpus.words):,} kinds"
    print(f"\nseed {seed}: {sizes}")
    tasks = [
        PairTask(pairs=read_word_pairs(DATA / "word-similarity" / f"{MEN}.txt"), name="similarity (MEN)"),
        LabelTask(name="sentiment (sentence_polarity)", kind="sentiment", items=polarity()),
        read_label_task(
            DATA / "goemotions" / "ekman_train.tsv.gz",
            name="emotion (goemotions, Ekman)",
            kind="emotion",
            max_rows=12_000,
        ),
        LabelTask(name="part of speech (Brown)", kind="part of speech", items=brown_tags(corpus)),
    ]
    report = find_dimension(
        lambda size, repeat: train(corpus, "word2vec", size, seed + repeat), tasks, grid, few_sentences=few
    )
    append(
        "dimension",
        {"seed": seed, "sentences": len(corpus.sentence_ends), "words": len(corpus.ids), **report.to_dict()},
    )
    for finding in report.findings:
        print(f"{finding.task}, {finding.items} items; best by validation {finding.best}, enough {finding.enough}")
        for each in finding.scores:
            interval = f"[{each.low:+.3f}, {each.high:+.3f}]"
            print(f"  {each.dimension:4} {each.score:.3f} loss {each.loss:+.3f} {interval} {each.standing}")
        print(f"  {finding.claim}: {finding.verdict}; items that settle it: {finding.items_needed}")
    print("CPU-seconds:", {cost.dimension: round(cost.seconds, 1) for cost in report.costs}, flush=True)


def train(corpus: WordCorpus, name: str, size: int, seed: int) -> WordVectors:
    """Vectors by one method."""
    if name == "glove":
        return train_glove(corpus, GloveSettings(dimension=size, seed=seed))
    settings = GensimSettings(dimension=size, seed=seed, skip_gram=name.endswith("skip-gram"))
    return train_gensim(corpus, "fasttext" if name == "fasttext" else "word2vec", settings)


def sentences() -> list[list[str]]:
    """The corpus."""
    return read_sentences(DATA / "gutenberg-children" / "books.zip") + read_sentences(DATA / "wikitext-2" / "valid.txt")


def polarity() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Sentences of film reviews, positive and negative."""
    with zipfile.ZipFile(DATA / "nltk" / "sentence_polarity.zip") as archive:
        return tuple(
            (tuple(split_words(line)), name.rsplit(".", 1)[1])
            for name in archive.namelist()
            if name.endswith((".pos", ".neg"))
            for line in archive.read(name).decode("latin-1").splitlines()
        )


def brown_tags(corpus: WordCorpus) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The most frequent kind of each word of the corpus in Brown: noun, verb, adjective, adverb or another one."""
    kinds = {"NN": "noun", "NP": "noun", "VB": "verb", "JJ": "adjective", "RB": "adverb"}
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    with zipfile.ZipFile(DATA / "nltk" / "brown.zip") as archive:
        for name in archive.namelist():
            if name.rsplit("/", 1)[-1][:1] == "c" and name[-2:].isdigit():
                for pair in archive.read(name).decode().split():
                    word, _, tag = pair.rpartition("/")
                    tags[word.lower()][kinds.get(tag[:2].upper(), "other")] += 1
    known = [word for word in corpus.words if sum(tags[word].values()) >= 5]
    return tuple(((word,), tags[word].most_common(1)[0][0]) for word in known)


def append(part: str, result: dict[str, Any]) -> None:
    with (OUT / f"vectors-{part}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
