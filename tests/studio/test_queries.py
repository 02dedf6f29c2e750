"""Values of addresses and forms: texts with limits, numbers, choices, and addresses made of them."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, strategies as st
from starlette.requests import Request

from shoal.studio.page_error import PageError
from shoal.studio.queries import Query, form_of, query_of

SECRET = "0123456789abcdef"


def request(query: str = "", body: bytes = b"") -> Request:
    """A request as the server gives it."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http", "method": "POST", "path": "/runs", "query_string": query.encode(), "headers": [],
        "server": ("127.0.0.1", 8765), "scheme": "http",
    }  # fmt: skip
    return Request(scope, receive)


def form(values: dict[str, object] | bytes) -> Query:
    body = values if isinstance(values, bytes) else urlencode({"secret": SECRET, **values}, doseq=True).encode()
    return asyncio.run(form_of(request(body=body), SECRET))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "default"),
        ("other=1", "default"),
        ("search=", ""),
        ("search=a+b", "a b"),
        ("search=a%20b%26c", "a b&c"),
        ("search=Gr%C3%B6%C3%9Fe+%E6%97%A5", "Größe 日"),
        ("search=first&search=second", "first"),
        ("search=a%0D%0Ab", "a\nb"),
        ("search=%FF", "\ufffd"),
        ("search=%00", "\x00"),
        ("search", ""),
    ],
)
def test_a_text_is_the_first_value_of_its_field(query: str, wanted: str) -> None:
    assert query_of(request(query)).text("search", "default") == wanted


def test_a_text_that_is_too_long_is_refused_with_its_length() -> None:
    found = Query({"search": ["x" * 401]})
    with pytest.raises(PageError, match="search has 401 characters; give at most 400") as fault:
        found.text("search")
    assert fault.value.status == 400
    assert len(found.text("search", limit=401)) == 401
    assert len(Query({"search": ["x" * 400]}).text("search")) == 400


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("3", 3), ("0", 0), ("007", 7), ("999999999", 999_999_999),
        ("9999999999", 1), ("-1", 1), ("1.5", 1), ("", 1), ("x", 1), (" 3", 1), ("٣", 1), ("²", 1), ("1e3", 1),
    ],
)  # fmt: skip
def test_a_number_is_a_whole_one_or_the_default(value: str, wanted: int) -> None:
    assert Query({"page": [value]}).number("page") == wanted
    assert Query({}).number("page", 4) == 4


@pytest.mark.parametrize(
    ("value", "wanted"), [("up", "up"), ("down", "down"), ("Up", "down"), ("", "down"), ("x", "down")]
)
def test_a_choice_is_one_of_what_is_known(value: str, wanted: str) -> None:
    assert Query({"order": [value]}).choice("order", ("up", "down"), "down") == wanted
    assert Query({}).choice("order", {"up": 1}, "up") == "up"


def test_a_field_may_be_given_more_than_once() -> None:
    assert query_of(request("run=a&run=b")).texts("run") == ["a", "b"]
    assert query_of(request("run=a")).texts("arm") == []


@pytest.mark.parametrize(
    ("values", "changes", "wanted"),
    [
        ({}, {}, "/runs"),
        ({"page": ["2"]}, {}, "/runs?page=2"),
        ({"page": ["2"]}, {"page": 3}, "/runs?page=3"),
        ({"page": ["2"]}, {"page": None}, "/runs"),
        ({"search": [""]}, {"page": 1}, "/runs?page=1"),
        ({"search": ["a&b=c"]}, {}, "/runs?search=a%26b%3Dc"),
        ({"run": ["a", "b"]}, {"page": 1}, "/runs?run=a&run=b&page=1"),
        ({"search": ["Größe"]}, {}, "/runs?search=Gr%C3%B6%C3%9Fe"),
    ],
)
def test_an_address_holds_the_values_with_their_changes(
    values: dict[str, list[str]], changes: dict[str, object], wanted: str
) -> None:
    assert Query(values).address("/runs", **changes) == wanted


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8), st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3), max_size=4
    )
)
def test_values_come_back_from_their_address(values: dict[str, list[str]]) -> None:
    address = Query(values).address("/runs")
    assert parse_qs(address.partition("?")[2], keep_blank_values=True) == values


@pytest.mark.parametrize("count", [100, 101, 5000])
def test_only_so_many_values_are_read(count: int) -> None:
    query = "&".join(f"f{number}=1" for number in range(count))
    if count <= 100:
        assert query_of(request(query)).text("f99") == "1"
        return
    with pytest.raises(PageError, match="the request has more than 100 values; choose fewer") as fault:
        query_of(request(query))
    assert fault.value.status == 400


def test_an_endless_query_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(PageError, match="the request is too long; send a shorter text") as fault:
        query_of(request("a=" + "x" * 1_200_001))
    assert fault.value.status == 413


def test_a_form_of_the_session_is_read() -> None:
    assert form({"text": "Größe\r\n日", "name": ["a", "b"]}).text("text") == "Größe\n日"
    assert form({"name": ["a", "b"]}).texts("name") == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 403),
        (b"text=a", 403),
        (b"secret=", 403),
        (b"secret=0123456789abcdeg", 403),
        (b"secret=%30123456789abcdef0", 403),
        ("secret=ü".encode(), 403),
        (b"secret=0123456789abcdef&text=\xff", 400),
        (b'{"secret": "0123456789abcdef"}', 403),
        (b"secret=" + b"x" * 401, 400),
    ],
)
def test_a_form_of_another_session_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(PageError) as fault:
        form(body)
    assert fault.value.status == status
