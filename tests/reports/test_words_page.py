"""The pages of words and of tokens show every row of their tables, and count what they leave out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from page_reader import HOSTILE, PageReader, read_page
from shoal.errors import UsageError
from shoal.insight.tokens import TokenReading, compare_tokenizations
from shoal.insight.tokens.reading import TokenPiece
from shoal.insight.words import WordRow, WordTable
from shoal.reports import tokens_page, words_page

LEMMA = {"cats": "cat", "cat": "cat", "ran": "run", "runs": "run", "university": "university", "universe": "universe"}
STEM = {"cats": "cat", "cat": "cat", "ran": "ran", "runs": "run", "university": "univers", "universe": "univers"}
CLASS = {"ran": "verb", "runs": "verb"}


def row(text, start, *, lemmas=True, classes=True):
    is_word = text[0].isalnum()
    low = text.lower()
    return WordRow(
        document=0,
        sentence=0,
        start=start,
        stop=start + len(text),
        text=text,
        is_word=is_word,
        tokens={"byte": tuple(text)},
        stem=STEM.get(low, low) if is_word else None,
        lemma=LEMMA.get(low, low) if is_word and lemmas else None,
        tag="T" if classes else None,
        word_class=CLASS.get(low, "noun") if is_word and classes else None,
    )


def words_of(text, *, lemmas=True, classes=True):
    rows, place = [], 0
    for part in text.split():
        rows.append(row(part, place, lemmas=lemmas, classes=classes))
        place += len(part) + 1
    sources = {"stem": "snowball"} | ({"lemma": "simplemma"} if lemmas else {}) | ({"tag": "HanTa"} if classes else {})
    return WordTable(language="en", rows=tuple(rows), tokenizers=("byte",), sources=sources, notes=("a note",))


TEXT = "Cats ran . The cat runs to University & the universe"


@pytest.fixture(scope="module")
def page() -> PageReader:
    return read_page(words_page(words_of(TEXT)))


def test_the_result_counts_words_types_and_lemmas(page: PageReader) -> None:
    # the twice; cats and cat, ran and runs share a lemma.
    assert page.part(".result") == "9 words of the text are 8 types of 6 lemmas; “cats” and “cat” are forms of “cat”."
    assert page.part(".details") == (
        "Language en; stems by snowball; lemmas by simplemma; tags by HanTa; 0.89 types per word; 4.44 tokens per "
        "word by byte; a note."
    )


def test_word_by_word_stands_what_the_command_prints(page: PageReader) -> None:
    assert page.tables["The words in their order"][0] == ["Word", "Stem", "Lemma", "Class", "Tag", "Tokens, byte"]
    rows = page.rows("The words in their order")
    assert rows[0] == ["Cats", "cat", "cat", "noun", "T", "C|a|t|s"]
    assert rows[2] == [".", "", "", "", "T", "."]
    assert len(rows) == len(TEXT.split())


def test_lemmas_stand_with_their_forms_the_most_frequent_first(page: PageReader) -> None:
    rows = page.rows("The most frequent lemmas first")
    assert rows[:3] == [
        ["cat", "noun", "2", "cats 1, cat 1"],
        ["run", "verb", "2", "ran 1, runs 1"],
        ["the", "noun", "2", "the 2"],
    ]
    assert [row[0] for row in rows[3:]] == ["to", "universe", "university"]


def test_stems_and_lemmas_that_disagree_are_listed(page: PageReader) -> None:
    assert page.rows("One lemma, several stems") == [["run", "ran → ran, runs → run"]]
    assert page.rows("One stem, several lemmas") == [["univers", "universe, university"]]
    assert page.rows("Words by part of speech") == [["noun", "7", "77.8%"], ["verb", "2", "22.2%"]]


def test_every_word_has_its_data(page: PageReader) -> None:
    data = page.json("tokens-words")
    assert len(data["facts"]) == len(TEXT.split())
    assert data["facts"][0] == [["lemma", "cat"], ["stem", "cat"], ["part of speech", "noun"], ["byte", "C|a|t|s"]]
    frequency, tokens = data["measures"]
    assert frequency["values"][:3] == [2, 2, None]
    assert tokens["values"][:3] == [4, 3, None]


def test_the_heading_begins_as_the_text_does_and_counts_documents() -> None:
    found = WordTable(
        language="en",
        rows=(
            *(row(text, start) for text, start in (("The", 0), ("cat", 4), (".", 7))),
            replace(row("Cats", 0), document=1),
        ),
        tokenizers=(),
        sources={"stem": "snowball"},
        notes=(),
    )
    assert read_page(words_page(found)).part("h1") == "Words of 2 documents, which begin with “The cat. …”"
    assert read_page(words_page(words_of("cat !"))).part("h1") == "Words of “cat !”"


def test_a_language_without_lemmas_counts_types() -> None:
    page = read_page(words_page(words_of("cat cats cat", lemmas=False, classes=False)))
    assert page.part(".result") == "3 words of the text are 2 types."
    assert page.tables["The words in their order"][0] == ["Word", "Stem", "Tokens, byte"]
    assert page.rows("The most frequent lemmas first") == [["cat", "-", "2", "cat 2"], ["cats", "-", "1", "cats 1"]]
    assert {attrs["id"] for attrs in page.all("section")} == {"text", "words", "lemmas"}


def test_one_word_is_one_word() -> None:
    page = read_page(words_page(words_of("cat", classes=False)))
    assert page.part(".result") == "1 word of the text are 1 type of 1 lemma."
    assert page.part("h1") == "Words of “cat”"


def test_a_long_text_is_cut_and_the_page_counts_what_it_leaves_out() -> None:
    page = read_page(words_page(words_of(" ".join(f"w{place}" for place in range(3100)))))
    assert "The first 3,000 of 3,100 words and marks are shown." in page.text
    assert "The first 300 of 3,100 words and marks are shown." in page.text
    assert "The first 100 of 3,100 lemmas are shown." in page.text
    assert len(page.rows("The words in their order")) == 300
    assert len(page.json("tokens-words")["facts"]) == 3000
    assert page.part("h1") == "Words of “w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 …”"


def test_words_cannot_break_out() -> None:
    page = read_page(words_page(words_of("x" + HOSTILE.replace(" ", "_").replace("\u2028", "_"))))
    assert "onerror=alert(1)>" in page.text


@pytest.mark.parametrize(
    ("text", "words", "types", "once"), [("a a b", 3, 2, 1), ("A a", 2, 1, 0), ("1 2 .", 2, 2, 2), ("x", 1, 1, 1)]
)
def test_counts_leave_marks_out_and_capitals_alone(text, words, types, once) -> None:
    counts = words_of(text).counts
    assert (counts.words, counts.types, counts.once) == (words, types, once)
    assert counts.ratio == types / words
    assert counts.moving_ratio is None


def test_the_moving_ratio_is_the_mean_over_windows_of_a_hundred_words() -> None:
    texts = [f"w{place % 60}" for place in range(130)]
    windows = [len(set(texts[start : start + 100])) / 100 for start in range(31)]
    assert words_of(" ".join(texts)).counts.moving_ratio == pytest.approx(sum(windows) / len(windows))


def test_the_printed_table_ends_where_it_is_asked_to() -> None:
    found = words_of(TEXT)
    text = found.to_text(words=2, lemmas=1)
    assert "and 9 more" in text
    assert text.count("\n       2  ") == 1
    assert "one lemma, several stems (1): run: ran, runs" in text
    assert "one stem, several lemmas (1): univers: universe, university" in text
    assert json.loads(json.dumps(found.to_dict()))["counts"]["words"] == 9
    assert found.to_frame()["tokens byte"].tolist() == [len(part) for part in TEXT.split()]


def piece(id_, token, text, start, kind="text"):
    return TokenPiece(id=id_, token=token, text=text, start=start, stop=start + len(text), kind=kind)


def reading(model, parts, *, text="", decoded=None, added=()):
    pieces, place = [piece(90 + n, token, "", 0, "special") for n, token in enumerate(added)], 0
    for id_, part in enumerate(parts):
        pieces.append(piece(id_, part.replace(" ", "Ġ"), part, place))
        place += len(part)
    whole = text or "".join(parts)
    return TokenReading(
        model=model,
        text=whole,
        pieces=tuple(pieces),
        named={"bos": ("<s>", 90), "eos": None, "pad": None, "unk": None},
        vocabulary=100,
        decoded=whole if decoded is None else decoded,
    )


ONE = reading("one", ["She", " un", "locked", " é"], added=["<s>"])
TWO = reading("two", ["She", " ", "unlock", "ed", " ", "é"])


@pytest.fixture(scope="module")
def tokens() -> PageReader:
    return read_page(tokens_page([ONE, TWO], [compare_tokenizations(ONE, TWO)]))


def test_the_tokenizer_of_the_fewest_tokens_is_named(tokens: PageReader) -> None:
    assert tokens.part(".result") == "one needs the fewest tokens, 4 for 15 bytes; two needs 6."
    assert tokens.part(".details") == "one and two agree on 33% of their boundaries."
    assert "4 tokens (5 with those that the tokenizer adds) for 14 characters, 15 bytes" in tokens.text


def test_tokens_with_a_role_stand_with_their_ids(tokens: PageReader) -> None:
    assert tokens.rows("Tokens with a role") == [
        ["beginning", "<s>", "90"], ["end", "none", ""], ["padding", "none", ""], ["unknown", "none", ""],
    ]  # fmt: skip


def test_the_spans_that_differ_stand_side_by_side(tokens: PageReader) -> None:
    diff = compare_tokenizations(ONE, TWO)
    assert (diff.shared, diff.only_first, diff.only_second) == (2, 1, 3)
    assert diff.agreement == pytest.approx(1 / 3)
    assert [(span.text, span.first, span.second) for span in diff.spans] == [
        (" unlocked", ("Ġun", "locked"), ("Ġ", "unlock", "ed")),
        (" é", ("Ġé",), ("Ġ", "é")),
    ]
    rows = tokens.rows("Spans that are divided differently")
    assert rows == [["unlocked", "Ġun locked", "Ġ unlock ed"], ["é", "Ġé", "Ġ é"]]


def test_special_tokens_have_no_length(tokens: PageReader) -> None:
    length, ids = tokens.json("tokens-0")["measures"]
    assert length["values"] == [None, 3, 3, 6, 3]
    assert ids["values"] == [90, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("decoded", "place", "line"),
    [
        ("She unlocked é", None, "the decoded text equals the text"),
        ("she unlocked é", 0, "broken at character 0: 'She unlocked é' comes back as 'she unlocked é'"),
        ("She unlocked", 12, "broken at character 12: ' é' comes back as ''"),
        ("She unlocked é!", 14, "broken at character 14: '' comes back as '!'"),
        ("She unlocked e", 13, "broken at character 13: 'é' comes back as 'e'"),
    ],
)
def test_a_text_that_does_not_come_back_is_stated(decoded, place, line) -> None:
    found = reading("one", ["She", " unlocked", " é"], decoded=decoded)
    assert found.first_difference == place
    assert found.round_trip is (place is None)
    assert str(found).splitlines()[-1] == f"  round trip: {line}"
    page = read_page(tokens_page([found]))
    assert ("one cannot give the text back" in page.part(".result")) is (place is not None)
    assert page.part(".result").startswith("one reads the text as 3 tokens, 5.0 bytes per token")


def test_readings_of_two_texts_are_not_compared() -> None:
    with pytest.raises(UsageError, match="two readings are compared on one text"):
        compare_tokenizations(ONE, reading("two", ["other"]))


def test_a_tokenization_agrees_with_itself() -> None:
    for same in (ONE, reading("one", ["x"]), reading("one", [])):
        diff = compare_tokenizations(same, same)
        assert (diff.agreement, diff.spans) == (1.0, ())
        assert read_page(tokens_page([same, same], [diff])).part("h1").startswith("Tokens of “")


def test_tokens_cannot_break_out() -> None:
    page = read_page(tokens_page([reading(HOSTILE, [HOSTILE])]))
    assert "onerror=alert(1)>" in page.part("h1")
    assert page.json("tokens-0")["facts"][0][0] == ["in the vocabulary", HOSTILE.replace(" ", "Ġ")]
