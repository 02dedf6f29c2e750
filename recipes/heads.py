"""Makes the heads that come with shoal: emotion from GoEmotions (Apache-2.0), register from MASC (open data).

    python recipes/heads.py --data ../shared/data --out src/shoal/segmentation/trained [--only emotion]

Equal data give equal heads. What each did on texts held out of its training set is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from shoal.corpora import read_ekman, read_masc
from shoal.segmentation import LabelledText, OpenSet, TrainedHead, fit_open_set, train_head
from shoal.text import split_sentences


def emotion(data: Path) -> TrainedHead:
    """Seven classes from the training comments that have one of them alone."""
    rows = read_ekman(data / "goemotions" / "ekman_train.tsv.gz")
    texts = [LabelledText(label=label, sentences=(comment,)) for label, comment in rows]
    return train_head(
        texts, reader="phrases", source="GoEmotions, training part, Ekman grouping; Apache-2.0", min_count=4
    )


def register(data: Path) -> TrainedHead:
    """The genres of MASC."""
    texts = [
        LabelledText(label=genre, sentences=sentences)
        for genre, sentences in read_masc(data / "nltk" / "masc_tagged.zip").values()
    ]
    source = "MASC (Manually Annotated Sub-Corpus of the American National Corpus); open data"
    trained = train_head(texts, reader="style", source=source, passage=15, held_out_passage=30, min_count=30)
    return replace(trained, head=replace(trained.head, open_set=register_open_set(data)))


def register_open_set(data: Path) -> OpenSet:
    """What a register may be beside MASC's: fitted with a quarter of each genre's files, encyclopedia and sums."""
    files = read_masc(data / "nltk" / "masc_tagged.zip")
    rng = random.Random(0)
    by_genre: dict[str, list[str]] = defaultdict(list)
    for name in sorted(files):
        by_genre[files[name][0]].append(name)
    held: set[str] = set()
    for genre in sorted(by_genre):
        names = rng.sample(by_genre[genre], len(by_genre[genre]))
        held.update(names[: max(1, len(names) // 4)] if len(names) > 2 else [])
    seen, kept = (
        [LabelledText(label=files[name][0], sentences=files[name][1]) for name in files if (name in held) is wanted]
        for wanted in (False, True)
    )
    head = train_head(seen, reader="style", source="MASC", passage=15, held_out_passage=30, min_count=30).head
    return fit_open_set(head, kept, [*encyclopedia(data), *sums(data)])


def encyclopedia(data: Path) -> list[list[str]]:
    """Articles of WikiText-2, its marks of tokens undone."""
    text = (data / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")
    for mark in ("-", ","):
        text = text.replace(f" @{mark}@ ", mark)
    text = text.replace(" ,", ",").replace(" .", ".")
    articles = re.split(r"\n = [^=].* = \n", text)
    return [split_sentences(article) for article in articles if len(article) > 3000][:30]


def sums(data: Path) -> list[list[str]]:
    """The questions of GSM8K, twenty together."""
    file = sorted((data / "gsm8k").glob("*.jsonl"))[0]
    lines = file.read_text(encoding="utf-8").splitlines()[:600]
    questions = [json.loads(line)["question"] for line in lines]
    return [split_sentences("\n\n".join(questions[start : start + 20])) for start in range(0, len(questions), 20)]


RECIPES = {"emotion": emotion, "register": register}


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=RECIPES)
    options = parser.parse_args()
    for name in [options.only] if options.only else RECIPES:
        trained = RECIPES[name](options.data)
        trained.head.save(options.out / name)
        print(
            f"{name}: {len(trained.head.features)} features, ridge {trained.ridge:g}, evidence scale "
            f"{trained.head.evidence_scale:.3f}, held-out accuracy {trained.accuracy:.3f}"
        )


if __name__ == "__main__":
    main()
