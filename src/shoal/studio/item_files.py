"""The items of a run, page by page: where each line of a file begins and what it is filtered by, read once.

A page of twenty items of a hundred thousand reads twenty lines. A search reads the lines as they stand, and takes apart
only those that hold the words.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.studio.page_error import PageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Array = np.ndarray[Any, Any]

SPLITS = ("seen", "held_out", "other")
_SPLIT, _EXACT = b'{"split": "', b'"exact_match": '
# Ten bytes a line (place 8, split 1, right 1): 30 MB at most.
_MAX_LINES_HELD = 3_000_000
# A mask of one byte a line each; paging through the hits of a search must not read the file again.
_MAX_SEARCHES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """A JSONL file of items by place: n lines."""

    path: Path
    stamp: tuple[int, int, int]
    begins_n: Array
    """Where each line begins, in bytes."""

    split_n: Array
    """The place of its split in `SPLITS`."""

    right_n: Array
    """Whether the greedy answer equals the completion."""

    @property
    def size(self) -> int:
        """How many lines there are."""
        return len(self.begins_n)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """Some items of a file."""

    items: tuple[dict[str, Any], ...]
    matching: int
    right: int
    """Of the matching ones."""

    total: int
    page: int
    pages: int


class ItemFiles:
    """Files of items, indexed when they are first looked at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[Path, ItemFile] = OrderedDict()
        self._searches: OrderedDict[tuple[Path, tuple[int, int, int], str], Array] = OrderedDict()

    def page(self, path: Path, *, split: str, outcome: str, search: str, page: int, size: int) -> ItemPage:
        """One page of the items that match.

        Args:
            path: the JSONL file.
            split: one of `SPLITS`, or empty for all.
            outcome: ``right``, ``wrong`` or empty.
            search: a text that prompt, completion or answer holds, in any case; empty for all.
            page: from 1.
            size: items of a page.

        Raises:
            PageError: the file is damaged or gone.
        """
        file = self._index(path)
        mask_n = np.ones(file.size, bool)
        if split:
            mask_n &= file.split_n == SPLITS.index(split)
        if outcome:
            mask_n &= file.right_n == (outcome == "right")
        if search:
            mask_n &= self._found(file, search)
        places = np.flatnonzero(mask_n)
        pages = max(1, -(-len(places) // size))
        page = min(max(1, page), pages)
        return ItemPage(
            items=tuple(_read_lines(file, places[(page - 1) * size : page * size])),
            matching=len(places),
            right=int(file.right_n[places].sum()),
            total=file.size,
            page=page,
            pages=pages,
        )

    def _index(self, path: Path) -> ItemFile:
        stamp = _stamp(path)
        with self._lock:
            held = self._files.get(path)
            if held is None or held.stamp != stamp:
                # Within the lock, so that two requests for one large file do not index it twice.
                held = _indexed(path, stamp)
                self._files[path] = held
            self._files.move_to_end(path)
            # The last one stays whatever its size, or a file of more lines would be indexed for each page.
            while len(self._files) > 1 and sum(file.size for file in self._files.values()) > _MAX_LINES_HELD:
                self._files.popitem(last=False)
            return held

    def _found(self, file: ItemFile, search: str) -> Array:
        key = (file.path, file.stamp, search)
        with self._lock:
            held = self._searches.get(key)
        if held is None:
            # Outside of the lock: a search reads the whole file, and pages of other files need not wait for it.
            held = _search(file, search)
            with self._lock:
                self._searches[key] = held
                while len(self._searches) > _MAX_SEARCHES:
                    self._searches.popitem(last=False)
        return held


def _indexed(path: Path, stamp: tuple[int, int, int]) -> ItemFile:
    begins: list[int] = []
    splits: list[int] = []
    right: list[bool] = []

    def note(begin: int, line: bytes) -> None:
        split, exact = _filtered_by(line) or _decoded_filters(path, len(begins) + 1, line)
        begins.append(begin)
        splits.append(SPLITS.index(split) if split in SPLITS else len(SPLITS) - 1)
        right.append(exact)

    _each_line(path, note)
    return ItemFile(
        path=path,
        stamp=stamp,
        begins_n=np.array(begins, np.int64),
        split_n=np.array(splits, np.int8),
        right_n=np.array(right, bool),
    )


def _filtered_by(line: bytes) -> tuple[str, bool] | None:
    """Split and exact match of a line as shoal writes it, without taking it apart; None where it is written otherwise.

    A quotation mark within a text is escaped, so that these bytes stand nowhere but at the keys themselves; a tag may
    have a key's name, but stands before it.
    """
    if not line.startswith(_SPLIT):
        return None
    split, _, _ = line[len(_SPLIT) :].partition(b'"')
    place = line.rfind(_EXACT)
    if place < 0:
        return None
    return split.decode("utf-8", "replace"), line.startswith(b"true", place + len(_EXACT))


def _decoded_filters(path: Path, number: int, line: bytes) -> tuple[str, bool]:
    row = _decoded(path, number, line)
    return str(row.get("split")), row.get("exact_match") is True


def _search(file: ItemFile, search: str) -> Array:
    needle = search.casefold()
    # As the words stand in a line of JSON; what they are found in besides (a key, a token) is looked at closely.
    raw = json.dumps(search, ensure_ascii=False)[1:-1].lower().encode()
    plain = search.isascii()
    found_n = np.zeros(file.size, bool)
    place = 0

    def note(_: int, line: bytes) -> None:
        nonlocal place
        # Small letters of other alphabets are not found by bytes, so that their lines are all taken apart.
        if (not plain or raw in line.lower()) and place < file.size:
            row = _decoded(file.path, place + 1, line)
            texts = (row.get(key) or "" for key in ("prompt", "completion", "greedy_text"))
            found_n[place] = any(needle in str(text).casefold() for text in texts)
        place += 1

    _each_line(file.path, note)
    return found_n


def _each_line(path: Path, note: Callable[[int, bytes], None]) -> None:
    """Call with the place and the bytes of every whole line."""
    try:
        with path.open("rb") as file:
            begin = 0
            for line in file:
                # A last line without its end is being written, or was cut short.
                if line.endswith(b"\n") and line.strip():
                    note(begin, line)
                begin += len(line)
    except OSError as error:
        raise _gone(path, error) from error


def _read_lines(file: ItemFile, places: Array) -> list[dict[str, Any]]:
    try:
        with file.path.open("rb") as handle:
            rows = []
            for place in places:
                handle.seek(int(file.begins_n[place]))
                rows.append(_decoded(file.path, int(place) + 1, handle.readline()))
            return rows
    except OSError as error:
        raise _gone(file.path, error) from error


def _decoded(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PageError(422, f"{path.name}, line {number}, is damaged ({error}); run the experiment again") from error
    if not isinstance(row, dict):
        raise PageError(422, f"{path.name}, line {number}, is no record of an item; run the experiment again")
    return row


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise _gone(path, error) from error
    # The inode too: an atomic write puts a new file in its place, possibly of the same size within one tick of the
    # clock.
    return status.st_ino, status.st_size, status.st_mtime_ns


def _gone(path: Path, error: OSError) -> PageError:
    return PageError(404, f"{path.name} cannot be read ({error.strerror}); it may not be written yet, or was removed")
