"""The plan of an evaluation as a file that is read block by block, so that memory does not grow with its items.

One line of JSON each: a header, the blocks in their order, and an end with their number and a digest of all before. A
block names its items by the hash of their contents, and holds what its work needs to find them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, StoreError, UsageError
from shoal.files import atomic_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

# Of the lines; a plan of another format is refused and not guessed at.
FORMAT = 1
# Nothing that JSON escapes: merging compares ids as bytes of a line.
_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of a plan: every ``count``-th block from number ``index - 1`` on."""

    index: int
    """From 1."""

    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(f"there is no shard {self}; give one from 1/{self.count} to {self.count}/{self.count}")

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def __contains__(self, number: int) -> bool:
        """Whether a block belongs to the shard."""
        # In turn and not in runs: blocks are sorted by length, and runs would give one shard all long ones.
        return number % self.count == self.index - 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that a text names, as ``2/16``.

        Args:
            text: index and count.

        Raises:
            UsageError: it names none.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
        if not found or not int(found[2]):
            raise UsageError(f"{text!r} names no shard; give its index and the number of shards, as 2/16")
        return cls(int(found[1]), int(found[2]))


WHOLE = Shard(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardBlock:
    """Items that go through the model together. A record follows from its block, and from nothing else of the plan."""

    number: int
    """From 0, in the order of the plan."""

    items: tuple[str, ...]
    """The hash of each item's contents, in the order of their records."""

    work: Mapping[str, Any] = field(default_factory=dict)
    """What is needed to find the items: plain values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """A plan file."""

    path: Path

    header: Mapping[str, Any]
    """Kind of the work, digest of the model, dtype, settings: whatever the records hang on."""

    key: str
    """The SHA-256 of header and blocks."""

    block_count: int
    item_count: int

    def blocks(self, shard: Shard = WHOLE) -> Iterator[ShardBlock]:
        """The blocks of a shard, one after the other.

        Args:
            shard: by default the whole plan.

        Raises:
            StoreError: the file has changed since it was opened, or cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                if shard.count == 1:
                    file.readline()
                    for number in range(self.block_count):
                        yield _block(file.readline(), number, self.path)
                    return
                starts = _line_starts(self.path, self.key)
                for number in range(shard.index - 1, self.block_count, shard.count):
                    # The blocks of other shards are passed over unread.
                    file.seek(starts[number])
                    yield _block(file.readline(), number, self.path)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def count_items(self, shard: Shard) -> int:
        """How many items a shard has.

        Args:
            shard: of this plan.
        """
        return sum(len(block.items) for block in self.blocks(shard))


# A worker runs shard after shard of one plan, and each of them reads its blocks several times.
@functools.lru_cache(maxsize=2)
def _line_starts(path: Path, key: str) -> array[int]:  # noqa: ARG001 (a file that was written again has another key)
    """Where each block stands in the file, in bytes: 8 bytes a block."""
    starts, place = array("Q"), 0
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            starts.append(place)
            place += len(line)
    # The header comes before the blocks, the end behind them.
    return starts[1:-1]


def _block(line: bytes, number: int, path: Path) -> ShardBlock:
    try:
        values = json.loads(line)
        block = ShardBlock(number=values["block"], items=tuple(values["items"]), work=values["work"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"line {number + 2} of {path} is no block of a plan; write the plan again") from error
    if block.number != number:
        raise StoreError(f"line {number + 2} of {path} has block {block.number} for {number}; write the plan again")
    return block


def write_plan(path: str | os.PathLike[str], header: Mapping[str, Any], blocks: Iterable[ShardBlock]) -> ShardPlan:
    """Write a plan file, block by block.

    Args:
        path: the file; one that is there is replaced at the end.
        header: whatever the records hang on, as plain values; ``kind`` names the work (`ShardWork`).
        blocks: in their order, numbered from 0. No item stands in two of them.

    Raises:
        DataError: there is no block, a block is empty or out of order, or an id is not 1 to 64 letters and digits.
        StoreError: the file cannot be written.
    """
    path = Path(path)
    state, number, items = hashlib.sha256(), -1, 0
    try:
        with atomic_file(path) as partial, partial.open("wb") as file:

            def put(values: Mapping[str, Any]) -> None:
                line = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
                state.update(line)
                file.write(line)

            put({"format": FORMAT, **header})
            for number, block in enumerate(blocks):
                _check_block(block, number)
                put({"block": number, "items": block.items, "work": block.work})
                items += len(block.items)
            if number < 0:
                raise DataError("the plan has no items; there is nothing to compute")
            key = state.hexdigest()
            put({"blocks": number + 1, "items": items, "sha256": key})
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    return ShardPlan(path=path, header=dict(header), key=key, block_count=number + 1, item_count=items)


def _check_block(block: ShardBlock, number: int) -> None:
    if block.number != number or not block.items:
        raise DataError(f"block {block.number} stands at place {number} with {len(block.items)} items; number blocks")
    for item in block.items:
        if not _ID.fullmatch(item):
            raise DataError(f"{item!r} is no id of an item; give 1 to 64 letters and digits")


# Bytes of the last line: two counts and a digest are some 120.
_LONGEST_END = 200


def open_plan(path: str | os.PathLike[str]) -> ShardPlan:
    """Open a plan file; its blocks are not read yet.

    Args:
        path: as `write_plan` wrote it.

    Raises:
        StoreError: there is no such file, or it is no plan that this version reads.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            first = file.readline()
            file.seek(max(0, path.stat().st_size - _LONGEST_END))
            last = file.read().splitlines()[-1:]
    except OSError as error:
        raise StoreError(f"the plan {path} cannot be read: {error.strerror or error}; check the path") from error
    try:
        header = json.loads(first)
        if not isinstance(header, dict) or "kind" not in header:
            raise StoreError(f"{path} is no plan; write one to another file with: shoal eval ... --write-plan PLAN")
        if header.pop("format", None) != FORMAT:
            raise StoreError(f"{path} is a plan of another version of shoal; write it again with this one")
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"{path} is no plan; write one to another file with: shoal eval ... --write-plan PLAN"
        ) from error
    try:
        end = json.loads(last[0])
        return ShardPlan(
            path=path, header=header, key=end["sha256"], block_count=end["blocks"], item_count=end["items"]
        )
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise StoreError(f"the plan {path} has no end: it was cut short; write or copy it again") from error


def check_plan(plan: ShardPlan) -> None:
    """Read a plan file whole, and compare it with its digest and its counts.

    Raises:
        StoreError: it is not what was written.
    """
    state, items = hashlib.sha256(), 0
    with plan.path.open("rb") as file:
        for number in range(plan.block_count + 1):
            line = file.readline()
            state.update(line)
            items += 0 if number == 0 else len(_block(line, number - 1, plan.path).items)
    if state.hexdigest() != plan.key or items != plan.item_count:
        raise StoreError(f"the plan {plan.path} is not what was written: its digest differs; write or copy it again")
