"""A page as a browser reads it, by the standard library's parser: its text, tables, links, ids and scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "input", "wbr", "img", "hr", "path", "rect", "circle", "line", "use"})
NAMING = ("aria-labelledby", "aria-describedby", "aria-controls", "for")
"""Attributes whose words are ids of the page."""

FETCHING = ("src", "href", "xlink:href", "srcset", "data", "action", "formaction", "poster", "background")
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&amp; \u2028 Größe 日本 \U0001f41f"
"""Text that tries to break out of a page."""


class PageReader(HTMLParser):
    """A document, read whole."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        """The rows of each table by its caption, the heading first."""
        self.scripts: list[str] = []
        self.data: dict[str, str] = {}
        """JSON by the id of its element."""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._faults: list[str] = []
        self._words: list[str] = []
        self._cells: list[list[str]] = []
        self._caption = ""
        self._spots: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, found))
        if tag == "table":
            self._cells, self._caption = [], ""
        elif tag == "tr":
            self._cells.append([])
        elif tag in ("td", "th"):
            self._cells[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1][0] != tag:
            self._faults.append(f"</{tag}> where {[name for name, _ in self._open[-2:]]} are open")
            return
        self._open.pop()
        if tag == "table":
            assert self._caption, "a table without a caption"
            self.tables[_plain(self._caption)] = [[_plain(cell) for cell in row] for row in self._cells]

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._open]
        if inside and inside[-1] == "script":
            _, attrs = self._open[-1]
            if attrs.get("type") == "application/json":
                self.data[attrs["id"]] = self.data.get(attrs["id"], "") + data
            else:
                self.scripts.append(data)
            return
        if inside and inside[-1] == "style":
            return
        self._words.append(data)
        if "caption" in inside:
            self._caption += data
        elif "table" in inside and ("td" in inside or "th" in inside):
            self._cells[-1][-1] += data
        for tag, attrs in self._open:
            for name in {tag, *(f".{one}" for one in attrs.get("class", "").split())}:
                self._spots.setdefault(name, []).append(data)

    @property
    def text(self) -> str:
        """All that is read, with single spaces."""
        return _plain(" ".join(self._words))

    def part(self, name: str) -> str:
        """The text of every element of a tag, or of a class that is written with a dot."""
        return _plain("".join(self._spots.get(name, [])))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def rows(self, caption: str) -> list[list[str]]:
        """The rows of the one table whose caption begins so, without its heading."""
        (found,) = [rows for name, rows in self.tables.items() if name.startswith(caption)]
        return found[1:]

    def json(self, name: str) -> object:
        """The data of an element; what JSON does not know (NaN, Infinity) is an error, as in a browser."""
        return json.loads(self.data[name], parse_constant=_no_constant)

    def check(self, *, served: bool = False) -> PageReader:
        """What holds of every page that shoal writes; a server sends the policy of its pages as a header."""
        assert self._faults == []
        assert self._open == []
        ids = [attrs["id"] for _, attrs in self.tags if "id" in attrs]
        assert sorted(set(ids)) == sorted(ids)
        for tag, attrs in self.tags:
            for name in FETCHING:
                address = attrs.get(name, "")
                assert not re.match(r"(?:[a-z][a-z0-9+.-]*:)?//|javascript:|data:text", address, re.IGNORECASE), address
            if attrs.get("href", "").startswith("#"):
                assert attrs["href"] == "#" or attrs["href"][1:] in ids, attrs["href"]
            for name in NAMING:
                assert set(attrs.get(name, "").split()) <= set(ids), (tag, name, attrs[name])
            assert not [name for name in attrs if name.startswith("on")]
        elements = {tag for tag, _ in self.tags} - ({"link"} if served else set())
        assert not {"iframe", "object", "embed", "base", "link", "img"} & elements
        for name in self.data:
            self.json(name)
        assert len(self.all("h1")) == 1
        if served:
            assert "".join(self.scripts).strip() == ""
            return self
        (policy,) = [attrs["content"] for attrs in self.all("meta") if attrs.get("http-equiv")]
        assert "default-src 'none'" in policy
        digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in self.scripts}
        assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests
        return self


def read_page(html: str, *, served: bool = False) -> PageReader:
    """A page that has passed the checks of every page."""
    return PageReader(html).check(served=served)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _no_constant(name: str) -> object:
    raise AssertionError(f"{name} is no JSON")
