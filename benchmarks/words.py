"""Stems and lemmas against the published gold, with 95% intervals: ``python -m benchmarks.words``.

Stems: the word lists of snowballstem.org, a word the unit (the stemmer must be the algorithm, so anything below 1 is
a fault). Lemmas: the verb forms of UniMorph English; the lemma is the unit of the intervals, since the forms of a
verb fall together. simplemma's tables are built from dictionaries that UniMorph draws on too, so that the two are no
independent samples of the language; the words that its tables do not hold show what its rules do on their own.
The table is printed and written to bench-out/words.json.
"""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import simplemma

from benchmarks.processes import DATA, OUT
from shoal.statistics.intervals import wilson_interval
from shoal.text.word_forms import lemmatize_all, stem_all

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS = 1000


def interval(right: Sequence[bool], unit: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The share of right answers and its interval: Wilson's where each item is a unit, else a bootstrap."""
    if len(set(unit)) == len(right):
        bounds = wilson_interval(sum(right), len(right))
        share = sum(right) / len(right)
        return {"share": share, "low": bounds.low, "high": bounds.high, "items": len(right), "units": len(right)}
    names, of = np.unique(np.asarray(unit), return_inverse=True)
    hits = np.bincount(of, weights=np.asarray(right, dtype=float))
    sizes = np.bincount(of).astype(float)
    draws = np.random.default_rng(seed)
    shares = []
    for _ in range(DRAWS):
        weights = np.bincount(draws.integers(len(names), size=len(names)), minlength=len(names))
        shares.append(float(weights @ hits / (weights @ sizes)))
    low, high = np.quantile(shares, [0.025, 0.975])
    share = float(hits.sum() / sizes.sum())
    return {"share": share, "low": float(low), "high": float(high), "items": len(right), "units": len(names)}


def stems() -> dict[str, Any]:
    """Each stemmer on its own list."""
    rows = {}
    for name in ("english", "porter"):
        folder = DATA / "snowball-english"
        words, wanted = (
            gzip.decompress((folder / f"{name}_{part}.txt.gz").read_bytes()).decode().splitlines()
            for part in ("voc", "output")
        )
        right = [found == one for found, one in zip(stem_all(words, name), wanted, strict=True)]
        rows[f"stems, {name}"] = interval(right, words)
    return rows


def lemmas() -> dict[str, Any]:
    """UniMorph's verb forms, whole and by feature, and those that the tables lack."""
    with gzip.open(DATA / "unimorph-eng" / "eng.args.gz", "rt") as file:
        gold = [line.rstrip("\n").split("\t") for line in file]
    forms = [form for _, form, _ in gold]
    right = [found == lemma for found, (lemma, _, _) in zip(lemmatize_all(forms), gold, strict=True)]
    kept = [form == lemma for lemma, form, _ in gold]
    known = [simplemma.is_known(form, lang="en") for form in forms]
    units = [lemma for lemma, _, _ in gold]
    rows = {"lemmas, all verb forms": interval(right, units), "the word itself (baseline)": interval(kept, units)}
    for name, chosen in (
        ("lemmas, forms in the tables", known),
        ("lemmas, forms not in the tables", [not one for one in known]),
        *((f"lemmas, {mark}", [one[2] == mark for one in gold]) for mark in sorted({one[2] for one in gold})),
    ):
        places = [place for place, one in enumerate(chosen) if one]
        rows[name] = interval([right[place] for place in places], [units[place] for place in places])
    return rows


def main() -> None:
    """Print and write both tables."""
    started = time.process_time()
    OUT.mkdir(exist_ok=True)
    rows: dict[str, Any] = {}
    for part in (stems, lemmas):
        rows |= part()
        (OUT / "words.json").write_text(json.dumps(rows, indent=2))
    print(f"{'':36}{'right':>8}  {'95% interval':18}{'items':>8}{'units':>8}")
    for name, row in rows.items():
        print(
            f"{name:36}{row['share']:8.4f}  [{row['low']:.4f}, {row['high']:.4f}]  {row['items']:8,}{row['units']:8,}"
        )
    print(f"{time.process_time() - started:.1f} CPU-seconds")


if __name__ == "__main__":
    main()
