"""Text cut by register: Brown's genres, with files disjoint from those tuned on, and reading levels of OneStopEnglish.

    python -m benchmarks.registers [--data ../shared/data] [--seed 0] [--documents 60] [--only PART]

* brown: a head is trained on four fifths of each genre's files (its weight calibrated on a fifth of those that it had
  not seen) and reported on the rest.
* shipped: the head that comes with shoal, which has seen nothing of Brown, on the same documents.
* levels: a head of two reading levels, trained on half of the articles; each document is one article of the other half
  told twice, at both levels, so that what it is about changes nowhere.
* beside: what the head that comes with shoal says of stretches of 118 children's books, which are of none of its genres
  (fiction is the nearest), with "none of these" and without.

Documents: five pieces of 25 to 45 sentences of different genres; the same of one genre from different files (the hard
control: authors and topics change, the register does not); and 175 sentences in a row of one file's genre and author.
"""

from __future__ import annotations

import argparse
import json
import random
import zipfile
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pieces import Document, Result, cutter, document, measure, stretch
from benchmarks.processes import DATA
from shoal.corpora import Labelled, read_brown, read_onestop
from shoal.segmentation import (
    ClassifierChannel,
    LabelledText,
    RegisterChannel,
    TrainedHead,
    calibrate_false_alarms,
    find_channel,
    scale_evidence,
    shipped_head,
    train_head,
)
from shoal.segmentation.heads import NONE
from shoal.text.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.segmentation import Channel, ClassifierHead

OUT = Path("bench-out") / "registers.json"
PIECES = 5
KINDS = ("different genres", "one genre, different files", "one file")


def main() -> None:
    """Run the parts and append what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    print(f"{'part':10}{'documents':30}{'n':>4}{'Pk':>7}{'equal':>7}{'equal, true count':>19}{'cuts':>6}{'CPU s':>7}")
    for name in [options.only] if options.only else PARTS:
        PARTS[name](options.data, options.seed, options.documents)


def brown(data: Path, seed: int, count: int) -> None:
    """A head trained on Brown, on files that it has not seen."""
    files = read_brown(data / "nltk" / "brown.zip")
    tuning, reported = split(files, seed)
    fitting, quiet = split({name: files[name] for name in tuning}, seed)
    factor = calibrate_false_alarms(train(files, fitting).head, labelled(files, quiet), seed=seed)
    head = scale_evidence(train(files, tuning).head, factor)
    print(f"{len(tuning)} files tuned on, {len(reported)} reported on; factor {factor}")
    report("brown", files, reported, register_of(head), seed, count)


def shipped(data: Path, seed: int, count: int) -> None:
    """The head that comes with shoal, on the same documents."""
    files = read_brown(data / "nltk" / "brown.zip")
    report("shipped", files, split(files, seed)[1], find_channel("register"), seed, count)


def levels(data: Path, seed: int, count: int) -> None:
    """Articles told at two levels, one after the other."""
    articles = read_onestop(data / "onestop-english" / "texts_by_level.zip")
    whole = sorted(name for name, texts in articles.items() if len(texts) == 3)
    rng = random.Random(seed)
    rng.shuffle(whole)
    texts = {
        name: {level: tuple(split_sentences(text)) for level, text in articles[name].items() if level != "intermediate"}
        for name in whole
    }
    tuning, rest = whole[: len(whole) // 2], whole[len(whole) // 2 :]
    seen = [LabelledText(label=level, sentences=text) for name in tuning for level, text in texts[name].items()]
    trained = train_head(
        seen, reader="style", source="OneStopEnglish", passage=15, held_out_passage=30, min_count=30, seed=seed
    )
    made = []
    for name in rest[:count]:
        pair = [texts[name]["elementary"], texts[name]["advanced"]]
        rng.shuffle(pair)
        made.append(document(pair))
    add_row("levels", "one article, two levels", measure(made, cutter(ClassifierChannel(trained.head, name="level"))))
    same = [document([texts[name][rng.choice(["elementary", "advanced"])]]) for name in rest[:count]]
    add_row("levels", "one article, one level", measure(same, cutter(ClassifierChannel(trained.head, name="level"))))


def beside(data: Path, seed: int, _count: int) -> None:
    """Stretches of 60 sentences of children's books, judged with and without the class of none."""
    rng = random.Random(seed)
    with zipfile.ZipFile(data / "gutenberg-children" / "books.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".txt"))
        books = [split_sentences(archive.read(name).decode("utf-8")[3000:60000]) for name in names]
    heads = {"with none of these": shipped_head("register")}
    heads["without"] = replace(heads["with none of these"], open_set=None)
    starts = [rng.randrange(max(1, len(book) - 60)) for book in books]
    for name, head in heads.items():
        found = [head.judge(book[start : start + 60]) for book, start in zip(books, starts, strict=True)]
        named = [(label, share) for label, share in found if label != NONE]
        fiction = sum(label == "fiction" for label, _ in named)
        sure = sum(share > 0.9 for label, share in named if label != "fiction")
        mean = sum(share for _, share in found) / len(found)
        print(
            f"beside    {name:20}{len(found):4} books, {len(found) - len(named):3} none of these, {fiction:3} fiction, "
            f"mean probability {mean:.2f}, another genre at above 90%: {sure}"
        )


PARTS = {"brown": brown, "shipped": shipped, "levels": levels, "beside": beside}


def report(
    part: str, files: dict[str, Labelled], names: Sequence[str], channel: Channel, seed: int, count: int
) -> None:
    """The three kinds of documents."""
    for kind in KINDS:
        add_row(part, kind, measure(documents(files, names, kind, count, seed), cutter(channel)))


def documents(files: dict[str, Labelled], names: Sequence[str], kind: str, count: int, seed: int) -> list[Document]:
    """Documents of a kind from the named files."""
    rng = random.Random(f"{kind} {seed}")
    by_genre: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_genre[files[name][0]].append(name)
    genres = sorted(by_genre)
    made = []
    for _ in range(count):
        if kind == "different genres":
            chosen = [rng.choice(by_genre[genre]) for genre in rng.sample(genres, PIECES)]
        elif kind == "one file":
            made.append(Document(files[rng.choice(list(names))][1][: 35 * PIECES], ()))
            continue
        else:
            found = by_genre[rng.choice([genre for genre in genres if len(by_genre[genre]) >= PIECES])]
            chosen = rng.sample(found, PIECES)
        made.append(document([stretch(files[name][1], 25, 45, rng) for name in chosen]))
    # Where the register is the same throughout, every cut is a false one.
    return made if kind == "different genres" else [Document(given.sentences, ()) for given in made]


def split(files: dict[str, Labelled], seed: int) -> tuple[list[str], list[str]]:
    """Four fifths of each genre's files, and the others, at least one."""
    rng = random.Random(seed)
    by_genre: dict[str, list[str]] = defaultdict(list)
    for name in sorted(files):
        by_genre[files[name][0]].append(name)
    tuning, rest = [], []
    for genre in sorted(by_genre):
        names = rng.sample(by_genre[genre], len(by_genre[genre]))
        held = max(1, len(names) // 5)
        rest += names[:held]
        tuning += names[held:]
    return tuning, rest


def labelled(files: dict[str, Labelled], names: Iterable[str]) -> list[LabelledText]:
    """The named files as texts of known class."""
    return [LabelledText(label=files[name][0], sentences=files[name][1]) for name in names]


def train(files: dict[str, Labelled], names: Iterable[str]) -> TrainedHead:
    """A head of Brown's genres."""
    return train_head(
        labelled(files, names),
        reader="style",
        source="Brown; non-commercial",
        passage=15,
        held_out_passage=30,
        min_count=30,
    )


def register_of(head: ClassifierHead) -> RegisterChannel:
    """The register channel with another head."""
    return RegisterChannel(head)


def add_row(part: str, kind: str, result: Result) -> None:
    """Print a row and append it."""
    print(
        f"{part:10}{kind:30}{result.documents:4}{result.pk:7.3f}{result.equal_pk:7.3f}{result.equal_true_pk:19.3f}"
        f"{result.cuts:6.2f}{result.cpu_seconds:7.1f}",
        flush=True,
    )
    OUT.parent.mkdir(exist_ok=True)
    with OUT.open("a", encoding="utf-8") as out:
        out.write(json.dumps({"part": part, "kind": kind} | asdict(result)) + "\n")


if __name__ == "__main__":
    main()
