"""The story grammar on 100,000 stories: speed, memory, duplicates, plot facts, features, and diversity.

    python -m benchmarks.stories [--count 100000] [--seed 2026]

The reference is the sample of TinyStories V2 in the data folder. Each part is appended to bench-out/stories.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.processes import OUT, ROOT
from shoal.corpora import read_stories
from shoal.corpora.datacard import SAMPLE_WORDS, describe_corpus, distinct_n
from shoal.corpora.grammar import (
    FEATURES,
    ask_questions,
    find_features,
    missing_words,
    read_events,
    tell_stories,
)
from shoal.corpora.shingles import words_of
from shoal.corpora.writing import write_documents

DATA = Path(os.environ.get("SHOAL_DATA", ROOT.parent / "shared" / "data"))


def generation(count: int, seed: int) -> dict[str, Any]:
    """CPU-seconds to write the stories as text, and how far memory grows on the way."""
    OUT.mkdir(exist_ok=True)
    file = OUT / "stories.txt"
    write_documents(({"text": story.text} for story in islice(tell_stories(seed=seed), 1000)), file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    write_documents(({"text": story.text} for story in islice(tell_stories(seed=seed), count)), file)
    seconds = time.process_time() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    size = file.stat().st_size
    return {
        "stories": count,
        "bytes": size,
        "cpu_seconds": round(seconds, 1),
        "megabytes_a_second": round(size / seconds / 1e6, 2),
        "memory_growth_mib": round(grown / 1024, 1),
    }


def facts(count: int, seed: int) -> dict[str, Any]:
    """Every question of every story answered from the text alone."""
    questions = answered = words = features = 0
    started = time.process_time()
    for story in islice(tell_stories(seed=seed), count):
        told = {(one.kind, one.question): one.answer for one in ask_questions(story.events)}
        events = read_events(story.text)
        read = {(one.kind, one.question): one.answer for one in ask_questions(events)}
        questions += len(told)
        answered += sum(read.get(key) == answer for key, answer in told.items())
        words += not missing_words(story.text, story.words)
        features += find_features(story.text, events) == story.features
    return {
        "stories": count,
        "questions": questions,
        "answered": answered,
        "with_their_words": words,
        "with_their_features": features,
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def asked_features(count: int, seed: int) -> dict[str, Any]:
    """Of stories that were asked for each feature, those in which it is found in the text."""
    return {
        name: sum(
            name in find_features(story.text, read_events(story.text))
            for story in islice(tell_stories(seed=seed, features=[name]), count)
        )
        / count
        for name in FEATURES
    }


def duplicates(count: int, seed: int) -> dict[str, Any]:
    """Exact and near duplicates of the stories and of the reference."""
    started = time.process_time()
    ours = describe_corpus((story.text for story in islice(tell_stories(seed=seed), count)), name="grammar")
    seconds = time.process_time() - started
    theirs = describe_corpus(_reference(), name="TinyStories V2 sample")
    return {"cpu_seconds": round(seconds, 1), "grammar": ours.to_dict(), "tinystories": theirs.to_dict()}


def diversity(seed: int) -> dict[str, Any]:
    """distinct-n at equal numbers of words, for several seeds of ours."""
    rows = {"tinystories": _distinct(_reference())}
    for place in range(3):
        rows[f"grammar, seed {seed + place}"] = _distinct(
            [story.text for story in islice(tell_stories(seed=seed + place), 1500)]
        )
    return rows


def _distinct(texts: list[str]) -> list[float]:
    documents, held = [], 0
    for text in texts:
        words = words_of(text)[: SAMPLE_WORDS - held]
        documents.append(words)
        held += len(words)
    if held < SAMPLE_WORDS:
        raise SystemExit(f"{held} words are fewer than the {SAMPLE_WORDS} compared")
    return [round(distinct_n(documents, n), 4) for n in (1, 2, 3, 4)]


def _reference() -> list[str]:
    return read_stories(DATA / "tinystories" / "tinystories_v2_gpt4_train_head.txt")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2026)
    given = parser.parse_args()
    parts = {
        "generation": lambda: generation(given.count, given.seed),
        "diversity": lambda: diversity(given.seed),
        "asked_features": lambda: asked_features(1000, given.seed),
        "duplicates": lambda: duplicates(given.count, given.seed),
        "facts": lambda: facts(given.count, given.seed),
    }
    OUT.mkdir(exist_ok=True)
    results: dict[str, Any] = {}
    for name, part in parts.items():
        results[name] = part()
        (OUT / "stories.json").write_text(json.dumps(results, indent=2))
        print(f"== {name}\n{json.dumps(results[name], indent=2)}", flush=True)


if __name__ == "__main__":
    main()
