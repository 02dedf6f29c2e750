"""nltk's TextTiling on documents of sentences: the lengths of the segments that it makes, as JSON."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from nltk.tokenize.texttiling import TextTilingTokenizer


def main() -> None:
    """Read documents and cut each one."""
    documents = json.loads(Path(sys.argv[1]).read_text())
    with zipfile.ZipFile(sys.argv[2]) as archive:
        stopwords = archive.read("stopwords/english").decode().split()
    print("RESULT " + json.dumps([tile(document, stopwords) for document in documents]))


def tile(sentences: list[str], stopwords: list[str]) -> list[int]:
    """The lengths of the segments; each sentence is a paragraph, so that a boundary may stand before any of them."""
    marked = [f"{sentence}\n\n" for sentence in sentences]
    try:
        tiles = TextTilingTokenizer(stopwords=stopwords).tokenize("\n\n" + "".join(marked))
    except ValueError:  # a text that it finds too short
        return [len(sentences)]
    lengths = [len([line for line in tile.split("\n\n") if line.strip()]) for tile in tiles]
    return lengths if sum(lengths) == len(sentences) else [len(sentences)]


if __name__ == "__main__":
    main()
