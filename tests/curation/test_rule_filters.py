"""Each rule gives the score that was computed by hand, and keeps or removes at its published threshold."""

from __future__ import annotations

import math

import pytest

from shoal.curation import DocumentText, LineFilter, QualityFilter, filter_families, find_filters, known_filters
from shoal.errors import UnknownNameError, UsageError


def quality_filter(name: str) -> QualityFilter:
    (found,) = find_filters([name])
    assert isinstance(found, QualityFilter)
    return found


def line_filter(name: str) -> LineFilter:
    (found,) = find_filters([name])
    assert isinstance(found, LineFilter)
    return found


# "a b a b a b c": pairs a·b (3 times, 3 characters each) of 13 characters; triples a·b·a and b·a·b twice each.
BY_HAND = [
    ("gopher-words", "one two  three\nfour", 4),
    ("gopher-word-length", "a bb cccc, dddd.", (1 + 2 + 5 + 5) / 4),
    ("gopher-hashes", "#one two # three", 2 / 4),
    ("gopher-ellipses", "one... two … three four", 2 / 5),
    ("gopher-bullets", "• one\n  - two\nthree\n\n* four", 3 / 4),
    ("gopher-line-ellipses", "one...\ntwo…\nthree\n\nfour.", 2 / 4),
    ("gopher-alphabetic-words", "one 2 --- (x) $5 é", 3 / 6),
    ("gopher-stop-words", "The cat, “of” THE house: with. thereof", 3),
    ("gopher-duplicate-lines", "a\nb\n\na\na\nc", 2 / 5),
    ("gopher-duplicate-line-characters", "abc\nd\nabc", 3 / 9),
    ("gopher-duplicate-paragraphs", "a\nb\n\nc\n \na\nb", 1 / 3),
    ("gopher-duplicate-paragraph-characters", "a\nb\n\nc\n\na\nb", 3 / 11),
    ("gopher-top-2-gram", "a b a b a b c", 3 * 3 / 13),
    ("gopher-top-3-gram", "a b a b a b c", 2 * 5 / 13),
    ("gopher-top-4-gram", "a b a b a b c", 2 * 7 / 13),
    ("gopher-top-2-gram", "a b c d", 0),
    ("gopher-duplicate-5-grams", "a b c d e x a b c d e", 9 / 21),
    # Two repeated 5-grams overlap in four words: the six covered words are counted once.
    ("gopher-duplicate-5-grams", "a b c d e f x a b c d e f", 11 / 25),
    # Repeats without a word between them: the space between them is covered, too.
    ("gopher-duplicate-5-grams", "a b c d e a b c d e a b c d e", 19 / 29),
    ("gopher-duplicate-6-grams", "a b c d e x a b c d e", 0),
    ("gopher-duplicate-10-grams", "a b c d e f g h i j a b c d e f g h i j", 19 / 39),
    ("c4-lorem-ipsum", "Lorem Ipsum dolor. lorem ipsum", 2),
    ("c4-curly-brackets", "f(x) { return 1; }", 2),
    ("c4-sentences", "It rains. It pours!\nThe old man snores", 3),
    ("fineweb-line-punctuation", "Yes.\n\nHome\n“No!”\nAbout", 2 / 4),
    ("fineweb-duplicate-lines", "abc\nd\nabc", 3 / 7),
    ("fineweb-short-lines", f"{'x' * 29}\n{'x' * 30}", 1 / 2),
    ("fineweb-line-ends", "a b\nc\n\nd", 3 / 4),
]


@pytest.mark.parametrize(("name", "text", "score"), BY_HAND)
def test_the_score_is_that_computed_by_hand(name: str, text: str, score: float) -> None:
    assert quality_filter(name).score(DocumentText(text)) == pytest.approx(score)


PUBLISHED = {
    "gopher-words": (50, 100_000),
    "gopher-word-length": (3, 10),
    "gopher-hashes": (None, 0.1),
    "gopher-ellipses": (None, 0.1),
    "gopher-bullets": (None, 0.9),
    "gopher-line-ellipses": (None, 0.3),
    "gopher-alphabetic-words": (0.8, None),
    "gopher-stop-words": (2, None),
    "gopher-duplicate-lines": (None, 0.30),
    "gopher-duplicate-paragraphs": (None, 0.30),
    "gopher-duplicate-line-characters": (None, 0.20),
    "gopher-duplicate-paragraph-characters": (None, 0.20),
    "gopher-top-2-gram": (None, 0.20),
    "gopher-top-3-gram": (None, 0.18),
    "gopher-top-4-gram": (None, 0.16),
    "gopher-duplicate-5-grams": (None, 0.15),
    "gopher-duplicate-6-grams": (None, 0.14),
    "gopher-duplicate-7-grams": (None, 0.13),
    "gopher-duplicate-8-grams": (None, 0.12),
    "gopher-duplicate-9-grams": (None, 0.11),
    "gopher-duplicate-10-grams": (None, 0.10),
    "c4-lorem-ipsum": (None, 0),
    "c4-curly-brackets": (None, 0),
    "c4-sentences": (3, None),
    "fineweb-line-ends": (None, 0.3),
}


@pytest.mark.parametrize(("name", "limits"), PUBLISHED.items())
def test_a_score_at_the_published_threshold_stays_and_one_behind_it_does_not(
    name: str, limits: tuple[float | None, float | None]
) -> None:
    rule, (low, high) = quality_filter(name), limits
    for limit, step in ((low, -1e-9), (high, 1e-9)):
        if limit is not None:
            assert rule.keep(limit)
            assert not rule.keep(limit + step)
    assert rule.keep(0.0) == (low is None)


@pytest.mark.parametrize(
    ("name", "limit", "inside"),
    [
        ("fineweb-line-punctuation", 0.12, 1e-9),
        ("fineweb-duplicate-lines", 0.1, -1e-9),
        ("fineweb-short-lines", 0.67, -1e-9),
    ],
)
def test_fineweb_removes_a_document_at_the_threshold_itself(name: str, limit: float, inside: float) -> None:
    rule = quality_filter(name)
    assert not rule.keep(limit)
    assert rule.keep(limit + inside)


@pytest.mark.parametrize(
    ("name", "line", "left"),
    [
        ("c4-terminal-punctuation", "It ends.", "It ends."),
        ("c4-terminal-punctuation", "“Does it?”", "“Does it?”"),
        ("c4-terminal-punctuation", "It does not end...", None),
        ("c4-terminal-punctuation", "Home | About", None),
        ("c4-line-words", "These are five words here", "These are five words here"),
        ("c4-line-words", "These are only four", None),
        ("c4-javascript", "Please enable JavaScript to see this.", None),
        ("c4-policies", "Read our Privacy Policy before you go on.", None),
        ("c4-citation-marks", "It rained.[12][citation needed]", "It rained."),
        ("c4-citation-marks", "[3]", None),
        ("c4-citation-marks", "An array a[i] stays.", "An array a[i] stays."),
    ],
)
def test_a_line_is_left_edited_or_removed(name: str, line: str, left: str | None) -> None:
    assert line_filter(name).edit(line) == left


RULES = [name for family in ("gopher", "c4", "fineweb", "readability") for name in filter_families()[family]]


@pytest.mark.parametrize("text", ["", " \n\n ", "x", "…"])
def test_a_document_of_hardly_anything_has_a_finite_score(text: str) -> None:
    scores = {
        rule.name: rule.score(DocumentText(text)) for rule in find_filters(RULES) if isinstance(rule, QualityFilter)
    }
    assert all(math.isfinite(score) for score in scores.values())


def test_a_family_is_used_as_a_whole_and_less_by_a_minus() -> None:
    names = filter_families()["c4"]
    assert [one.name for one in find_filters(["c4"])] == list(names)
    without = find_filters(["c4", "-c4-terminal-punctuation"])
    assert [one.name for one in without] == [name for name in names if name != "c4-terminal-punctuation"]


def test_every_rule_names_its_source_and_what_it_measures() -> None:
    assert all(kind.source and kind.measures and kind.__doc__ for kind in known_filters().values())


def test_wrong_names_and_empty_choices_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'gopher'"):
        find_filters(["gofer"])
    with pytest.raises(UsageError, match="comes twice"):
        find_filters(["gopher", "gopher-words"])
    with pytest.raises(UsageError, match="no filter is left"):
        find_filters(["fineweb", "-fineweb"])


def test_a_range_that_holds_no_score_is_refused() -> None:
    with pytest.raises(UsageError, match="holds no score"):
        known_filters()["gopher-words"](min_score=200_000)
