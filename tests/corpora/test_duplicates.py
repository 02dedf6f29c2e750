"""Duplicates are those that the exact Jaccard index names, and no others."""

from __future__ import annotations

import random

import pytest

from shoal.corpora import Shingler, describe_corpus, jaccard, read_stories, words_of
from shoal.corpora.duplicates import DuplicateFinder, find_duplicates, find_pairs
from shoal.errors import UsageError

pytest.importorskip("rensa")


def plain_grams(text, size=5):
    """Written out anew, with tuples of words."""
    words = words_of(text)
    return {tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1))}


def plain_jaccard(first, second):
    return len(first & second) / len(first | second)


def damaged(text, share, rng):
    return " ".join(rng.choice(["red", "xylo", "moon"]) if rng.random() < share else word for word in text.split())


@pytest.fixture(scope="module")
def stories(data_folder):
    return read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")[:300]


def test_hashed_shingles_give_the_exact_jaccard_index(stories):
    rng, shingler = random.Random(1), Shingler()
    for text in stories[:60]:
        other = damaged(text, rng.random() * 0.1, rng)
        assert jaccard(shingler.shingles(text), shingler.shingles(other)) == plain_jaccard(
            plain_grams(text), plain_grams(other)
        )


def test_near_duplicates_are_found_where_brute_force_finds_them(stories):
    rng = random.Random(2)
    texts = [*stories[:150], *(damaged(text, rng.choice([0.01, 0.03, 0.06, 0.1]), rng) for text in stories[:150])]
    rng.shuffle(texts)
    grams = [plain_grams(text) for text in texts]
    kept, wanted = [], {}
    for place in range(len(texts)):
        first = next((one for one in kept if plain_jaccard(grams[place], grams[one]) > 0.7), None)
        if first is None:
            kept.append(place)
        else:
            wanted[place] = first
    found = {one.document: one.original for one in find_duplicates(texts)}
    assert 20 < len(wanted) < 150
    assert found == wanted


def test_all_pairs_are_found_where_brute_force_finds_them(stories):
    rng = random.Random(3)
    texts = [damaged(text, rng.choice([0.0, 0.02, 0.04]), rng) for text in stories[:40] for _ in range(3)]
    grams = [plain_grams(text) for text in texts]
    wanted = {
        (one, other)
        for one in range(len(texts))
        for other in range(one)
        if plain_jaccard(grams[one], grams[other]) > 0.7
    }
    found = [(pair.document, pair.original) for pair in find_pairs(texts)]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert len({pair[0] for pair in wanted}) < len(wanted)


def test_exact_duplicates_differ_in_white_space_alone():
    found = list(find_duplicates(["A  cat sat.", "a cat sat.", "A cat\nsat.", "A dog."]))
    assert [(one.document, one.original, one.exact) for one in found] == [(1, 0, False), (2, 0, True)]


def test_one_document_has_no_duplicate_and_a_wild_threshold_is_refused():
    assert list(find_duplicates(["A cat."])) == []
    with pytest.raises(UsageError, match="give a Jaccard index"):
        DuplicateFinder(threshold=0.2)


@pytest.mark.parametrize(
    "texts",
    [
        ["...", "!!!", "???", "--- ---", "\U0001f600", "\U0001f602", "\U0001f44d\U0001f3fd"],
        ["x = a + b", "x = a - b", "x = a * b", "x = a / b", "f(x) > 0", "f(x) < 0"],
        ["(a)", "[a]", "a"],
        ["\u0915\u093f \u0915\u0940 \u0915\u0941", "\u0915\u093e \u0915\u0947 \u0915\u094b"],  # vowel signs of Hindi
        ["a thing of great beauty costs 5% more", "a thing of great beauty costs 5$ more"],
        ["if (a && !b) return c;", "if (a && b) return c;"],
        ["y = list[i] + list[j] + k", "y = list(i) + list(j) + k"],
        ["1.5, 2.5, 3.5", "1, 5, 2, 5, 3, 5", "15, 25, 35"],
        ["12:30 14:45 16:50", "12.30 14.45 16.50"],
        ['{"a": 1, "b": [2, 3], "c": 4}', '{"a": 1, "b": {"2": 3}, "c": 4}'],
        ["z = a ? b : c", "z = a : b ? c", "z = a; b; c;"],
        ["f(-x, -y) = g(x, y)", "f(x, y) = g(x, y)"],
        ["__init__ self a b c", "init self a b c"],
        ["a \u2264 b and c \u2265 d", "a \u2265 b and c \u2264 d"],
        [f"\U0001f3f4{''.join(chr(0xE0000 + ord(one)) for one in code)}\U000e007f" for code in ("gbeng", "gbsct")],
        ["r\u00e9sum\u00e9 of a long life", "resume of a long life"],  # accents count
        ["Yes.", "Yes?", "Yes!", "No."],
    ],
)
def test_what_differs_by_signs_or_marks_alone_is_kept(texts):
    assert list(find_duplicates(texts)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Hello world, he said to the old man.", "hello world he said \u2014 to the old man!"),
        ("caf\u00e9 au lait pour monsieur", "cafe\u0301 au lait pour monsieur"),  # composed and decomposed
        ("It\u2019s a well-known tale of old", "It's a well known tale of old"),
        ("\uff21\uff22\uff23 \uff24\uff25 \uff26\uff27 \uff28\uff29 \uff2a", "abc de fg hi j"),  # full width
        ("the co\u00adoperation of all people", "the cooperation of all people"),  # a soft hyphen
        ("\u201cStop (now)!\u201d he said, and left.", '"Stop now," he said - and left...'),
        (
            "\u4ed6\u8bf4\uff0c\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002",
            "\u4ed6\u8bf4,\u4eca\u5929\u5929\u6c14\u5f88\u597d.",
        ),
    ],
)
def test_case_and_the_punctuation_of_prose_do_not_count(first, second):
    assert next(find_duplicates([first, second], threshold=0.5)).similarity > 0.5


@pytest.mark.parametrize(
    "first", [0x4E00, 0x3042, 0x0E01, 0x1780, 0x1000], ids=["Han", "Kana", "Thai", "Khmer", "Burmese"]
)
def test_near_repeats_are_found_in_scripts_without_blanks(first):
    rng = random.Random(first)
    letters = [chr(first + place) for place in range(30)]
    texts = ["".join(rng.choices(letters, k=200)) for _ in range(10)]
    changed = [text[:100] + rng.choice(letters) + text[101:] for text in texts]
    found = {one.document: one.original for one in find_duplicates([*texts, *changed])}
    assert found == {10 + place: place for place in range(10)}


def test_words_have_their_accents_and_marks():
    assert words_of("Cafe\u0301 \u0939\u093f\u0928\u094d\u0926\u0940 d\u2019or") == [
        "caf\u00e9",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "d'or",
    ]


def rows_of_templates(seed, count=200, templates=3, own=9):
    """Rows of a few templates with words of their own, so that each is a candidate of all others of its template."""
    rng = random.Random(seed)
    frames = [[f"t{k}w{place}" for place in range(rng.randint(30, 70))] for k in range(templates)]
    rows = []
    for _ in range(count):
        row = list(rng.choice(frames))
        for _ in range(rng.randint(0, own)):
            row[rng.randrange(len(row))] = f"u{rng.randrange(400)}"
        rows.append(" ".join(row[: rng.randint(2, len(row))] if rng.random() < 0.2 else row))
    return rows


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_crowds_of_candidates_are_decided_as_by_brute_force(seed, threshold):
    texts = rows_of_templates(seed)
    shingler = Shingler()
    sets = [set(shingler.shingles(text).tolist()) for text in texts]
    pairs = {
        (place, other)
        for place in range(len(texts))
        for other in range(place)
        if plain_jaccard(sets[place], sets[other]) > threshold
    }
    assert {(pair.document, pair.original) for pair in find_pairs(texts, threshold=threshold)} == pairs
    originals, wanted = [], {}
    for place in range(len(texts)):
        first = next((one for one in originals if (place, one) in pairs), None)
        if first is None:
            originals.append(place)
        else:
            wanted[place] = first
    found = {one.document: one.original for one in find_duplicates(texts, threshold=threshold) if not one.exact}
    assert {place: wanted[place] for place in found} == found
    assert all(texts[place] in texts[:place] for place in wanted.keys() - found.keys())


def test_a_duplicate_prints_as_one_line_and_gives_plain_values():
    near, exact = find_duplicates(
        ["One " * 3 + "big cat sat here now", "one one one big cat sat here now now", "A.", "A."]
    )
    assert str(exact) == "document 3 equals document 2"
    assert str(near).startswith("document 1 is near (0.")
    assert exact.to_dict() == {"document": 3, "original": 2, "similarity": 1.0, "exact": True}


def test_the_original_of_a_duplicate_is_a_document_that_stays():
    first = " ".join(f"word{place}" for place in range(30))
    near = f"{first} more"
    found = list(find_duplicates([first, near, near, first]))
    assert [(one.document, one.original, one.exact) for one in found] == [(1, 0, False), (2, 0, False), (3, 0, True)]
    assert found[0].similarity == found[1].similarity
    card = describe_corpus([first, near, near, first])
    assert (card.exact_duplicates, card.near_duplicates) == (2, 1)
