"""The page of perplexities: units, differences and the most surprising tokens, from values worked out by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from page_reader import HOSTILE, read_page
from shoal.errors import UsageError
from shoal.evaluation.perplexity import PerplexityReport, ScoredDocument, SurprisingToken, compare_perplexities
from shoal.reports import perplexity_page
from shoal.reports.html_format import NOTHING

LN2 = math.log(2)


def document(text, bits, *, spans=None):
    """A document whose tokens are its characters, each with a surprisal in bits."""
    places = spans or tuple((place, place + 1) for place in range(len(text)))
    return ScoredDocument(text=text, spans=tuple(places), nats=-LN2 * np.array(bits, dtype=np.float64))


def report(*documents, model="one", **changes):
    given = {
        "digest": "ab" * 32,
        "parameters": 1000,
        "opening": ("<s>",),
        "context": 8,
        "stride": 4,
        "longer_documents": 0,
        "nats_without_overlap": None,
        "surprising": (),
        "confidence": 0.95,
        "seed": 0,
    }
    return PerplexityReport(model=model, documents=tuple(documents), **{**given, **changes})


def surprising(place=2, bits=4.0, expected="x", document=0, text="c"):
    nats = None if expected is None else math.log(0.5)
    return SurprisingToken(
        document=document, place=place, id=7, text=text, nats=-LN2 * bits, expected=expected, expected_nats=nats
    )


def test_perplexity_is_two_to_the_bits_of_each_unit():
    # Four tokens and bytes of 1, 1, 4 and 2 bits, and two words.
    found = report(document("ab c", [1, 1, 4, 2]))
    token, word, byte = found.units
    assert (token.unit, token.count, token.bits, token.perplexity) == ("token", 4, 2.0, 4.0)
    assert (word.count, word.bits, word.perplexity) == (2, 4.0, 16.0)
    assert (byte.count, byte.bits) == (4, 2.0)
    assert found.bits_per_byte == 2.0
    assert all(unit.interval is None for unit in found.units)


@pytest.mark.parametrize(
    ("text", "bits", "words", "bytes_", "per_byte"),
    [("a", [3], 1, 1, 3.0), ("é", [3], 1, 2, 1.5), ("日 ", [3, 3], 1, 4, 1.5), ("  ", [1, 1], 0, 2, 1.0)],
)
def test_words_and_bytes_are_those_of_the_text(text, bits, words, bytes_, per_byte):
    one = document(text, bits)
    assert (one.words, one.bytes, one.size("token")) == (words, bytes_, len(bits))
    found = report(one)
    assert found.bits_per_byte == pytest.approx(per_byte)
    assert found.units[1].bits == (None if words == 0 else pytest.approx(sum(bits)))


def test_an_impossible_token_makes_the_perplexity_infinite():
    found = report(document("ab", [1, math.inf]))
    assert found.units[0].perplexity == math.inf
    assert found.units[0].interval is None


def test_a_perplexity_that_no_double_holds_is_infinite():
    assert report(document("a", [1001])).units[0].perplexity == math.inf
    assert report(document("a", [1000])).units[0].perplexity == pytest.approx(2.0**1000)


def test_an_interval_over_documents_holds_the_value():
    drawn = np.random.default_rng(0)
    found = report(*(document("abcd", drawn.uniform(1, 3, 4)) for _ in range(40)))
    for unit in (found.units[0], found.units[2]):
        assert unit.low < unit.bits < unit.high
        low, high = unit.interval
        assert low == pytest.approx(2**unit.low)
        assert high == pytest.approx(2**unit.high)


def test_windows_without_overlap_are_counted_in_bits_per_byte():
    assert report(document("abcd", [1, 1, 1, 1]), nats_without_overlap=8 * LN2).bits_per_byte_without_overlap == 2.0
    assert report(document("abcd", [1, 1, 1, 1])).bits_per_byte_without_overlap is None


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"longer_documents": 1}, "1 document longer than the context of 8 tokens: read in windows side by side"),
        (
            {"longer_documents": 2, "nats_without_overlap": 8 * LN2},
            (
                "2 documents longer than the context of 8 tokens: read in windows of which 4 tokens are new "
                "(--stride), each predicted from at least 5 before it; without overlap 2.0000 bits per byte instead "
                "of 1.0000"
            ),
        ),
        ({"opening": ("<s>", "é")}, "each document stands behind '<s>' 'é'; its end is not scored"),
        ({}, "1 document: too few or too alike for an interval, which is over documents"),
    ],
)
def test_what_must_be_known_stands_below_the_figures(changes, note):
    found = report(document("abcd", [1, 1, 1, 1]), **changes)
    assert any(note in line for line in found.notes())
    assert note in read_page(perplexity_page(compare_perplexities([found]))).text


def test_the_page_of_one_model_has_its_figures_and_its_most_surprising_token():
    found = report(document("ab c", [1, 1, 4, 2]), surprising=(surprising(place=2, text=" "),))
    page = read_page(perplexity_page(compare_perplexities([found])))
    assert page.part("h1") == "Perplexity of “ab c”"
    assert page.part(".result") == (
        "one predicts the text with a perplexity of 4 per token, 2.000 bits per byte; “·” surprises it most (4.0 bits)."
    )
    assert page.part(".details") == "1 document: 4 tokens, 2 words, 4 bytes (tokens of one)."
    assert page.rows("Perplexity by unit") == [
        ["one", "token", "4.000", NOTHING, "2.0000"], ["one", "word", "16.000", NOTHING, "4.0000"],
        ["one", "byte", "4.000", NOTHING, "2.0000"],
    ]  # fmt: skip
    assert page.rows("The least likely tokens") == [["·", "4.00", "ab", "x (50%)", "1"]]
    assert page.json("tokens-0-0")["measures"][0]["values"] == [1, 1, 4, 2]


def test_a_token_that_was_the_likeliest_all_the_same_is_so_named():
    found = report(document("ab c", [1, 1, 4, 2]), surprising=(surprising(expected=None),))
    page = read_page(perplexity_page(compare_perplexities([found])))
    assert page.rows("The least likely tokens")[0][3] == "this one"
    assert "the likeliest one all the same" in str(found)


def test_tokens_that_share_a_character_are_shown_as_bytes():
    found = report(document("é", [1, 2], spans=[(0, 1), (0, 1)]))
    page = read_page(perplexity_page(compare_perplexities([found])))
    kinds = [attrs.get("class", "") for _, attrs in page.tags if "byte" in attrs.get("class", "").split()]
    assert len(kinds) == 1
    assert "…" in page.text


def test_an_impossible_token_leaves_the_data_of_the_page_readable():
    page = read_page(perplexity_page(compare_perplexities([report(document("ab", [1, math.inf]))])))
    assert page.json("tokens-0-0")["measures"][0]["values"][0] == 1
    assert page.rows("Perplexity by unit")[0][2:] == ["inf", NOTHING, "inf"]


def test_models_are_compared_in_bits_per_byte_document_by_document():
    one, other = ([document("ab", [bits, bits]) for bits in values] for values in ([1, 2, 3], [1.5, 2.5, 3.5]))
    found = compare_perplexities([report(*one), report(*other, model="other")])
    (difference,) = found.differences
    assert difference.difference == pytest.approx(-0.5)
    assert difference.low is None
    assert difference.better is None
    expected = "one minus other: -0.5000 bits per byte; documents are too few or too alike for an interval"
    assert str(difference) == expected
    page = read_page(perplexity_page(found))
    assert page.part(".result") == "one predicts the text best: 2.000 bits per byte; other 2.500."
    assert "one minus other: -0.5000 bits per byte" in page.text
    drawn = page.part("title")
    assert "one: 2.000, no interval" in drawn
    assert "other: 2.500, no interval" in drawn
    assert "Document 2: 2.000 bits per byte" in page.part("h3")


@pytest.mark.parametrize(("gap", "better"), [(-0.5, "one"), (0.5, "other"), (0.0, None)])
def test_the_better_model_is_named_where_the_interval_leaves_out_nothing(gap, better):
    drawn = np.random.default_rng(1)
    bits = drawn.uniform(1, 3, (40, 2))
    noise = drawn.normal(0, 0.01, (40, 2))
    one = report(*(document("ab", row) for row in bits + gap + noise))
    other = report(*(document("ab", row) for row in bits), model="other")
    (difference,) = compare_perplexities([one, other]).differences
    assert difference.better == better
    assert difference.low <= difference.difference <= difference.high
    ending = "cannot be told apart" if better is None else f"{better} predicts better"
    assert str(difference).endswith(ending)


def test_three_models_have_three_differences():
    models = [report(document("ab", [n, n]), model=f"m{n}") for n in (1, 2, 3)]
    found = compare_perplexities(models)
    assert [(one.first, one.second) for one in found.differences] == [("m1", "m2"), ("m1", "m3"), ("m2", "m3")]
    assert json.loads(json.dumps(found.to_dict()))["differences"][1]["difference"] == -2.0
    assert found.to_frame()["model"].tolist() == ["m1"] * 3 + ["m2"] * 3 + ["m3"] * 3


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        ([], "there is nothing to compare; give at least one report"),
        ([report(document("a", [1])), report(document("b", [1]))], "the reports are of different documents"),
        ([report(document("a", [1])), report()], "the reports are of different documents"),
    ],
)
def test_reports_that_cannot_be_compared_are_refused(reports, message):
    with pytest.raises(UsageError, match=message):
        compare_perplexities(reports)


def test_a_long_text_is_cut_and_counted():
    found = report(document("a" * 4100, [1] * 4100), document("b", [1]))
    page = read_page(perplexity_page(compare_perplexities([found])))
    assert "The first 4,000 of 4,101 tokens are shown." in page.text
    assert len(page.json("tokens-0-0")["facts"]) == 4000
    assert "tokens-0-1" not in page.data


def test_texts_and_names_cannot_break_out():
    text = HOSTILE
    found = report(
        document(text, [1] * len(text)), model=HOSTILE, opening=(HOSTILE,),
        surprising=(surprising(place=3, text=HOSTILE, expected=HOSTILE),),
    )  # fmt: skip
    page = read_page(perplexity_page(compare_perplexities([found])))
    assert " ".join(HOSTILE.split()) in page.part("h2")


def test_records_are_json_with_a_row_per_document():
    found = report(document("ab", [1, 3]), document("é", [2]), surprising=(surprising(place=1, bits=3.0),))
    record = json.loads(json.dumps(found.to_dict()))
    assert record["documents"] == [
        {"document": 0, "tokens": 2, "words": 1, "bytes": 2, "bits": 4.0, "bits_per_byte": 2.0},
        {"document": 1, "tokens": 1, "words": 1, "bytes": 2, "bits": 2.0, "bits_per_byte": 1.0},
    ]
    assert record["units"][0]["perplexity"] == 4.0
    assert record["surprising"][0]["bits"] == pytest.approx(3.0)
