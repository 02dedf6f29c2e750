"""The text before the first stop string is emitted, in whatever pieces it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shoal.errors import UsageError
from shoal.serving import StopMatcher, check_stop_strings

TEXTS = st.text(alphabet="ab\n", max_size=30)


def pushed(pieces, stops):
    matcher = StopMatcher(stops)
    return "".join([*map(matcher.push, pieces), matcher.flush()]), matcher.found


@given(text=TEXTS, stops=st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3), data=st.data())
def test_text_ends_before_the_first_stop_string_whatever_the_pieces(text, stops, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    emitted, found = pushed(text, stops)
    assert pushed(pieces, stops) == (emitted, found)
    assert text.startswith(emitted)
    assert (found is None) == (not any(stop in text for stop in stops))
    assert not any(stop in emitted for stop in stops)


def test_of_two_stop_strings_the_one_that_is_complete_first_ends_the_text():
    assert pushed(["abc"], ["abc", "b"]) == pushed(["ab", "c"], ["abc", "b"]) == ("a", "b")
    assert pushed(["xab"], ["b", "ab"]) == ("x", "ab")


def test_text_that_may_begin_a_stop_string_is_held_back():
    matcher = StopMatcher(["\n\nQ:"])
    assert matcher.push("yes\n") == "yes"
    assert matcher.push("\n") == ""
    assert matcher.push("no") == "\n\nno"
    assert matcher.push(" \n\nQ: next") == " "
    assert matcher.found == "\n\nQ:"
    assert matcher.push("more") == matcher.flush() == ""


@pytest.mark.parametrize(
    ("stops", "message"),
    [([""], "a stop string is empty"), (["a" * 1001], "1,001 characters"), ([f"s{i}" for i in range(17)], "17 stop")],
)
def test_stop_strings_that_cannot_be_used_are_refused(stops, message):
    with pytest.raises(UsageError, match=message):
        check_stop_strings(stops)
    assert check_stop_strings(["a", "b", "a"]) == ("a", "b")
