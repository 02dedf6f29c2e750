"""Any JSON value as HTML: numbers without noise, tables of rows, and nothing left out in silence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st
from markupsafe import Markup

from page_reader import HOSTILE, PageReader
from shoal.reports import facts
from shoal.reports.estimates import estimate_row, interval_ends, with_interval
from shoal.reports.events_section import event_marks, events_section, events_table
from shoal.reports.html_format import MAX_ROWS, MINUS, badge, number, plan_text, value_text, words
from shoal.statistics import Estimate


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.0, 3, "0.000"), (0.5, 3, "0.500"), (-0.5, 3, "-0.500"), (0.001, 3, "0.001"), (0.00099, 3, "0.00099"),
        (1e-9, 3, "1e-09"), (-1e-9, 3, "-1e-09"), (9999.0, 3, "9999.000"), (10000.0, 3, "1e+04"),
        (1234567.0, 3, "1.23e+06"),
        (2.5, 0, "2"), (3.5, 0, "4"), (0.25, 1, "0.2"), (math.inf, 3, "∞"), (-math.inf, 3, "-∞"),
        (math.nan, 3, "not a number"),
    ],
)  # fmt: skip
def test_a_number_is_short_and_has_a_true_minus(value, digits, shown):
    assert number(value, digits) == shown.replace("-", MINUS)


@given(st.floats(1e-3, 9999) | st.floats(-9999, -1e-3))
def test_a_number_of_usual_size_comes_back_to_its_digits(value):
    assert float(number(value).replace(MINUS, "-")) == pytest.approx(value, abs=5.1e-4)


@given(st.floats(1e-300, 9.9e-4) | st.floats(1e4, 1e300))
def test_a_small_or_large_number_never_becomes_zero_and_keeps_three_digits(value):
    assert float(number(value).replace(MINUS, "-")) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "_"), (True, "yes"), (False, "no"), (3, "3"), (0.5, "0.500"), ("é", "é"), ({}, "_"), ([], "_"),
        ({"a": 1, "b": None}, "a 1, b _"), ([1, "x", True], "1, x, yes"), ({"a": [0.5]}, "a 0.500"),
    ],
)  # fmt: skip
def test_a_value_is_readable(value, shown):
    assert value_text(value) == shown.replace("_", "\N{EN DASH}")


def read(html):
    return PageReader(f"<html>{html}</html>")


def test_scalars_stand_in_one_table_and_nested_values_under_headings():
    page = read(facts({"first_key": 1, "deep": {"a": {"b": 2}}, "rows": [{"x": 1}, {"x": 2, "y": "é"}]}, caption="All"))
    assert page.rows("All") == [["first key", "1"]]
    assert page.part("h3") == "deeprows"
    assert page.rows("deep") == [["a", "b 2"]]
    assert page.rows("rows") == [["1", "\N{EN DASH}"], ["2", "é"]]
    assert page.tables["rows"][0] == ["x", "y"]


@pytest.mark.parametrize(
    ("value", "nested"),
    [
        ({"a": 1, "b": 2, "c": 3, "d": 4}, False),
        ({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}, True),
        ({"a": {"b": 1}}, True),
        ([1] * 8, False),
        ([1] * 9, True),
        ([{"a": 1}], True),
        ({}, False),
        ([], False),
    ],
)
def test_what_fits_into_a_cell_stands_in_one(value, nested):
    page = read(facts({"key": value}, caption="All"))
    assert ("All" in page.tables) is not nested
    assert (page.part("h3") == "key") is nested


@pytest.mark.parametrize("count", [0, 1, MAX_ROWS, MAX_ROWS + 1, MAX_ROWS + 300])
def test_a_long_list_is_cut_and_counted(count):
    page = read(facts([{"n": place} for place in range(count)], caption="All"))
    shown = len(page.rows("All")) if count else len(page.all("li"))
    assert shown == min(count, MAX_ROWS)
    left = count - MAX_ROWS
    assert page.part(".muted") == (f"… and {left} more." if left > 0 else "")


@pytest.mark.parametrize(
    ("rows", "numeric"), [([{"n": 1}, {"n": 2.5}], True), ([{"n": 1}, {}], True), ([{"n": 1}, {"n": "x"}], False)]
)
def test_columns_of_numbers_are_flush_right(rows, numeric):
    page = read(facts([{"name": "a"} | row for row in rows], caption="All"))
    assert all((attrs.get("class") == "number") is numeric for attrs in page.all("td"))


def test_plain_values_and_lists_are_paragraphs_and_items():
    assert read(facts(0.5, caption="a & b")).part("p") == "a & b: 0.500"
    assert list(read(facts(["x", 2], caption="c")).all("li")) == [{}, {}]


def test_keys_and_values_are_text():
    page = read(facts({HOSTILE: HOSTILE, "rows": [{HOSTILE: HOSTILE}], "list": [HOSTILE] * 9}, caption=HOSTILE))
    assert not page.all("img")
    assert page.text.count("onerror=alert(1)") >= 6


@pytest.mark.parametrize(("passed", "text", "kind"), [(True, "✓ passed", "right"), (False, "✗ failed", "wrong")])
def test_an_outcome_has_a_sign_a_word_and_a_colour(passed, text, kind):
    page = read(badge(passed=passed))
    assert page.part("span") == text
    assert kind in page.all("span")[0]["class"].split()


def test_a_plan_stands_as_text_or_not_at_all():
    page = read(plan_text(Markup("<b>The file</b>"), f'name = "{HOSTILE}"\n'))
    assert page.part("pre") == " ".join(f'name = "{HOSTILE}"'.split())
    assert page.part("b") == "The file"
    assert plan_text(Markup("x"), "") == ""
    assert words("first_key_of_all") == "first key of all"


def estimate(value=0.5, low=0.25, high=0.75):
    return Estimate(value=value, low=low, high=high, confidence=0.95, units=6)


@pytest.mark.parametrize(
    ("found", "ends", "shown"),
    [
        (estimate(), "0.2500 to 0.7500", "0.5000 <small>0.2500 to 0.7500</small>"),
        (estimate(low=None, high=None), "no interval", "0.5000 <small>no interval</small>"),
        (estimate(-0.125, -0.5, 0.0), "-0.5000 to 0.0000", "-0.1250 <small>-0.5000 to 0.0000</small>"),
    ],
)
def test_an_estimate_is_written_with_its_interval(found, ends, shown):
    assert interval_ends(found).replace(MINUS, "-") == ends
    assert with_interval(found).replace(MINUS, "-") == shown
    assert with_interval(None) == ""


def test_the_mark_of_an_estimate_has_only_finite_ends():
    row = estimate_row("a", estimate(), series=2, seeds=[0.1, 0.9])
    assert (row.mean, row.low, row.high, row.series, row.seeds) == (0.5, 0.25, 0.75, 2, (0.1, 0.9))
    open_ = estimate_row("a", estimate(low=None, high=None))
    assert (open_.low, open_.high, open_.seeds) == (None, None, ())


def event(step, text="step 1: spike of loss: 9 where 3 was expected, 8.0 sd", **more):
    return {"step": step, "kind": "spike", "text": text, **more}


BATCH = {
    "name": "batch of step 1,234",
    "documents": [
        {"place": 0, "source": "tales", "number": 7, "loss": 5.25, "tokens": 90, "repeated": 0.5, "text": "Once <b>"},
        {"place": 1, "tokens": 4, "repeated": 0.0, "text": "é"},
    ],
    "document_count": 1200,
    "repeats": [{"text": "a a a", "tokens": 3, "count": 40, "documents": 1}],
}


def test_events_stand_in_the_order_of_their_steps_by_their_first_line():
    page = read(events_table([event(1), event(1234, "first\nsecond <i>")]))
    assert page.rows("In the order of the steps.") == [
        ["1", "spike", "step 1: spike of loss: 9 where 3 was expected, 8.0 sd"], ["1,234", "spike", "first"],
    ]  # fmt: skip
    assert event_marks([event(7, "a\nb")]) == [(7, "a")]
    assert events_section([event(1)]).anchor == "events"


def test_the_batch_of_a_step_stands_once_with_its_documents():
    page = read(events_table([event(1234, batch=BATCH), event(1234, batch=BATCH)]))
    (caption,) = [name for name in page.tables if name.startswith("Batch")]
    assert caption == (
        "Batch of step 1,234: 2 of 1,200 documents, highest loss first, in nats per token before the update."
    )
    first, second = page.rows("Batch of step 1,234")
    assert first[1:] == ["5.250", "90", "50%", "Once <b>"]
    assert second[1:] == ["", "4", "0%", "é"]
    assert page.part("li") == "repeated 40 times in 1 document: a a a"


def test_a_batch_without_losses_is_ordered_by_repeats():
    plain = BATCH | {"documents": [BATCH["documents"][1]], "repeats": []}
    page = read(events_table([event(5, batch=plain)]))
    assert any("most repeated n-grams first" in name for name in page.tables)
    assert page.all("li") == []


def test_of_many_events_the_first_are_shown_and_counted():
    page = read(events_table([event(step) for step in range(1, 1501)]))
    assert len(page.rows("The first 200 of 1,500 events.")) == 200
    assert len(event_marks([event(step) for step in range(1500)])) == 200
