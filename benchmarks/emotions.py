"""Text cut by emotion: documents of GoEmotions dev comments, beside topic vectors alone and equal lengths.

    python -m benchmarks.emotions --encoder FOLDER [--data ../shared/data] [--seed 0] [--documents 60]

Five pieces of 15 to 30 comments, each of one of Ekman's emotions (once with neutral as a seventh, once without);
neighbours differ. The head that comes with shoal was trained on the training part alone. Beside it, with the same
cutter: the vectors of a sentence encoder (all-MiniLM-L6-v2 is meant), and words.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pieces import Document, cutter, document, measure
from benchmarks.processes import DATA
from shoal.corpora import read_ekman
from shoal.segmentation import find_channel

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT = Path("bench-out") / "emotions.json"
PIECES = 5


def main() -> None:
    """Cut, compare and append."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--encoder", help="the folder of a sentence encoder, for the topic vectors beside")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, default=60)
    options = parser.parse_args()
    channels = {"emotion": find_channel("emotion"), "words alone": find_channel("words")}
    if options.encoder:
        channels["topic vectors alone"] = find_channel("vectors", model=options.encoder)
    comments = read_ekman(options.data / "goemotions" / "ekman_dev.tsv.gz")
    print(f"{'emotions':10}{'read by':22}{'n':>4}{'Pk':>7}{'equal':>7}{'equal, true count':>19}{'cuts':>6}{'CPU s':>7}")
    for left_out in ((), ("neutral",)):
        made = documents([row for row in comments if row[0] not in left_out], options.documents, options.seed)
        for name, channel in channels.items():
            found = measure(made, cutter(channel))
            kinds = 7 - len(left_out)
            print(
                f"{kinds:<10}{name:22}{found.documents:4}{found.pk:7.3f}{found.equal_pk:7.3f}"
                f"{found.equal_true_pk:19.3f}{found.cuts:6.2f}{found.cpu_seconds:7.1f}",
                flush=True,
            )
            OUT.parent.mkdir(exist_ok=True)
            with OUT.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"emotions": kinds, "read_by": name} | asdict(found)) + "\n")


def documents(comments: Sequence[tuple[str, str]], count: int, seed: int) -> list[Document]:
    """Documents of comments, none of which comes twice in one."""
    rng = random.Random(seed)
    by_emotion: dict[str, list[str]] = defaultdict(list)
    for emotion, comment in comments:
        by_emotion[emotion].append(comment)
    made = []
    for _ in range(count):
        left = {emotion: rng.sample(found, len(found)) for emotion, found in sorted(by_emotion.items())}
        emotions: list[str] = []
        while len(emotions) < PIECES:
            emotions.append(rng.choice([emotion for emotion in left if emotions[-1:] != [emotion]]))
        pieces = []
        for emotion in emotions:
            length = min(rng.randint(15, 30), len(left[emotion]))
            pieces.append([left[emotion].pop() for _ in range(length)])
        made.append(document([piece for piece in pieces if piece]))
    return made


if __name__ == "__main__":
    main()
