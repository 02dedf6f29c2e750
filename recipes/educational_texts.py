"""The passages that recipes/educational_labels.csv labels, from public sets.

    python recipes/educational_texts.py DATA passages.jsonl

DATA holds the sets as their publishers give them. Each passage is a row with its id (the first 12 digits of the SHA-256
of its text), its source, its document as the group, its text, and the lower of its two labels where they are there.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from compared_texts import articles, instructions, speeches, tales

from shoal.corpora import (
    read_brown,
    read_documents,
    read_easiest_books,
    read_masc,
    read_onestop,
    read_stories,
    read_zipped_stories,
    write_documents,
)
from shoal.text import split_sentences

LABELS = Path(__file__).parent / "educational_labels.csv"

MAX_WORDS = 200
"""Of a passage: enough to see whether it teaches, and few enough to read six hundred."""

MIN_WORDS = 40

SEED = 0


def sources(data: Path) -> Iterator[tuple[str, int, Callable[[], Iterable[str]]]]:
    """Each source with the number of its passages and its documents."""
    yield "wikitext", 60, lambda: articles(data / "wikitext-2" / "valid.txt")
    brown: dict[str, list[str]] = {}
    for register, sentences in read_brown(data / "nltk" / "brown.zip").values():
        brown.setdefault(register, []).append(" ".join(sentences))
    for register, documents in sorted(brown.items()):
        yield f"brown/{register}", 12, lambda documents=documents: documents
    masc: dict[str, list[str]] = {}
    for register, sentences in read_masc(data / "nltk" / "masc_tagged.zip").values():
        masc.setdefault(register, []).append(" ".join(sentences))
    for register, documents in sorted(masc.items()):
        yield f"masc/{register}", 6, lambda documents=documents: documents
    yield (
        "onestop",
        40,
        lambda: (
            levels["elementary"] for levels in read_onestop(data / "onestop-english" / "texts_by_level.zip").values()
        ),
    )
    yield "books", 40, lambda: read_easiest_books(data / "gutenberg-children", 46)
    yield "alpaca", 80, lambda: instructions(data / "alpaca" / "alpaca_en_demo.json")
    yield "gsm8k", 30, lambda: problems(data / "gsm8k" / "train.jsonl")
    yield "medqa", 20, lambda: exam_questions(data / "medqa" / "us_4options_test.jsonl")
    yield "tinystories", 20, lambda: read_stories(data / "tinystories" / "tinystories_v2_gpt4_train_head.txt")
    yield "storybooks", 30, lambda: read_zipped_stories(data / "storybooks-ccby" / "storybooks.zip")
    yield "shakespeare", 10, lambda: speeches(data / "shakespeare-char" / "input.txt")
    yield "fairytales", 20, lambda: tales(data / "fairytaleqa")
    yield (
        "dialogues",
        20,
        lambda: read_documents(data / "hh-rlhf" / "harmless-base_test.jsonl.gz", column="chosen"),
    )


def problems(file: Path) -> Iterator[str]:
    """GSM8K's problems with their worked answers."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield f"{row['question']}\n{row['answer']}"


def exam_questions(file: Path) -> Iterator[str]:
    """MedQA's questions, their choices, and the answer."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        choices = "\n".join(f"{letter}. {text}" for letter, text in row["options"].items())
        yield f"{row['question']}\n{choices}\nAnswer: {row['answer']}"


def passages(data: Path) -> Iterator[dict[str, Any]]:
    """The sample: whole sentences from a random place of random documents, at most one passage a document."""
    for source, count, documents in sources(data):
        generator = random.Random(f"{SEED} {source}")
        found = [document for document in documents() if len(document.split()) >= MIN_WORDS]
        for document in generator.sample(found, min(count, len(found))):
            text = window(document, generator)
            yield {"id": digest(text), "source": source, "group": digest(document), "text": text}


def window(document: str, generator: random.Random) -> str:
    """As many whole sentences as `MAX_WORDS` allow, from a random sentence that leaves `MIN_WORDS` at least."""
    sentences = [sentence.strip() for sentence in split_sentences(document)]
    lengths = [len(sentence.split()) for sentence in sentences]
    starts = [start for start in range(len(sentences)) if sum(lengths[start:]) >= MIN_WORDS]
    start = generator.choice(starts) if sum(lengths) > MAX_WORDS else 0
    end, words = start, 0
    while end < len(sentences) and (words + lengths[end] <= MAX_WORDS or end == start):
        words += lengths[end]
        end += 1
    return " ".join(sentences[start:end])


def digest(text: str) -> str:
    """An id that a text gives itself."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def labels() -> dict[str, int]:
    """The lower of each passage's two labels; empty before there are labels."""
    if not LABELS.is_file():
        return {}
    found: dict[str, list[int]] = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["id"], []).append(int(row["label"]))
    return {name: min(values) for name, values in found.items()}


def main() -> None:
    """Write the passages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--by-source", action="store_true", help="Group passages by source: no fold parts one.")
    given = parser.parse_args()
    label = labels()
    rows = [{**row, "label": label.get(row["id"], "")} for row in passages(given.data)]
    if given.by_source:
        rows = [{**row, "group": row["source"]} for row in rows]
    write_documents(rows, given.out)
    print(f"{len(rows):,} passages, {sum(row['label'] != '' for row in rows):,} of them labelled")


if __name__ == "__main__":
    main()
