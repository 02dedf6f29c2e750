"""What the settings of words alone were chosen on: Choi's set 3-15 and documents made of pieces of other texts.

    python -m benchmarks.segmentation_tuning [--channel words]

News are articles of OneStopEnglish at the advanced level, stories those of the storybooks, encyclopedia articles those
of WikiText. A piece is the beginning of a text seven times of ten, else a stretch from anywhere. Prints Pk in percent
and cuts too many, kind by kind; nothing that `segmentation` reports on is among them.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import zipfile
from typing import TYPE_CHECKING

from benchmarks.segmentation import DATA, TUNED, Document, choi_sets, one_subject
from shoal.corpora import read_onestop
from shoal.segmentation import pk, segment
from shoal.text.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DOCUMENTS = 24
PIECES = 10
SHORTEST_NEWS, SHORTEST_STORY = 16, 20


def main() -> None:
    """Print a line a kind, and the mean over kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channel", default="words")
    given = parser.parse_args()
    means = []
    for kind, documents in kinds().items():
        found = [segment(document.sentences, channel=given.channel).lengths for document in documents]
        pairs = list(zip(documents, found, strict=True))
        means.append(100 * statistics.mean(pk(document.lengths, lengths) for document, lengths in pairs))
        more = statistics.mean(len(lengths) - len(document.lengths) for document, lengths in pairs)
        print(f"{kind:24}{len(documents):4} documents  Pk {means[-1]:5.1f}  cuts too many {more:+.1f}", flush=True)
    print(f"mean over kinds {statistics.mean(means):.2f}")


def kinds() -> dict[str, list[Document]]:
    """Documents by kind."""
    articles, tales, encyclopedia = news(), stories(), wikitext()
    made = {"Choi 3-15": choi_sets()[TUNED]}
    for place, (low, high) in enumerate([(3, 15), (3, 5), (6, 8), (9, 11), (12, 15)]):
        made[f"news {low}-{high}"] = joined(articles, low, high, (PIECES, PIECES), DOCUMENTS, 100 + place)
    made["news 3-11, few pieces"] = joined(articles, 3, 11, (2, 6), DOCUMENTS, 110)
    made["stories 4-6"] = joined(tales, 4, 6, (6, 14), 20, 111)
    made["stories 5-15"] = joined(tales, 5, 15, (4, 10), 20, 112)
    made["encyclopedia 4-20"] = joined(encyclopedia, 4, 20, (3, 8), 20, 113)
    whole = random.Random(5).sample([text for text in articles if len(text) >= 30], DOCUMENTS)
    made["one article"] = [Document(text, [len(text)]) for text in whole]
    made["one subject of Brown"] = one_subject(0)[:DOCUMENTS]
    return made


def joined(
    texts: Sequence[list[str]], low: int, high: int, pieces: tuple[int, int], documents: int, seed: int
) -> list[Document]:
    """Documents of pieces of ``low`` to ``high`` sentences, each of another text."""
    draw = random.Random(seed)
    made = []
    for _ in range(documents):
        count = pieces[0] if pieces[0] == pieces[1] else draw.randint(*pieces)
        sentences, lengths = [], []
        for text in draw.sample(texts, count):
            size = min(len(text), draw.randint(low, high))
            start = 0 if draw.random() < 0.7 else draw.randint(0, len(text) - size)
            sentences += text[start : start + size]
            lengths.append(size)
        made.append(Document(sentences, lengths))
    return made


def news() -> list[list[str]]:
    """Articles of the advanced level."""
    articles = read_onestop(DATA / "onestop-english" / "texts_by_level.zip")
    found = [
        worded(split_sentences(articles[name]["advanced"])) for name in sorted(articles) if "advanced" in articles[name]
    ]
    return [text for text in found if len(text) >= SHORTEST_NEWS]


def stories() -> list[list[str]]:
    """Children's stories."""
    with zipfile.ZipFile(DATA / "storybooks-ccby" / "storybooks.zip") as archive:
        files = [
            archive.read(name).decode("utf-8", "replace")
            for name in sorted(archive.namelist())
            if name.endswith(".txt")
        ]
    parts = [part for file in files for part in file.split("<|endoftext|>")]
    found = [worded(split_sentences(" ".join(part.split()))) for part in parts]
    return [text for text in found if len(text) >= SHORTEST_STORY]


def wikitext() -> list[list[str]]:
    """Articles of the encyclopedia, as they are tokenized there."""
    found = []
    for article in re.split(r"\n = [^=].*? = \n", (DATA / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")):
        lines = [line.strip() for line in article.splitlines() if line.strip() and not line.strip().startswith("=")]
        found.append(worded(piece for line in lines for piece in re.split(r"(?<= \.) ", line)))
    return [text for text in found if len(text) >= SHORTEST_NEWS]


def worded(sentences: Iterable[str]) -> list[str]:
    """Those of three words or more."""
    return [sentence for sentence in sentences if len(sentence.split()) >= 3]


if __name__ == "__main__":
    main()
