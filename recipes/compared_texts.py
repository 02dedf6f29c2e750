"""The corpora and held-out texts of recipes/compare_corpora.toml and recipes/compare_halves.toml, from public sets.

    python recipes/compared_texts.py DATA OUT

DATA holds the sets as their publishers give them; OUT gets a JSONL file of each, a document a row.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from shoal.corpora import (
    generate_stories,
    read_brown,
    read_documents,
    read_easiest_books,
    read_onestop,
    read_stories,
    read_zipped_stories,
    write_documents,
)

SPEECHES = 20
"""Speeches of Shakespeare in a document: a single one is a line or two."""


def corpora(data: Path) -> Iterator[tuple[str, Iterable[str]]]:
    """The documents of each corpus."""
    yield "tinystories", read_stories(data / "tinystories" / "tinystories_v2_gpt4_train_head.txt")
    yield "books", read_easiest_books(data / "gutenberg-children", 46)
    yield "storybooks", read_zipped_stories(data / "storybooks-ccby" / "storybooks.zip")
    yield "shakespeare", speeches(data / "shakespeare-char" / "input.txt")
    yield "wikitext", articles(data / "wikitext-2" / "valid.txt")
    yield "alpaca", instructions(data / "alpaca" / "alpaca_en_demo.json")
    yield "dialogues", read_documents(data / "hh-rlhf" / "harmless-base_test.jsonl.gz", column="chosen")
    yield "grammar", generate_stories(4000, {"tale": 1.0}, seed=1)


def held_out(data: Path) -> Iterator[tuple[str, Iterable[str]]]:
    """The documents of each text that no corpus is made of."""
    yield "fairytales", tales(data / "fairytaleqa")
    yield (
        "news",
        (levels["advanced"] for levels in read_onestop(data / "onestop-english" / "texts_by_level.zip").values()),
    )
    yield "brown", (" ".join(sentences) for _, sentences in read_brown(data / "nltk" / "brown.zip").values())


def speeches(file: Path) -> Iterator[str]:
    """Shakespeare's plays, some speeches at a time."""
    found = list(read_documents(file))
    for start in range(0, len(found), SPEECHES):
        yield "\n\n".join(found[start : start + SPEECHES])


def articles(file: Path) -> Iterator[str]:
    """Articles begin with a line such as `` = Homarus gammarus = ``."""
    lines: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(" = ") and not line.startswith(" = = ") and lines:
            yield "\n".join(lines)
            lines = []
        if line.strip():
            lines.append(line.strip())
    yield "\n".join(lines)


def instructions(file: Path) -> Iterator[str]:
    """Instruction, input and answer of each row."""
    for row in json.loads(file.read_text(encoding="utf-8")):
        yield "\n".join(part for part in (row["instruction"], row["input"], row["output"]) if part)


def tales(folder: Path) -> Iterator[str]:
    """The tales of FairytaleQA, whose sentences stand in rows."""
    sentences: dict[str, list[str]] = {}
    for part in ("train", "val", "test"):
        with gzip.open(folder / f"sentence_level_{part}.csv.gz", "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                sentences.setdefault(row["document_id"], []).append(row["text"])
    yield from (" ".join(parts) for parts in sentences.values())


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, texts in (*corpora(given.data), *held_out(given.data)):
        rows = [{"text": text} for text in texts if text.strip()]
        write_documents(rows, given.out / f"{name}.jsonl")
        print(f"{name}: {len(rows):,} documents, {sum(len(row['text']) for row in rows):,} characters")


if __name__ == "__main__":
    main()
