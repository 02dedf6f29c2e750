"""Where sentences end, in forty languages."""

# ruff: noqa: RUF001  Cyrillic letters are meant
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from shoal.text import sentence_spans, split_sentences


def gold() -> list[tuple[str, str, list[str]]]:
    """Language, text and sentences of each text of ``sentences.txt``."""
    texts = []
    for part in Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8").split("\n# ")[1:]:
        language, _, rest = part.partition("\n")
        for lines in rest.strip().split("\n\n"):
            rows = lines.splitlines()
            text = "".join(row[1:] if row.startswith("+") else f" {row}" for row in rows).strip()
            texts.append((language, text, [row.removeprefix("+") for row in rows]))
    return texts


@pytest.mark.parametrize(("language", "text", "sentences"), gold())
def test_sentences_end_where_a_reader_of_the_language_ends_them(language: str, text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences
    assert split_sentences(text, language=language) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rained. We stayed in.", ["It rained.", "We stayed in."]),
        ("Mr. Brown met Dr. A. Smith. They spoke.", ["Mr. Brown met Dr. A. Smith.", "They spoke."]),
        ("See e.g. Fig. 3 on p. 4. It is red.", ["See e.g. Fig. 3 on p. 4.", "It is red."]),
        ('"Stop!" he said. She did.', ['"Stop!" he said.', "She did."]),
        ('"Why?" She ran. "Come back!" He ran too.', ['"Why?"', "She ran.", '"Come back!"', "He ran too."]),
        (
            'He said "no. And left. She (the aunt. Wept. All.',
            ['He said "no.', "And left.", "She (the aunt.", "Wept.", "All."],
        ),
        ("A heading\n\nand a paragraph\nof two lines.", ["A heading", "and a paragraph of two lines."]),
        ("1. Wash it. 2. Dry it.", ["1. Wash it.", "2. Dry it."]),
        ("Buy:\n- milk\n- eggs\n- bread", ["Buy:", "- milk", "- eggs", "- bread"]),
        ("1) one thing\n2) another thing", ["1) one thing", "2) another thing"]),
        ("He met George\nW. Bush there.", ["He met George W. Bush there."]),
        ("End.[1] Next one.[2][3] Last.", ["End.[1]", "Next one.[2][3]", "Last."]),
        ("Wait. . . what? Oh. . . Nothing.", ["Wait. . . what?", "Oh. . .", "Nothing."]),
        ("he came home. it was late. nobody spoke.", ["he came home.", "it was late.", "nobody spoke."]),
        ("\ud800 Hi. You.", ["\ud800 Hi.", "You."]),
        ("В 1990 г. он уехал. А. С. Пушкин писал.", ["В 1990 г. он уехал.", "А. С. Пушкин писал."]),
        ("Книгу написал А. С. Пушкин. Она хорошая.", ["Книгу написал А. С. Пушкин.", "Она хорошая."]),
        ("...", ["..."]),
        ("  \n\n ", []),
        ("", []),
    ],
)
def test_quotes_lists_and_lines(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from('aB1 \n\t.!?"”“)(\u3002\u0964\u00a0\u17d4-') | st.characters(), max_size=80))
def test_spans_cover_all_of_a_text_but_its_blanks(text: str) -> None:
    spans = sentence_spans(text)
    edges = [0, *(place for span in spans for place in span), len(text)]
    assert edges == sorted(edges)
    assert all(not text[start:stop].strip() for start, stop in zip(edges[::2], edges[1::2], strict=True))
    assert all(text[start:stop] == text[start:stop].strip() != "" for start, stop in spans)


@pytest.mark.parametrize("unit", ["a", "\n", "(", '"', ".", ". ", ".,", "\n \n", "a. ", "A.", "\u3002", '"A. ', "1.\n"])
def test_a_long_text_of_one_kind_is_read_in_one_pass(unit: str) -> None:
    spans = sentence_spans(unit * 30_000)  # thirty times longer than where a square of it would be noticed
    assert sum(stop - start for start, stop in spans) <= len(unit) * 30_000
