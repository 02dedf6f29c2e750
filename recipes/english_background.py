"""Make the list of English stems that the channel of words measures a text against.

python recipes/english_background.py DATA_FOLDER src/shoal/segmentation/trained/unigrams/english.txt
"""

from __future__ import annotations

import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.segmentation.channels.words import WORD
from shoal.text.word_forms import stem

if TYPE_CHECKING:
    from collections.abc import Callable

BOOK_CHARACTERS = 60_000
LEAST_PER_MILLION = 3.0


def main() -> None:
    """Count the words of three kinds of text, each with the same weight."""
    data, target = (Path(argument) for argument in sys.argv[1:3])
    shares: Counter[str] = Counter()
    kinds = (wikipedia(data), books(data), masc(data))
    for counts in kinds:
        for word, count in counts.items():
            shares[stem(word)] += 1e6 * count / counts.total() / len(kinds)
    kept = [(stem, share) for stem, share in shares.most_common() if share >= LEAST_PER_MILLION]
    target.write_text("".join(f"{stem}\t{share:.2f}\n" for stem, share in kept), encoding="utf-8")


def wikipedia(data: Path) -> Counter[str]:
    """Words of the validation part of WikiText-2."""
    text = (data / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")
    return Counter(WORD.findall(text.replace("<unk>", " ").lower()))


def books(data: Path) -> Counter[str]:
    """Words of the beginnings of children's books."""
    return _archive(data / "gutenberg-children" / "books.zip", lambda text: text[:BOOK_CHARACTERS])


def masc(data: Path) -> Counter[str]:
    """Words of MASC, without their tags."""
    return _archive(
        data / "nltk" / "masc_tagged.zip", lambda text: " ".join(pair.rsplit("_", 1)[0] for pair in text.split())
    )


def _archive(path: Path, plain: Callable[[str], str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".txt") and not name.endswith("categories.txt"):
                counts.update(WORD.findall(plain(archive.read(name).decode("utf-8", "replace")).lower()))
    return counts


if __name__ == "__main__":
    main()
