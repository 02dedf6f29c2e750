"""Minimal pairs: two sentences that differ in one point of grammar; does the model find the good one likelier?

BLiMP (Warstadt et al. 2020, TACL 8:377-392) is JSON lines with ``sentence_good`` and ``sentence_bad``; Zorro (Huebner
et al. 2021, CoNLL) is text whose lines alternate bad, good. Either is read from its zip archive, its folder or one of
its files. Zorro's sentences are in lower case with a space before the full stop; they are given as running text is
written ("Look at this purple thing."), since a model of running text takes the other form for a fault of its own.

The sum of log-probabilities of all tokens decides, without a correction for length, as in Warstadt et al. (2020),
section 5.1. The figure of a whole set is the mean over its paradigms, so that each point of grammar counts the same.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import mean
from typing import TYPE_CHECKING

from shoal.errors import DataError, UsageError
from shoal.evaluation.likelihoods import encode_texts, log_likelihoods
from shoal.statistics import Interval, even_sample, wilson_interval
from shoal.textfiles import ZIP_FAULTS, decode_text, numbered_lines, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer


_SPACED_MARK = re.compile(r" ([.,?!])")
_CAPITAL = re.compile(r"\A[a-z]")
_MIN_SHARED_WORDS = 0.2
"""Of words, on average: the paradigms of Zorro have .43 and more, neighbouring lines of running text about .1."""


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences, of which one is good."""

    good: str
    bad: str
    paradigm: str
    """The point of grammar; a file's name in Zorro, the UID in BLiMP."""


def read_minimal_pairs(source: str | os.PathLike[str], *, max_per_paradigm: int | None = None) -> list[MinimalPair]:
    """The pairs of a zip archive, a folder or a file of BLiMP or Zorro, in the order of names and lines.

    Args:
        source: where they lie; ``.jsonl`` files are read as BLiMP, ``.txt`` files as Zorro, others are left out.
        max_per_paradigm: take this many of each paradigm, spread evenly over it, since neighbours are made of the
            same words; None takes all.

    Raises:
        UsageError: ``max_per_paradigm`` is below 1.
        DataError: there are none, or a line is not of the form.
    """
    if max_per_paradigm is not None and max_per_paradigm < 1:
        raise UsageError(f"max_per_paradigm is {max_per_paradigm}; give a whole number above 0, or None for all pairs")
    source = Path(source)
    pairs: dict[str, list[MinimalPair]] = {}
    for name, text in _texts(source):
        reader = _jsonl if name.endswith(".jsonl") else _alternating
        for pair in reader(source, name, text):
            pairs.setdefault(pair.paradigm, []).append(pair)
    if not pairs:
        raise DataError(f"{source} holds no minimal pairs; give the zip archive, folder or a file of BLiMP or Zorro")
    return [pair for of_one in pairs.values() for pair in _spread(of_one, max_per_paradigm)]


def _spread(pairs: Sequence[MinimalPair], count: int | None) -> Sequence[MinimalPair]:
    return pairs if count is None else even_sample(pairs, count)


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
    except ZIP_FAULTS as fault:
        raise DataError(f"{source} cannot be read as minimal pairs: {fault}") from fault


def _is_meant(name: str) -> bool:
    # An archive made on a Mac holds a shadow of each file in this folder.
    return name.endswith((".jsonl", ".txt")) and "__MACOSX" not in name


def _jsonl(source: Path, name: str, text: str) -> Iterator[MinimalPair]:
    for number, line in numbered_lines(text):
        try:
            row = json.loads(line)
            yield MinimalPair(str(row["sentence_good"]), str(row["sentence_bad"]), str(row["UID"]))
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise DataError(
                f"{source}: {name}:{number} is no pair of BLiMP; expected JSON with sentence_good, sentence_bad and UID"
            ) from fault


def _alternating(source: Path, name: str, text: str) -> Iterator[MinimalPair]:
    lines = [_as_running_text(line.strip()) for _, line in numbered_lines(text)]
    if len(lines) % 2:
        raise DataError(
            f"{source}: {name} has {len(lines)} sentences; in a file of Zorro every bad one is followed by a good one"
        )
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    if pairs and mean(_shared(*pair) for pair in pairs) < _MIN_SHARED_WORDS:
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


def _as_running_text(sentence: str) -> str:
    """A sentence of separate words as running text has it: with a capital, and no space before a mark."""
    return _CAPITAL.sub(lambda match: match[0].upper(), _SPACED_MARK.sub(r"\1", sentence))


_Z_95 = 1.959963984540054
"""The .975 quantile of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParadigmScore:
    """One point of grammar."""

    paradigm: str
    pairs: int
    right: float
    """Pairs whose good sentence is the likelier one; a pair of equal likelihood counts half."""

    ties: int
    interval: Interval
    """Wilson's, of the share."""

    @property
    def accuracy(self) -> float:
        """The share of right pairs."""
        return self.right / self.pairs

    @property
    def distances(self) -> tuple[float, float]:
        """How far the ends of its interval at 95 % lie below and above the share, for the interval of a mean."""
        if self.accuracy in (0.0, 1.0):
            return self.accuracy - self.interval.low, self.interval.high - self.accuracy
        half = _Z_95 * math.sqrt(self.accuracy * (1 - self.accuracy) / self.pairs)
        return half, half


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """All paradigms, and the margin of every pair."""

    paradigms: tuple[ParadigmScore, ...]
    margins: tuple[float, ...]
    """log p(good) - log p(bad) in nats, in the order of the pairs."""

    @property
    def accuracy(self) -> float:
        """The mean over paradigms; chance is one half."""
        return math.fsum(part.accuracy for part in self.paradigms) / len(self.paradigms)

    @property
    def interval(self) -> Interval:
        """Of the mean over these paradigms at 95 %, the pairs of each being a sample (a stratified mean).

        Of a paradigm whose pairs all go one way the variance is 0 in the sample alone; its part is Wilson's interval,
        squared and added as the others are (Zou and Donner 2008, Statistics in Medicine 27:1693-1702).
        """
        # Paradigms are the strata and fixed: the interval is over other pairs of the same grammar, and not over other
        # grammar.
        below, above = (
            math.sqrt(math.fsum(part.distances[side] ** 2 for part in self.paradigms)) / len(self.paradigms)
            for side in (0, 1)
        )
        return Interval(max(0.0, self.accuracy - below), min(1.0, self.accuracy + above), 0.95)


def score_minimal_pairs(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    pairs: Sequence[MinimalPair],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> PairScores:
    """Score a model on minimal pairs.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        pairs: as `read_minimal_pairs` gives them; at least one.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        DataError: there are no pairs, or a sentence cannot be encoded.
        TooLongError: a sentence is longer than the model's context.
        ModelError: the model's logits are not numbers.
    """
    if not pairs:
        raise DataError("there are no minimal pairs to score; give at least one")
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    rows = encode_texts(model, tokenizer, sentences)
    nats = log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what="minimal pairs")
    # Equal first: two sentences that the model takes for impossible are a tie, and -inf less -inf is no number.
    margins = tuple(0.0 if good == bad else good - bad for good, bad in zip(nats[::2], nats[1::2], strict=True))
    return PairScores(paradigms=_by_paradigm(pairs, margins), margins=margins)


def _by_paradigm(pairs: Sequence[MinimalPair], margins: Sequence[float]) -> tuple[ParadigmScore, ...]:
    found: dict[str, list[float]] = {}
    for pair, margin in zip(pairs, margins, strict=True):
        found.setdefault(pair.paradigm, []).append(margin)
    return tuple(_score(paradigm, of_one) for paradigm, of_one in found.items())


def _score(paradigm: str, margins: Sequence[float]) -> ParadigmScore:
    wins, ties = sum(margin > 0 for margin in margins), sum(margin == 0 for margin in margins)
    # A tie is a coin toss: a model that scores both sentences alike, as of unknown words, must come out at chance.
    right = wins + ties / 2
    interval = wilson_interval(round(right), len(margins))
    return ParadigmScore(paradigm=paradigm, pairs=len(margins), right=right, ties=ties, interval=interval)
