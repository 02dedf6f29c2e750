"""Choi's documents cut with the number of segments chosen, and texts of one subject, which should stay whole.

Pk in percent (window: half the mean true length) by words alone and by sentence vectors, beside cuts of equal length
(told the true number) and nltk's TextTiling. The documents with segments of 3 to 15 sentences are those that settings
were chosen on; texts of one subject are stretches of 50 to 100 sentences of single files of the Brown corpus, settings
chosen on every other file and figures given for the rest.

    python -m benchmarks.segmentation [--model FOLDER_OR_ID] [--no-peer]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import time
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.processes import DATA, OUT, PEERS_PYTHON, ROOT, run_side, write_result
from shoal.segmentation import SentenceVectorChannel, boundary_similarity, pk, segment, window_diff

if TYPE_CHECKING:
    from shoal.segmentation import Channel

SIDE = ROOT / "benchmarks" / "sides" / "texttiling_side.py"
TUNED = "3-15"
CONTROLS = 40


@dataclass(frozen=True, slots=True)
class Document:
    """Sentences and the lengths of the true segments."""

    sentences: list[str]
    lengths: list[int]


def main() -> None:
    """Run all sets and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=os.environ.get("SHOAL_SENTENCE_MODEL"))
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    channels: dict[str, str | Channel] = {"words": "words"}
    if options.model:
        channels["vectors"] = SentenceVectorChannel(options.model, cache=OUT / "vectors")
    sets = choi_sets() | {"one subject, tuned": one_subject(0), "one subject": one_subject(1)}
    rows: dict[str, Any] = {}
    for name, documents in sets.items():
        rows[name] = {channel: figures(documents, reader) for channel, reader in channels.items()}
        rows[name] |= {"equal lengths": equal_lengths(documents)}
        if not options.no_peer and PEERS_PYTHON.exists():
            rows[name] |= {"TextTiling": texttiling(documents)}
        path = write_result("segmentation", rows)
        print_rows(name, len(documents), rows[name])
    print(f"written to {path}")


def choi_sets() -> dict[str, list[Document]]:
    """Documents by the lengths of their segments."""
    sets: dict[str, list[Document]] = {}
    with zipfile.ZipFile(DATA / "choi" / "choi.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".ref"):
                sets.setdefault(name.split("/")[-2], []).append(
                    read_choi(archive.read(name).decode("utf-8", "replace"))
                )
    return dict(sorted(sets.items(), key=lambda entry: entry[0] != TUNED))


def read_choi(text: str) -> Document:
    """A document of the distribution: a sentence a line, a row of equals signs between segments."""
    parts = [[line.strip() for line in part.splitlines() if line.strip()] for part in text.split("==========")]
    segments = [part for part in parts if part]
    return Document([sentence for part in segments for sentence in part], [len(part) for part in segments])


def one_subject(which: int) -> list[Document]:
    """Stretches of single files of the Brown corpus; ``which`` is 0 for every other file, 1 for the rest."""
    draw = random.Random(which)
    with zipfile.ZipFile(DATA / "nltk" / "brown.zip") as archive:
        names = sorted(name for name in archive.namelist() if re.fullmatch(r".*/c[a-r]\d\d", name))
        documents = []
        for name in draw.sample(names[which::2], CONTROLS):
            lines = archive.read(name).decode("utf-8").splitlines()
            sentences = [" ".join(pair.rsplit("/", 1)[0] for pair in line.split()) for line in lines if line.strip()]
            size = min(draw.randint(50, 100), len(sentences))
            start = draw.randrange(len(sentences) - size + 1)
            documents.append(Document(sentences[start : start + size], [size]))
    return documents


def figures(documents: list[Document], channel: str | Channel) -> dict[str, float]:
    """What a channel makes of a set."""
    started = time.process_time()
    found = [segment(document.sentences, channel=channel).lengths for document in documents]
    return measured(documents, found) | {"cpu_seconds": time.process_time() - started}


def equal_lengths(documents: list[Document]) -> dict[str, float]:
    """As many segments as there are, all of one length."""
    found = []
    for document in documents:
        size, count = len(document.sentences), len(document.lengths)
        edges = [round(size * place / count) for place in range(count + 1)]
        found.append(tuple(stop - start for start, stop in pairwise(edges)))
    return measured(documents, found)


def texttiling(documents: list[Document]) -> dict[str, float]:
    """What nltk's TextTiling makes of a set, in a process of its own."""
    path = OUT / "texttiling.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([document.sentences for document in documents]))
    stopwords = DATA / "nltk" / "stopwords.zip"
    finished = run_side([PEERS_PYTHON, SIDE, path, stopwords])
    line = next(line for line in finished.output.splitlines() if line.startswith("RESULT "))
    return measured(documents, json.loads(line.removeprefix("RESULT "))) | {"cpu_seconds": finished.cpu_seconds}


def measured(documents: list[Document], found: list[tuple[int, ...]]) -> dict[str, float]:
    """The means over a set: Pk and WindowDiff in percent, boundary similarity, cuts too many."""
    pairs = [(document.lengths, lengths) for document, lengths in zip(documents, found, strict=True)]
    return {
        "documents": len(documents),
        "pk": 100 * statistics.mean(pk(*pair) for pair in pairs),
        "window_diff": 100 * statistics.mean(window_diff(*pair) for pair in pairs),
        "boundary_similarity": statistics.mean(boundary_similarity(*pair) for pair in pairs),
        "cuts": statistics.mean(len(lengths) - 1 for _, lengths in pairs),
        "true_cuts": statistics.mean(len(true) - 1 for true, _ in pairs),
    }


def print_rows(name: str, documents: int, row: dict[str, dict[str, float]]) -> None:
    """A line a method."""
    for method, values in row.items():
        print(
            f"{name:20} {documents:4} documents  {method:14} Pk {values['pk']:5.1f}  WD {values['window_diff']:5.1f}  "
            f"B {values['boundary_similarity']:.2f}  cuts {values['cuts']:5.2f} of {values['true_cuts']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
