"""A shard is run: its blocks are computed one after the other and appended to its file, or resumed where it ends."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from shoal.errors import StoreError
from shoal.evaluation.sharding.shard_files import read_progress, shard_path
from shoal.progress import no_progress
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shoal.evaluation.sharding.plan_file import Shard, ShardBlock, ShardPlan
    from shoal.progress import Progress

    ScoreBlock = Callable[["ShardBlock"], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """A shard that is whole."""

    shard: str
    """As ``2/16``."""

    records: str
    """Its file."""

    items: int
    computed: int
    """The items that were not there before."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        before = self.items - self.computed
        there = f", {before:,} of them from before" if before else ""
        return f"shard {self.shard}: {plural(self.items, 'item')} in {self.records}{there}"


def run_shard(
    plan: ShardPlan,
    shard: Shard,
    folder: str | os.PathLike[str],
    score: ScoreBlock,
    *,
    progress: Progress | None = None,
) -> ShardResult:
    """Compute the blocks of a shard that its file does not have yet.

    Args:
        plan: the plan.
        shard: one of its shards.
        folder: where the file of the shard lies or is made.
        score: gives the records of a block, one line of JSON per item without the line end, which begins with
            ``{"id":"..."``. What it gives must hang on the block alone.
        progress: called with (what, items done, items in all).

    Raises:
        StoreError: another process runs the shard into this folder, its file holds other records, or cannot be
            written; or a record is of another item.
    """
    report = progress or no_progress
    path = shard_path(Path(folder), plan, shard)
    with _locked(path, shard):
        blocks, end = read_progress(path, plan, shard)
        total = plan.count_items(shard)
        done = sum(len(block.items) for block in islice(plan.blocks(shard), blocks))
        before = done
        report("items", done, total)
        try:
            with path.open("ab") as file:
                # Only behind the lock: what is cut off is a block that a kill tore, and not one that another process is
                # writing.
                file.truncate(end)
                for block in islice(plan.blocks(shard), blocks, None):
                    # One write a block, so that a kill tears one block at most.
                    file.write(_joined(block, score(block)))
                    # After each block, so that a kill of the process loses one; a failing machine may lose more until
                    # the fsync at the end.
                    file.flush()
                    done += len(block.items)
                    report("items", done, total)
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    return ShardResult(shard=str(shard), records=str(path), items=total, computed=total - before)


def _joined(block: ShardBlock, lines: Sequence[str]) -> bytes:
    """The bytes of a block's records.

    Raises:
        StoreError: they are not one line for each item, or not in the block's order.
    """
    for item, line in zip(block.items, lines, strict=True):
        if not line.startswith(f'{{"id":"{item}"') or "\n" in line:
            raise StoreError(f"block {block.number}: the record of {item} begins with {line[:60]!r}")
    return "".join([f"{line}\n" for line in lines]).encode()


@contextmanager
def _locked(path: Path, shard: Shard) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A lock of the operating system, which goes with its process: a file that a killed one left does not block the
        # shard.
        with FileLock(path.with_suffix(".lock"), timeout=0):
            yield
    except Timeout as error:
        raise StoreError(
            f"another process runs the shard {shard} into {path.parent}; wait for it, or give another folder"
        ) from error
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be written: {error.strerror or error}") from error
