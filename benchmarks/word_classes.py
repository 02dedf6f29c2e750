"""The word classes of the task ``word-classes`` beside a tagger and beside corpora that people tagged.

``python -m benchmarks.word_classes``: a second for the tagger, ten for the corpora (Brown and MASC in ``SHOAL_DATA``).
The tagger was consulted when the lists were written, the corpora were not. A word counts for the corpora where they
have it at least three times; its class there is the commonest of its tags that are noun, verb, adjective or number.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.processes import DATA as SHARED
from shoal.statistics import wilson_interval
from shoal.tasks import check_word_classes
from shoal.tasks.catalog.word_classes import listed_classes, word_sets

DATA = SHARED / "nltk"
OUT = Path("bench-out")
CORPORA = {"brown.zip": "/", "masc_tagged.zip": "_"}
# Tags of both corpora by their beginning; Brown writes titles and foreign words behind a hyphen.
CLASSES = {"NN": "noun", "NP": "noun", "NR": "noun", "VB": "verb", "JJ": "adjective", "CD": "number"}
MIN_COUNT = 3


def corpus_counts() -> dict[str, Counter[str]]:
    """How often each word, in lower case, has each class."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, separator in CORPORA.items():
        with zipfile.ZipFile(DATA / name) as archive:
            for member in archive.namelist():
                for token in archive.read(member).decode("utf-8", "replace").split():
                    word, _, tag = token.rpartition(separator)
                    if word and (found := CLASSES.get(tag[:2].upper())):
                        counts[word.lower()][found] += 1
    return counts


def main() -> None:
    """Print the checks and write them to ``bench-out/word_classes.json``."""
    listed = dict(listed_classes())
    in_sets = {word: name for words in word_sets() for name, word in words.items()}
    counts = corpus_counts()
    results = {}
    for label, classes in (("sets", in_sets), ("all", listed)):
        tagger = check_word_classes(classes)
        print(f"{label}:\n{tagger}")
        frequent = {word: counts[word].most_common(1)[0][0] for word in classes if counts[word].total() >= MIN_COUNT}
        other = {word: name for word, name in frequent.items() if name != classes[word]}
        right = len(frequent) - len(other)
        interval = wilson_interval(right, len(frequent))
        print(
            f"Brown and MASC agree on {right} of {len(frequent)} words: {right / len(frequent):.1%} "
            f"[{interval.low:.1%}, {interval.high:.1%}]\n  other class: "
            + ", ".join(f"{word} ({name})" for word, name in other.items())
        )
        corpora = {"words": len(frequent), "agreeing": right, "interval": [interval.low, interval.high]}
        results[label] = {"hanta": tagger.to_dict(), "corpora": {**corpora, "disagreements": other}}
    OUT.mkdir(exist_ok=True)
    (OUT / "word_classes.json").write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
