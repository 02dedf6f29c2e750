"""The file of a shard's records: one line of JSON an item, in the order of the plan, its id first.

A process that is killed leaves a torn line or half a block at the end at most; what is not whole is cut off when the
shard is run again. The name of the file holds the beginning of the plan's key, so that records of other weights are
never taken for those of the plan, which could have the same items.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from shoal.errors import StoreError
from shoal.evaluation.sharding.plan_file import Shard

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from shoal.evaluation.sharding.plan_file import ShardPlan

_KEY_LENGTH = 12
_NAME = re.compile(r"records-([0-9a-f]{12})-(\d+)-of-(\d+)\.jsonl")
_BUFFER = 1 << 20


def shard_path(folder: str | os.PathLike[str], plan: ShardPlan, shard: Shard) -> Path:
    """The file of a shard's records.

    Args:
        folder: where all shards of a plan may lie.
        plan: the plan.
        shard: one of its shards.
    """
    width = len(str(shard.count))
    return Path(folder) / f"records-{plan.key[:_KEY_LENGTH]}-{shard.index:0{width}}-of-{shard.count}.jsonl"


def find_shard_files(sources: Sequence[Path], plan: ShardPlan) -> list[tuple[Shard, Path]]:
    """The files of records of a plan, by the shard that their name says.

    Args:
        sources: files, and folders that hold them.
        plan: whose records are looked for.

    Raises:
        StoreError: a file is missing, is named otherwise, or belongs to another plan; or there is none.
    """
    found: dict[Path, Shard] = {}
    others = []
    for source in sources:
        if not source.exists():
            raise StoreError(f"there is no {source}; give the folders that the shards were written to")
        for path in sorted(source.glob("records-*.jsonl")) if source.is_dir() else [source]:
            name = _NAME.fullmatch(path.name)
            if name is None:
                raise StoreError(f"{path} is not named as a shard's records are (records-KEY-2-of-16.jsonl)")
            if name[1] != plan.key[:_KEY_LENGTH]:
                others.append(path)
            else:
                found[path.resolve()] = Shard(int(name[2]), int(name[3]))
    if others and not found:
        raise StoreError(
            f"{others[0]} holds records of another plan than {plan.path}; give the plan that it was run by"
        )
    if not found:
        raise StoreError(f"no records of the plan {plan.path} in {', '.join(map(str, sources))}; run its shards first")
    return sorted(
        ((shard, path) for path, shard in found.items()), key=lambda one: (one[0].count, one[0].index, one[1])
    )


class RecordReader:
    """Reads records in the order of a shard's blocks; memory holds one block.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[bytes] = path.open("rb", buffering=_BUFFER)
        self.done = False
        """Whether all whole lines have been read."""

    def take(self, items: Sequence[str]) -> list[bytes] | None:
        """The lines of a block's items: all of them, or the first ones where the file ends.

        Args:
            items: the ids of the block, in order.

        Returns:
            None where a line is not that of the item that is due; the file is then not in the order of the plan.
        """
        if self.done:
            return []
        lines = list(islice(self.file, len(items)))
        if len(lines) < len(items) or not lines[-1].endswith(b"\n"):
            self.done = True
            # A kill may have torn the last line.
            if lines and not lines[-1].endswith(b"\n"):
                lines.pop()
        return lines if _stand_for(lines, items) else None

    def rest(self) -> bytes:
        """The line behind the last block that was taken; empty where there is none."""
        return b"" if self.done else self.file.readline()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _stand_for(lines: Sequence[bytes], items: Sequence[str]) -> bool:
    """Whether lines are records of items: each begins with the id of its own."""
    due = items[: len(lines)]
    # One comparison of bytes for a block: JSON is not parsed, which would take ten times as long.
    begins = b"".join([line[: 8 + len(item)] for line, item in zip(lines, due, strict=True)])
    return begins == "".join([f'{{"id":"{item}"' for item in due]).encode()


def id_of_line(line: bytes) -> str | None:
    """The id that a record begins with; None where it does not begin with one."""
    found = re.match(rb'\{"id":"([0-9a-zA-Z_-]{1,64})"', line)
    return found[1].decode() if found else None


def read_progress(path: str | os.PathLike[str], plan: ShardPlan, shard: Shard) -> tuple[int, int]:
    """How many blocks of a shard are whole in its file, and where the last of them ends in bytes.

    Args:
        path: the shard's file; one that is not there has none.
        plan: the plan.
        shard: one of its shards.

    Raises:
        StoreError: a record is of another item than the plan says.
    """
    path = Path(path)
    if not path.exists():
        return 0, 0
    blocks = end = 0
    reader = RecordReader(path)
    try:
        for block in plan.blocks(shard):
            lines = reader.take(block.items)
            if lines is None:
                raise StoreError(
                    f"{path} has another record than the plan says in block {block.number} of shard {shard}; "
                    "remove the file and run the shard again"
                )
            if len(lines) < len(block.items):
                return blocks, end
            blocks, end = blocks + 1, end + sum(map(len, lines))
        if reader.rest():
            raise StoreError(f"{path} has more records than shard {shard}; remove it and run the shard again")
    finally:
        reader.close()
    return blocks, end


def whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each whole line of a file with its place in bytes.

    Args:
        path: the file; what a kill has torn at its end is left out.
    """
    place = 0
    with path.open("rb", buffering=_BUFFER) as file:
        for line in file:
            if line.endswith(b"\n"):
                yield place, line
            place += len(line)
