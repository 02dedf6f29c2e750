"""The compiled count of repeated n-grams agrees with the definition written out in Python."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings, strategies as st

from shoal.curation import DocumentText

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc"]), min_size=0, max_size=60)


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_the_most_frequent_ngram_covers_what_counting_gives(words: list[str]) -> None:
    document = DocumentText(" ".join(words))
    for n, characters in document.top_ngram_characters.items():
        counts = Counter(" ".join(words[start : start + n]) for start in range(len(words) - n + 1))
        gram, count = counts.most_common(1)[0] if counts else ("", 0)
        assert characters == (len(gram) * count if count > 1 else 0)


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_every_character_of_repeated_ngrams_is_counted_once(words: list[str]) -> None:
    text = " ".join(words)
    starts = [len(" ".join(words[:place])) + (place > 0) for place in range(len(words))]
    for n, characters in DocumentText(text).duplicate_ngram_characters.items():
        seen: set[str] = set()
        covered: set[int] = set()
        for place in range(len(words) - n + 1):
            gram = " ".join(words[place : place + n])
            if gram in seen:
                covered.update(range(starts[place], starts[place] + len(gram)))
            seen.add(gram)
        assert characters == len(covered)


@given(WORDS)
@settings(max_examples=30, deadline=None)
def test_longer_ngrams_cover_no_more_than_shorter_ones(words: list[str]) -> None:
    characters = list(DocumentText(" ".join(words)).duplicate_ngram_characters.values())
    assert characters == sorted(characters, reverse=True)
