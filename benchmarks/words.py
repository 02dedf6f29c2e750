"""Stems and lemmas against the published gold, with 95% intervals: ``python -m benchmarks.words``.

Stems: the word lists of snowballstem.org, a word the unit (the stemmer must be the algorithm, so anything below 1 is
a fault). Lemmas: the verb forms of UniMorph English; the lemma is the unit of the intervals, since the forms of a
verb fall together. simplemma's tables are built from dictionaries that UniMorph draws on too, so that the two are no
independent samples of the language; the words that its tables do not hold show what its rules do on their own. Parts of
speech: sentences of Brown, which the tagger did not learn from.
The table is printed and written to bench-out/words.json.
"""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import simplemma

from benchmarks.processes import DATA, OUT
from shoal.statistics.intervals import wilson_interval
from shoal.text import TaggedWord, lemmatize, load_hanta, tag_alone, tag_sentence
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


def rivals() -> dict[str, Any]:
    """Four ways to a lemma, and stems, on the same verb forms; the verb is the unit."""
    with gzip.open(DATA / "unimorph-eng" / "eng.args.gz", "rt") as file:
        gold = [line.rstrip("\n").split("\t") for line in file]
    units = [lemma for lemma, _, _ in gold]
    forms = [form for _, form, _ in gold]
    found = {
        "simplemma alone": [str(simplemma.lemmatize(form, lang="en")) for form in forms],
        "shoal, the word alone": lemmatize_all(forms),
        "shoal, known to be a verb": [lemmatize(form, word_class="verb") for form in forms],
        "stem (Snowball) as the lemma": stem_all(forms),
    }
    rows = {
        name: interval([one == lemma for one, (lemma, _, _) in zip(answers, gold, strict=True)], units)
        for name, answers in found.items()
    }
    own = dict(zip(units, stem_all(units), strict=True))
    shared = [one == own[lemma] for one, lemma in zip(found["stem (Snowball) as the lemma"], units, strict=True)]
    rows["form and lemma share a stem"] = interval(shared, units)
    sizes = Counter(own.values())
    rows["lemmas that share their stem with no other"] = interval(
        [sizes[stem] == 1 for stem in own.values()], list(own)
    )
    return rows


def by_tagger(count: int) -> dict[str, Any]:
    """Lemmas by the tag that the tagger gives to a verb form, beside the tagger's own, on a sample of verbs."""
    with gzip.open(DATA / "unimorph-eng" / "eng.args.gz", "rt") as file:
        gold = [line.rstrip("\n").split("\t") for line in file]
    chosen = np.random.default_rng(0).permutation(len(gold))[:count]
    sample = [gold[place] for place in sorted(chosen.tolist())]
    units = [lemma for lemma, _, _ in sample]
    tagger = load_hanta("en")
    return {
        "shoal, by the tagger's verb tag (sample)": interval(
            [tag_alone(form, word_class="verb").lemma == lemma for lemma, form, _ in sample], units
        ),
        "HanTa's own lemma (sample)": interval([tagger.analyze(form)[0] == lemma for lemma, form, _ in sample], units),
        "simplemma alone (sample)": interval(
            [simplemma.lemmatize(form, lang="en") == lemma for lemma, form, _ in sample], units
        ),
    }


BROWN = {
    "NP": "proper noun", "NN": "noun", "NR": "noun", "VB": "verb", "BE": "verb", "DO": "verb", "HV": "verb",
    "MD": "verb", "JJ": "adjective", "RB": "adverb", "IN": "preposition", "CC": "conjunction", "CS": "conjunction",
    "AT": "determiner", "CD": "number", "PP": "pronoun",
}  # fmt: skip
"""Brown's tags by their beginning; other tags are drawn differently in C5, and their words do not count."""


def tags(sentences: int) -> dict[str, Any]:
    """The tagger's classes in context and alone, on sentences of Brown; the sentence is the unit."""
    rows: list[list[tuple[str, str]]] = []
    with zipfile.ZipFile(DATA / "nltk" / "brown.zip") as archive:
        for name in archive.namelist():
            if name.rsplit("/", 1)[-1][:1] == "c" and name[-2:].isdigit():
                for line in archive.read(name).decode().splitlines():
                    pairs = [pair.rpartition("/")[::2] for pair in line.split()]
                    # Contractions have two tags there, and are two words here.
                    if pairs and not any("+" in tag or "*" in tag for _, tag in pairs):
                        rows.append(pairs)
    chosen = np.random.default_rng(0).permutation(len(rows))[:sentences]
    context, alone, units = [], [], []
    for place in sorted(chosen.tolist()):
        pairs = rows[place]
        for (word, tag), one in zip(pairs, tag_sentence([word for word, _ in pairs]), strict=True):
            wanted = BROWN.get(tag[:2].upper())
            # Where Brown and C5 draw the line between determiners and pronouns differently, no tag is right or wrong.
            if wanted is None or tag.upper().startswith("PP$"):
                continue
            context.append(_agrees(one, wanted))
            alone.append(_agrees(tag_alone(word), wanted))
            units.append(str(place))
    return {
        "parts of speech in the sentence (Brown)": interval(context, units),
        "parts of speech of the word alone": interval(alone, units),
    }


def _agrees(found: TaggedWord, wanted: str) -> bool:
    return found.word_class == wanted


def main() -> None:
    """Print and write all tables."""
    started = time.process_time()
    OUT.mkdir(exist_ok=True)
    rows: dict[str, Any] = {}
    for part in (stems, lemmas, rivals, lambda: by_tagger(3_000), lambda: tags(400)):
        rows |= part()
        (OUT / "words.json").write_text(json.dumps(rows, indent=2))
    print(f"{'':44}{'right':>8}  {'95% interval':18}{'items':>8}{'units':>8}")
    for name, row in rows.items():
        print(
            f"{name:44}{row['share']:8.4f}  [{row['low']:.4f}, {row['high']:.4f}]  {row['items']:8,}{row['units']:8,}"
        )
    print(f"{time.process_time() - started:.1f} CPU-seconds")


if __name__ == "__main__":
    main()
