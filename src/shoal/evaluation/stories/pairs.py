"""Readers of minimal pairs: two sentences that differ in one point of grammar, and only one of which is good.

BLiMP (Warstadt et al. 2020, TACL 8:377-392) is JSON lines with ``sentence_good`` and ``sentence_bad``; Zorro (Huebner
et al. 2021, CoNLL) is text whose lines alternate bad, good. Either is read from its zip archive, its folder or one of
its files. Zorro's sentences are in lower case with a space before the full stop; they are given as running text is
written ("Look at this purple thing."), since a model of running text takes the other form for a fault of its own.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import mean
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.textfiles import decode_text, numbered_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPACED_MARK = re.compile(r" ([.,?!])")
_CAPITAL = re.compile(r"\A[a-z]")
_LEAST_SHARED = 0.2
"""Of words, on average: the paradigms of Zorro have .43 and more, neighbouring lines of running text about .1."""


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences, of which one is good."""

    good: str
    bad: str
    paradigm: str
    """The point of grammar; a file's name in Zorro, the UID in BLiMP."""


def read_pairs(source: str | Path, *, most: int | None = None) -> list[MinimalPair]:
    """The pairs of a zip archive, a folder or a file of BLiMP or Zorro, in the order of names and lines.

    Args:
        source: where they lie; ``.jsonl`` files are read as BLiMP, ``.txt`` files as Zorro, others are left out.
        most: take this many of each paradigm, spread evenly over it, since neighbours are made of the same words.

    Raises:
        DataError: there are none, or a line is not of the form.
    """
    source = Path(source)
    pairs: dict[str, list[MinimalPair]] = {}
    for name, text in _texts(source):
        reader = _jsonl if name.endswith(".jsonl") else _alternating
        for pair in reader(source, name, text):
            pairs.setdefault(pair.paradigm, []).append(pair)
    if not pairs:
        raise DataError(f"{source} holds no minimal pairs; give the zip archive, folder or a file of BLiMP or Zorro")
    return [pair for of_one in pairs.values() for pair in _spread(of_one, most)]


def _spread(pairs: Sequence[MinimalPair], most: int | None) -> Sequence[MinimalPair]:
    if most is None or len(pairs) <= most:
        return pairs
    return [pairs[place * len(pairs) // most] for place in range(most)]


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of the files."""
    try:
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if _is_meant(str(path.relative_to(source))) and path.is_file():
                    yield path.name, read_text(path)
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                for name in sorted(filter(_is_meant, archive.namelist())):
                    yield name, decode_text(archive.read(name), f"{source}:{name}")
        else:
            yield source.name, read_text(source)
    except (OSError, zipfile.BadZipFile) as fault:
        raise DataError(f"{source} cannot be read as minimal pairs: {fault}") from fault


def _is_meant(name: str) -> bool:
    return name.endswith((".jsonl", ".txt")) and "__MACOSX" not in name


def _jsonl(source: Path, name: str, text: str) -> Iterator[MinimalPair]:
    for number, line in numbered_lines(text):
        try:
            row = json.loads(line)
            yield MinimalPair(str(row["sentence_good"]), str(row["sentence_bad"]), str(row["UID"]))
        except (ValueError, KeyError, TypeError) as fault:
            raise DataError(
                f"{source}: {name}:{number} is no pair of BLiMP; expected JSON with sentence_good, sentence_bad and UID"
            ) from fault


def _alternating(source: Path, name: str, text: str) -> Iterator[MinimalPair]:
    lines = [_written(line.strip()) for _, line in numbered_lines(text)]
    if len(lines) % 2:
        raise DataError(
            f"{source}: {name} has {len(lines)} sentences; in a file of Zorro every bad one is followed by a good one"
        )
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    if pairs and mean(_shared(*pair) for pair in pairs) < _LEAST_SHARED:
        raise DataError(
            f"{source}: {name} is no file of Zorro: its sentences two by two have few words in common, minimal pairs "
            "differ in one point alone"
        )
    paradigm = PurePosixPath(name).stem
    yield from (MinimalPair(good, bad, paradigm) for bad, good in pairs)


def _shared(one: str, other: str) -> float:
    """The words that both have, of all that either has."""
    first, second = set(one.lower().split()), set(other.lower().split())
    return len(first & second) / len(first | second)


def _written(sentence: str) -> str:
    """A sentence of separate words as one writes it: with a capital, and no space before a mark."""
    return _CAPITAL.sub(lambda match: match[0].upper(), _SPACED_MARK.sub(r"\1", sentence))
