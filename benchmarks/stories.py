"""The story grammar on 100,000 stories: speed, memory, duplicates, plot facts, features, and diversity.

    python -m benchmarks.stories [--count 100000] [--seed 2026] [--only PART ...]

The reference is the sample of TinyStories V2 in the data folder. Near duplicates are looked for among all pairs
(MinHash proposes, the exact Jaccard index of word 5-grams decides), at equal counts for both corpora, since more
documents have more pairs; that the search sees what is there is shown on stories of the reference with words replaced.
Each part is written to bench-out/stories.json; the bars are printed last, and a missed one makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from itertools import islice
from typing import Any

from benchmarks.processes import DATA, OUT
from shoal.corpora import (
    SAMPLE_WORDS,
    Shingler,
    describe_corpus,
    distinct_n,
    find_duplicates,
    find_pairs,
    jaccard,
    read_stories,
    words_of,
    write_documents,
)
from shoal.corpora.duplicates import THRESHOLD
from shoal.corpora.grammar import (
    FEATURES,
    ask_questions,
    find_features,
    missing_words,
    read_events,
    tell_stories,
)
from shoal.statistics.intervals import wilson_interval


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
        "megabytes_per_second": round(size / seconds / 1e6, 2),
        "memory_growth_mib": round(grown / 1024, 1),
    }


def facts(count: int, seed: int) -> dict[str, Any]:
    """Every question of every story answered from the text alone."""
    questions = answered = words = features = 0
    started = time.process_time()
    for story in islice(tell_stories(seed=seed), count):
        known = {(one.kind, one.question): one.answer for one in ask_questions(story.events)}
        events = read_events(story.text)
        read = {(one.kind, one.question): one.answer for one in ask_questions(events)}
        questions += len(known)
        answered += sum(read.get(key) == answer for key, answer in known.items())
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


def requested_features(count: int, seed: int) -> dict[str, Any]:
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
    """Near duplicates of both corpora at equal counts, ours at the full count too, and the search's own proof."""
    reference = _reference()
    equal = len(reference)
    rows = {f"TinyStories, {equal}": _pairs(reference)}
    for place in range(3):
        rows[f"grammar, {equal}, seed {seed + place}"] = _pairs(_stories_of(equal, seed + place))
    rows[f"grammar, {count}, seed {seed}"] = _pairs(_stories_of(count, seed))
    return {"near": THRESHOLD, "corpora": rows, "planted": _planted(reference, seed)}


def _pairs(texts: list[str]) -> dict[str, Any]:
    """Pairs above the threshold, and the documents that are in one, with a 95% interval for their share."""
    started = time.process_time()
    found = list(find_pairs(texts))
    inside = {place for pair in found for place in (pair.document, pair.original)}
    bounds = wilson_interval(len(inside), len(texts))
    return {
        "stories": len(texts),
        "equal_texts": len(texts) - len({" ".join(text.split()) for text in texts}),
        "near_pairs": len(found),
        "stories_in_a_pair": len(inside),
        "share": len(inside) / len(texts),
        "share_low": bounds.low,
        "share_high": bounds.high,
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def _planted(reference: list[str], seed: int) -> dict[str, Any]:
    """Stories beside copies with words replaced: of the pairs above the threshold by brute force, those found."""
    rng = random.Random(seed)
    copies = [_with_words_replaced(text, rng.uniform(0, 0.08), rng) for text in reference]
    shingler = Shingler()
    near = {
        place
        for place, (text, copy) in enumerate(zip(reference, copies, strict=True))
        if jaccard(shingler.shingles(text), shingler.shingles(copy)) > THRESHOLD
    }
    found = {
        pair.original for pair in find_pairs([*reference, *copies]) if pair.document - pair.original == len(reference)
    }
    return {"planted": len(near), "found": len(near & found), "false": len(found - near)}


def rows_of_a_template(count: int, seed: int) -> dict[str, Any]:
    """CPU-seconds for rows of one template: all are candidates of each other, just under the threshold."""
    rng = random.Random(seed)
    rows = []
    for row in range(count):
        words = [f"t{place}" for place in range(100)]
        for start in (10, 55):
            at = start + rng.randrange(5)
            words[at : at + 5] = [f"r{row}w{at + place}" for place in range(5)]
        rows.append(" ".join(words))
    shingler, started = Shingler(), time.process_time()
    found = sum(1 for _ in find_duplicates(rows))
    index = jaccard(shingler.shingles(rows[0]), shingler.shingles(rows[1]))
    return {
        "rows": count,
        "index_of_two": round(index, 3),
        "duplicates": found,
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def _with_words_replaced(text: str, share: float, rng: random.Random) -> str:
    return " ".join("other" if rng.random() < share else word for word in text.split())


def _stories_of(count: int, seed: int) -> list[str]:
    return [story.text for story in islice(tell_stories(seed=seed), count)]


def cards(count: int, seed: int) -> dict[str, Any]:
    """The data cards of both."""
    ours = describe_corpus((story.text for story in islice(tell_stories(seed=seed), count)), name="grammar")
    return {"grammar": ours.to_dict(), "tinystories": describe_corpus(_reference(), name="TinyStories V2").to_dict()}


def diversity(seed: int) -> dict[str, Any]:
    """distinct-n at equal numbers of words, for several seeds of ours."""
    rows = {"tinystories": _distinct(_reference())}
    for place in range(3):
        rows[f"grammar, seed {seed + place}"] = _distinct(_stories_of(1500, seed + place))
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


def bars(results: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """What must hold, whether it does, and the figures."""
    made, known, same = results["generation"], results["facts"], results["duplicates"]
    corpora = list(same["corpora"].values())
    theirs, equal, full = corpora[0], corpora[1:-1], corpora[-1]
    rate, seconds = made["megabytes_per_second"], made["cpu_seconds"] * 100_000 / made["stories"]
    doubles = sum(row["equal_texts"] for row in (*equal, full))
    worst = max(row["stories_in_a_pair"] for row in equal)
    planted = same["planted"]
    return [
        ("at least 2 MB of text a second", rate >= 2, f"{rate} MB/s"),
        ("100,000 stories within a minute of CPU a core", seconds <= 60, f"{seconds:.1f} s"),
        ("no two stories are equal", doubles == 0, f"{doubles} of {full['stories']:,}"),
        (
            "no more near duplicates than TinyStories, at equal counts",
            worst <= theirs["stories_in_a_pair"],
            f"at most {worst} of {theirs['stories']:,} over {len(equal)} seeds, {theirs['stories_in_a_pair']} there",
        ),
        (
            "nor at the full count",
            full["share_high"] <= theirs["share_high"],
            f"{full['stories_in_a_pair']} of {full['stories']:,} are in a pair, share at most {full['share_high']:.1e}",
        ),
        (
            "the search finds planted near duplicates",
            planted["found"] >= 0.995 * planted["planted"],
            f"{planted['found']:,} of {planted['planted']:,}",
        ),
        (
            "5,000 rows just under the threshold within 30 s of CPU",
            results["rows_of_a_template"]["cpu_seconds"] <= 30,
            f"{results['rows_of_a_template']['cpu_seconds']} s",
        ),
        (
            "every plot fact is answered by program",
            known["answered"] == known["questions"],
            f"{known['answered']:,} of {known['questions']:,}",
        ),
        (
            "features that are asked for are there",
            set(results["requested_features"].values()) == {1.0},
            f"{', '.join(results['requested_features'])}",
        ),
        (
            "the three words and the features are there",
            known["with_their_words"] == known["with_their_features"] == known["stories"],
            f"{known['with_their_words']:,} and {known['with_their_features']:,} of {known['stories']:,}",
        ),
    ]


def main() -> int:
    """Run all parts, and say which bars are held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", nargs="+", default=None, help="some of the parts, without the bars")
    given = parser.parse_args()
    parts = {
        "generation": lambda: generation(given.count, given.seed),
        "duplicates": lambda: duplicates(given.count, given.seed),
        "rows_of_a_template": lambda: rows_of_a_template(5000, given.seed),
        "facts": lambda: facts(given.count, given.seed),
        "requested_features": lambda: requested_features(1000, given.seed),
        "diversity": lambda: diversity(given.seed),
        "cards": lambda: cards(given.count, given.seed),
    }
    results: dict[str, Any] = {}
    for name in given.only or parts:
        results[name] = parts[name]()
        (OUT / "stories.json").write_text(json.dumps(results, indent=2))
        print(f"== {name}\n{json.dumps(results[name], indent=2)}", flush=True)
    if given.only:
        return 0
    held = bars(results)
    for what, holds, figures in held:
        print(f"{'held  ' if holds else 'MISSED'}  {what}: {figures}")
    return int(not all(holds for _, holds, _ in held))


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    sys.exit(main())
