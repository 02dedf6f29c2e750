"""Sentences and syllables are counted right in plain English."""

from __future__ import annotations

import pytest

from shoal.curation import DocumentText, QualityFilter, find_filters
from shoal.curation.reading_counts import count_sentences, count_syllables


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("It rains. It pours! The old man snores", 3),
        ('Mr. Smith met J. R. Lee. "Stop!" he said. They left.', 3),
        ("I paid 3.50 for it. Then I left, e.g. by bus.", 2),
        ("no end at all", 1),
    ],
)
def test_sentences_of_a_line(line: str, count: int) -> None:
    assert count_sentences(line) == count


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "the cat walked goes makes strength through"),
        (2, "wanted boxes little table being reading apple people"),
        (3, "video beautiful studying banana"),
        (4, "information January"),
    ],
)
def test_syllables_of_words(count: int, words: str) -> None:
    assert {word: count_syllables(word.lower()) for word in words.split()} == dict.fromkeys(words.split(), count)


@pytest.mark.parametrize(
    ("name", "score"),
    [
        # 10 words, 2 sentences, 11 syllables, 31 letters.
        ("flesch-reading-ease", 206.835 - 1.015 * 10 / 2 - 84.6 * 11 / 10),
        ("flesch-kincaid-grade", 0.39 * 10 / 2 + 11.8 * 11 / 10 - 15.59),
        ("coleman-liau-grade", 5.88 * 31 / 10 - 29.6 * 2 / 10 - 15.8),
    ],
)
def test_readability_is_that_computed_by_hand(name: str, score: float) -> None:
    (rule,) = find_filters([name])
    assert isinstance(rule, QualityFilter)
    assert rule.score(DocumentText("The cat sat on the mat. It ate seven mice.")) == pytest.approx(score)


def test_an_accent_of_its_own_at_the_end_of_a_word_is_a_part_of_it() -> None:
    # Without the accent the final e would be silent.
    assert DocumentText("a cafe\u0301, then").reading_sizes.syllables == 4
