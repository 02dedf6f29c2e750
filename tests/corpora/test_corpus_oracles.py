"""Figures of corpora against plain loops: overlaps, cards, duplicates, windows, counting texts, cleaning."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.corpora import (
    Cleaning,
    Shingler,
    check_never_counts_up,
    clean_text,
    describe_corpus,
    distinct_n,
    drop_counting,
    find_ascending_run,
    find_contamination,
    find_duplicates,
    find_pairs,
    jaccard,
    pack_windows,
    repair_text,
    strip_boilerplate,
    words_of,
)
from shoal.corpora.contamination import Contamination
from shoal.errors import DataError, UsageError

WORDS = st.lists(st.sampled_from(["a", "b", "c", "é", "日"]), max_size=12)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=5)


def grams(words: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


@given(documents=TEXTS, items=TEXTS, run=st.integers(3, 5))
@settings(max_examples=60)
def test_overlaps_are_those_of_all_runs_of_words(documents: list[str], items: list[str], run: int) -> None:
    expected = {}
    checked = [place for place, item in enumerate(items) if len(item.split()) >= 3]
    for place, (number, text) in itertools.product(checked, enumerate(documents)):
        own = items[place].split()
        size = min(run, len(own))
        mine, theirs = set(grams(own, size)), grams(text.split(), size)
        if mine & set(theirs):
            held = [gram in mine for gram in theirs]
            longest = max(len(list(group)) for there, group in itertools.groupby(held) if there) + size - 1
            expected[place, number] = (len(mine & set(theirs)) / len(mine), longest)
    if not checked:
        with pytest.raises(DataError, match=f"none of the {len(items)} items has 3 words"):
            find_contamination(documents, items, run=run)
        return
    found = find_contamination(documents, items, run=run)
    assert {(one.item, one.document) for one in found.overlaps} == set(expected)
    for one in found.overlaps:
        share, longest = expected[one.item, one.document]
        assert one.share == pytest.approx(share)
        assert len(one.text.split()) == longest
        assert documents[one.document][one.start :].startswith(one.text)
    assert (found.items, found.checked, found.documents) == (len(items), len(checked), len(documents))
    assert set(found.unchecked) == set(range(len(items))) - set(checked)


@given(documents=TEXTS, order=st.randoms())
def test_the_order_of_documents_does_not_decide_what_is_contaminated(
    documents: list[str], order: random.Random
) -> None:
    items, shuffled = ["a b c d", "b b b"], list(documents)
    order.shuffle(shuffled)
    assert find_contamination(documents, items).contaminated == find_contamination(shuffled, items).contaminated


def test_contamination_is_json_that_is_read_again() -> None:
    found = find_contamination(["x a b c y", "nothing"], ["a b c", "d"], run=3)
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["overlaps"] == [{"item": 0, "document": 0, "start": 2, "text": "a b c", "share": 1.0}]
    assert (plain["contaminated"], plain["unchecked"], plain["run"]) == ([0], [1], 3)
    assert isinstance(found, Contamination)
    assert find_contamination([], ["a b c"]).documents == 0


@given(texts=TEXTS)
def test_a_card_has_the_figures_of_plain_counts(texts: list[str]) -> None:
    rows = [text.split() for text in texts]
    words = [word for row in rows for word in row]
    if not words:
        with pytest.raises(DataError, match="corpus holds no words; there is nothing to describe"):
            describe_corpus(texts)
        return
    card = describe_corpus(texts, name="n", licence="l")
    assert (card.documents, card.words, card.vocabulary) == (len(texts), len(words), len(set(words)))
    assert card.bytes == sum(len(text.encode()) for text in texts)
    assert card.characters == sum(map(len, texts))
    assert card.type_token == pytest.approx(len(set(words)) / len(words))
    assert dict(card.common_words) == dict(Counter(words))
    assert card.exact_duplicates == len(texts) - len(set(texts))
    for n, share in zip((1, 2, 3), card.distinct, strict=True):
        found = [gram for row in rows for gram in grams(row, n)]
        assert share == pytest.approx(len(set(found)) / len(found) if found else 0.0)
    quantiles = np.quantile([len(row) for row in rows], [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    assert list(card.words_per_document.values()) == pytest.approx(quantiles.tolist())
    assert json.loads(card.to_json()) == json.loads(json.dumps(card.to_dict()))
    assert card.to_frame()["share"].sum() == pytest.approx(1.0)


def test_a_card_is_a_table_of_markdown() -> None:
    lines = (
        describe_corpus(["A cat sat.", "A cat sat.", "Dogs!"], name="Größe", licence="CC0").to_markdown().split("\n")
    )
    assert lines[0] == "# Größe"
    assert "| licence | CC0 |" in lines
    assert "| exact duplicates | 1 (33.33%) |" in lines
    assert "| words | 7 |" in lines
    heading = lines.index("| 0% | 5% | 25% | 50% | 75% | 95% | 100% |")
    assert lines[heading + 2] == "| 1 | 1 | 2 | 3 | 3 | 3 | 3 |"


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=4), st.integers(1, 4))
def test_distinct_grams_are_counted_within_documents(documents: list[list[str]], n: int) -> None:
    found = [gram for words in documents for gram in grams(words, n)]
    assert distinct_n(documents, n) == pytest.approx(len(set(found)) / len(found) if found else 0.0)


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_the_jaccard_index_is_that_of_sets(first: list[int], second: list[int]) -> None:
    one, other = (np.unique(np.array(row, dtype=np.uint64)) for row in (first, second))
    union = set(first) | set(second)
    expected = len(set(first) & set(second)) / len(union) if union else 1.0
    assert jaccard(one, other) == jaccard(other, one) == pytest.approx(expected)


@given(first=WORDS, second=WORDS, size=st.integers(1, 4))
def test_grams_are_equal_exactly_where_their_words_are(first: list[str], second: list[str], size: int) -> None:
    shingler = Shingler(size)
    numbers: dict[int, tuple[str, ...]] = {}
    for words in (first, second):
        own = shingler.grams(" ".join(words)).tolist()
        expected = grams(words, min(size, len(words))) if words else []
        assert len(own) == len(expected)
        for number, gram in zip(own, expected, strict=True):
            assert numbers.setdefault(number, gram) == gram
    assert len(set(numbers.values())) == len(numbers)


@given(st.lists(WORDS.map(" ".join), max_size=8))
@settings(max_examples=40)
def test_pairs_are_all_whose_index_is_above_the_threshold(texts: list[str]) -> None:
    shingler = Shingler()
    sets = [shingler.shingles(text) for text in texts]
    expected = {
        (place, other): jaccard(sets[place], sets[other])
        for place in range(len(texts))
        for other in range(place)
        if len(sets[place]) and jaccard(sets[place], sets[other]) > 0.7
    }
    found = {(pair.document, pair.original): pair for pair in find_pairs(texts)}
    assert expected.keys() <= found.keys()
    for place, pair in found.items():
        assert pair.similarity == pytest.approx(expected.get(place, 1.0))
        assert pair.exact == (" ".join(texts[place[0]].split()) == " ".join(texts[place[1]].split()))


@given(st.lists(WORDS.map(" ".join), max_size=8))
@settings(max_examples=40)
def test_what_repeats_something_names_a_document_that_repeats_nothing(texts: list[str]) -> None:
    found = {one.document: one for one in find_duplicates(texts)}
    for place, one in found.items():
        assert one.original < place
        assert one.original not in found
        assert one.to_dict()["similarity"] > 0.7
    kept = [text for place, text in enumerate(texts) if place not in found]
    assert list(find_duplicates(kept)) == []


@pytest.mark.parametrize("threshold", [0.49, 1.0, -1, 7])
def test_thresholds_that_cannot_be_looked_for_are_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match=r"give a Jaccard index from 0\.5 to 1"):
        list(find_duplicates(["a"], threshold=threshold))
    with pytest.raises(UsageError, match="near duplicates above"):
        list(find_pairs(["a"], threshold=threshold))
    with pytest.raises(UsageError, match="near duplicates above"):
        describe_corpus(["a"], threshold=threshold)


DOCUMENTS = st.lists(st.lists(st.integers(1, 99), max_size=9), max_size=8)


@given(documents=DOCUMENTS, context=st.integers(1, 8))
def test_windows_hold_every_document_in_order_and_whole_where_it_fits(documents: list[list[int]], context: int) -> None:
    windows = pack_windows(documents, context=context, end_token_id=0)
    assert windows.shape == (len(windows), context)
    assert [token for token in windows.ravel().tolist() if token] == [token for row in documents for token in row]
    # As many windows as the next fit needs, reckoned from lengths alone.
    count, room = 0, 0
    for document in documents:
        left = len(document) + 1
        while left:
            part = min(left, context)
            if part > room:
                count, room = count + 1, context
            room -= part
            left -= part
    assert len(windows) == count
    written = [(*row, 0) for row in windows.tolist()]
    for document in documents:
        whole = (*document, 0)
        if len(whole) <= context:
            assert any(whole in zip(*(row[k:] for k in range(len(whole))), strict=False) for row in written)


NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven"]


@given(st.lists(st.integers(0, 7), max_size=8), st.sampled_from(["digits", "words", "unary"]))
def test_texts_count_up_where_three_numbers_in_a_row_do(numbers: list[int], kind: str) -> None:
    if kind == "unary":
        numbers = [number + 1 for number in numbers]
    written = [NAMES[n] if kind == "words" else "1" * n if kind == "unary" else str(n) for n in numbers]
    counts_up = any(b == a + 1 and c == b + 1 for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False))
    text = "Say " + " and ".join(written) + "."
    run = find_ascending_run(text)
    # A number of ones alone is digits, too: 1, 11 and 111 are no count in digits, so nothing more is found.
    assert (run is not None) == counts_up
    if run is not None:
        assert run in text
        first = next(
            k for k in range(len(numbers)) if numbers[k : k + 3] == [numbers[k], numbers[k] + 1, numbers[k] + 2]
        )
        assert run == " and ".join(written[first : first + 3])


@given(st.lists(st.lists(st.sampled_from(["1", "2", "3", "cat", "4"]), max_size=5).map(" ".join), max_size=5))
def test_what_is_left_of_texts_never_counts_up(paragraphs: list[str]) -> None:
    texts = ["\n".join(paragraphs[:2]), "\n".join(paragraphs[2:])]
    left, dropped = drop_counting(texts)
    assert check_never_counts_up(left) == len(left)
    assert all(text for text in left)
    assert 0 <= dropped <= sum(len(text.split("\n")) for text in texts)
    if dropped == 0:
        assert left == [text for text in texts if text]


@pytest.mark.parametrize(("gap", "found"), [(40, True), (41, False)])
def test_digits_far_apart_are_no_count(gap: int, found: bool) -> None:
    assert (find_ascending_run(f"7{'.' * gap}8{'.' * gap}9") is not None) is found
    assert find_ascending_run(f"1{'.' * gap}11{'.' * gap}111") is not None


def test_numbers_too_long_to_count_are_no_numbers() -> None:
    assert find_ascending_run(" ".join(str(10**18 + k) for k in range(3))) is None
    assert find_ascending_run(" ".join(str(10**17 + k) for k in range(3))) is not None


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert "\r" not in once
    assert "  " not in once
    assert "\n\n" not in once
    assert once == once.strip()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a \n\n \n b", "a\nb"),
        ("\u2018a\u2019 \u201cb\u201d c\u2014d\u2026", "'a' \"b\" c--d..."),
        ("e\u0301\u00a0x", "\u00e9 x"),
        (" \t a \t b ", "a b"),
        ("", ""),
    ],
)
def test_plain_texts_are_worked_out_by_hand(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@pytest.mark.parametrize(
    "line", ["12", "Page 3 of 9", "[Illustration: A cat]", "-- 14 --", "https://example.org/a", "All rights reserved."]
)
def test_lines_that_publishers_add_are_cut_and_the_paragraphs_around_them_stay(line: str) -> None:
    assert strip_boilerplate(f"First part.\n\n{line}\n\nSecond part.").split() == ["First", "part.", "Second", "part."]
    kept = f"It was {line} that they saw."
    assert strip_boilerplate(kept) == kept


def test_a_story_that_mentions_numbers_keeps_them() -> None:
    story = "She was 12.\nHe said: 5 cats, 3 dogs.\n1984 was a year."
    assert strip_boilerplate(story) == story


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn"], max_codepoint=0x24F), max_size=40))
def test_sound_text_is_not_repaired_into_another_alphabet(text: str) -> None:
    assert repair_text(repair_text(text)) == repair_text(text)


def test_cleaning_counts_each_document_once() -> None:
    cleaning = Cleaning(language="en")
    texts = [
        "The cat sat on the mat, and the dog went to the house with them.",
        "caf\u00c3\u00a9 time is a good time for all of the people in this town.",
        "Der Hund und die Katze gingen zusammen in das Haus, weil es regnete.",
        "\u200b \n",
        "Hi.",
    ]
    left = list(cleaning.apply(texts))
    assert left == [texts[0], texts[1].replace("\u00c3\u00a9", "\u00e9"), "Hi."]
    assert cleaning.counts["read"] == 5
    assert cleaning.counts["kept"] == 3
    assert cleaning.counts["of another language"] == 1
    assert cleaning.counts["emptied"] == 1
    assert cleaning.counts["repaired"] >= 1


@given(st.text(st.sampled_from("aB é日-'.,! \n"), max_size=30))
def test_words_do_not_know_case_and_white_space(text: str) -> None:
    assert words_of(text.upper()) == words_of(text.lower()) == words_of(text)
    assert words_of(text.replace("\n", " \n ")) == words_of(text)
    assert words_of(f"{text} {text}") == words_of(text) * 2
