"""Scores of the rules on drawn documents, by plain loops over lines, words and characters."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from shoal.curation import DocumentText, LineFilter, QualityFilter, filter_families, find_filters, known_filters
from shoal.curation.tally import Reservoir
from shoal.errors import DataError, UsageError

WORDS = (
    *("the", "and", "#tag", "cat.", "12", "don't", "é", "日本", "...", "wait…", "-", "•", "{x}", "Home", ""),
    *("uses cookies", "[1]", "Lorem ipsum", "JavaScript"),
)
TEXTS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", "\n", "  ", "\n\n"])), max_size=14).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


def repeated(pieces: list[str]) -> list[str]:
    """The pieces that equal an earlier one."""
    return [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def paragraphs_of(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            found[-1].append(line)
        else:
            found.append([])
    return ["\n".join(lines).strip() for lines in found if lines]


LOOPS: dict[str, Callable[[str], float]] = {
    "gopher-words": lambda text: len(text.split()),
    "gopher-word-length": lambda text: share(sum(len(word) for word in text.split()), len(text.split())),
    "gopher-hashes": lambda text: share(sum(letter == "#" for letter in text), max(len(text.split()), 1)),
    "gopher-bullets": lambda text: share(
        sum(line[0] in "•‣◦▪●·*-" for line in lines_of(text)), len(lines_of(text))
    ),
    "gopher-line-ellipses": lambda text: share(
        sum(line[-3:] == "..." or line[-1] == "…" for line in lines_of(text)), len(lines_of(text))
    ),
    "gopher-alphabetic-words": lambda text: share(
        sum(any(letter.isalpha() for letter in word) for word in text.split()), len(text.split())
    ),
    "gopher-duplicate-lines": lambda text: share(len(repeated(lines_of(text))), len(lines_of(text))),
    "gopher-duplicate-line-characters": lambda text: share(sum(map(len, repeated(lines_of(text)))), len(text)),
    "gopher-duplicate-paragraphs": lambda text: share(len(repeated(paragraphs_of(text))), len(paragraphs_of(text))),
    "gopher-duplicate-paragraph-characters": lambda text: share(
        sum(map(len, repeated(paragraphs_of(text)))), len(text)
    ),
    "c4-lorem-ipsum": lambda text: len(text.lower().split("lorem ipsum")) - 1,
    "c4-curly-brackets": lambda text: sum(letter in "{}" for letter in text),
    "fineweb-duplicate-lines": lambda text: share(
        sum(map(len, repeated(lines_of(text)))), sum(map(len, lines_of(text)))
    ),
    "fineweb-short-lines": lambda text: share(sum(len(line) < 30 for line in lines_of(text)), len(lines_of(text))),
    "fineweb-line-ends": lambda text: share(sum(letter == "\n" for letter in text), max(len(text.split()), 1)),
    "compression": lambda text: len(text.encode()) / len(zlib.compress(text.encode(), 6)),
}  # fmt: skip


def scorer(name: str) -> QualityFilter:
    (found,) = find_filters([name])
    assert isinstance(found, QualityFilter)
    return found


@pytest.mark.parametrize("name", LOOPS)
@given(text=TEXTS)
@settings(max_examples=25)
def test_a_score_is_that_of_a_loop(name: str, text: str) -> None:
    assert scorer(name).score(DocumentText(text)) == pytest.approx(LOOPS[name](text))


@given(text=TEXTS)
@settings(max_examples=25)
def test_stop_words_are_counted_in_any_case_and_punctuation(text: str) -> None:
    found = scorer("gopher-stop-words").score(DocumentText(text))
    assert found == sum(word in text.split() for word in ("the", "and"))
    assert scorer("gopher-stop-words").score(DocumentText(text.upper())) == found
    assert scorer("gopher-stop-words").score(DocumentText(text.replace("the", "“the,”"))) == found


RULES = [name for family in ("gopher", "c4", "fineweb") for name in filter_families()[family]]
LINE_RULES = [one for one in find_filters(["c4"]) if isinstance(one, LineFilter)]


@given(text=TEXTS)
@settings(max_examples=25)
def test_scores_do_not_know_blank_lines_at_the_ends(text: str) -> None:
    for rule in find_filters(RULES):
        if isinstance(rule, QualityFilter) and rule.measures.startswith("share of lines"):
            assert rule.score(DocumentText(f"\n \n{text}\n\n")) == rule.score(DocumentText(text))


@given(text=TEXTS)
@settings(max_examples=40)
def test_a_line_that_stays_stays_when_it_is_read_again(text: str) -> None:
    for line in lines_of(text):
        for rule in LINE_RULES:
            left = rule.edit(line)
            if left is not None:
                assert rule.edit(left) == left
                assert left == left.strip() != ""


SCORED = [one for one in find_filters(RULES) if isinstance(one, QualityFilter)]


@pytest.mark.parametrize("rule", SCORED, ids=lambda rule: rule.name)
def test_the_limits_of_a_rule_are_what_it_keeps(rule: QualityFilter) -> None:
    limits = [(rule.min_score, -1), (rule.max_score, 1)]
    assert any(math.isfinite(limit) for limit, _ in limits)
    for limit, side in limits:
        if math.isfinite(limit):
            assert rule.keep(limit - side * 1e-6)
            assert not rule.keep(limit + side * 1e-6)
            assert rule.keep(limit) is not rule.strict


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "50 to 100,000"),
        ({"min_score": 7}, "7 to 100,000"),
        ({"min_score": -math.inf}, "at most 100,000"),
        ({"min_score": -math.inf, "max_score": math.inf}, "any"),
    ],
)
def test_limits_are_said_in_words(options: dict[str, float], says: str) -> None:
    assert known_filters()["gopher-words"](**options).limits == says  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "options", [{"min_score": 5, "max_score": 4}, {"min_score": math.nan}, {"max_score": math.nan}]
)
def test_a_range_without_a_score_is_refused_in_one_line(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="holds no score; give a minimum that is not above the maximum") as caught:
        known_filters()["gopher-words"](**options)
    assert "\n" not in str(caught.value)


def bad_words(path: Path, *words: str) -> QualityFilter:
    path.write_text("\n".join(words), encoding="utf-8")
    kind = known_filters()["bad-words"]
    return kind(file=path)  # type: ignore[call-arg, return-value]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("A Darn cat, DARN it.", 2),
        ("darned undarn", 0),
        ("what the heck fire, heck!", 2),
        ("c++ and c", 1),
        ("größe GRÖSSE Größe", 2),
        ("", 0),
    ],
)
def test_words_of_a_list_are_found_whole_and_in_any_case(tmp_path: Path, text: str, count: int) -> None:
    rule = bad_words(tmp_path / "list.txt", "darn", "heck", "heck fire", "C++", "", " Größe ")
    assert rule.score(DocumentText(text)) == count
    assert rule.keep(count) is (count == 0)


def test_a_list_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no word; give a file with a word or phrase per line"):
        bad_words(tmp_path / "list.txt", " ", "")


def test_a_reservoir_holds_each_item_equally_often() -> None:
    counts = [0] * 20
    for seed in range(2000):
        sample: Reservoir[int] = Reservoir(5, random.Random(seed))
        for item in range(20):
            sample.offer(item)
        assert len(set(sample.items)) == 5
        for item in sample.items:
            counts[item] += 1
    # Chi-square of 19 degrees: above 43.8 once in a thousand.
    assert sum((count - 500) ** 2 / 500 for count in counts) < 43.8
    few: Reservoir[int] = Reservoir(5, random.Random(0))
    few.offer(7)
    assert few.items == [7]
