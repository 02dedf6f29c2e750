"""The records of shards merged in the order of the plan, in memory that does not grow with their number.

Shards are written in the order of the plan, so that a merge is a walk over the plan: of each block it takes the next
lines of the file whose turn it is and compares how they begin with the ids that are due. No JSON is parsed but the
plan's. A file whose lines stand in another order (joined, sorted or edited by hand) is read once more through an index
on disk.

Several files may hold the same item: shards that were run twice, or plans that were split in several ways. Equal
records are one; different ones are a contradiction, which is never settled silently.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.evaluation.sharding.plan_file import Shard
from shoal.evaluation.sharding.record_sources import IndexedSource, InOrderSource, OutOfOrder
from shoal.evaluation.sharding.shard_files import find_shard_files
from shoal.files import atomic_file
from shoal.progress import no_progress
from shoal.wording import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.evaluation.sharding.plan_file import ShardBlock, ShardPlan
    from shoal.evaluation.sharding.record_sources import RecordSource
    from shoal.progress import Progress

_NAMED = 5
"""Items named in a message at most."""

# Merging runs through thousands of blocks a second, and a report of each would take longer than the block.
_PROGRESS_BLOCKS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """A merge that found every item once."""

    out: str
    items: int
    files: int

    doubled: int
    """Records that stood in more than one place, and were equal."""

    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        doubled = f"; {self.doubled:,} records stood there twice and were equal" if self.doubled else ""
        return f"{plural(self.items, 'item')} of {plural(self.files, 'file')} in {self.out}{doubled}"


@dataclass(slots=True)
class _Faults:
    """What keeps a merge from being whole: the first few of each kind by name, and how many there are."""

    lost: list[str] = field(default_factory=list)
    lost_count: int = 0
    lost_by_shard: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    contradictions: list[str] = field(default_factory=list)
    contradiction_count: int = 0
    unknown: list[str] = field(default_factory=list)

    def check(self, plan: ShardPlan) -> None:
        """Raise where there are any."""
        parts = []
        if self.contradiction_count:
            parts.append(
                f"{self.contradiction_count:,} items have contradictory records: {'; '.join(self.contradictions)}"
            )
        if self.unknown:
            parts.append(f"items that the plan does not have: {'; '.join(self.unknown)}")
        if self.lost_count:
            shards = ", ".join(f"{shard} ({lost:,})" for shard, lost in [*self.lost_by_shard.items()][:_NAMED])
            parts.append(
                f"{self.lost_count:,} of {plan.item_count:,} items are lost: {', '.join(self.lost)}"
                f"{', ...' if self.lost_count > len(self.lost) else ''}; run again: shoal eval --plan {plan.path} "
                f"--shard {next(iter(self.lost_by_shard))}; shards that lack items: {shards}"
            )
        if parts:
            raise StoreError("; ".join(parts))


def merge_shards(
    plan: ShardPlan,
    sources: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> MergeResult:
    """Write the records of all items of a plan to one file, in the order of the plan.

    Args:
        plan: the plan.
        sources: the folders that shards were run into, or their files.
        out: the file; it is written whole or not at all.
        progress: called with (what, items done, items in all).

    Raises:
        StoreError: an item has no record, or different ones; a record is of no item of the plan; or a file cannot be
            read or written. The message names the items and the shards.
    """
    found = find_shard_files([Path(source) for source in sources], plan)
    out, indexed = Path(out), set[Path]()
    try:
        # Once more from the beginning with the file indexed: most files are in order, and an index of all would double
        # the work.
        with tempfile.TemporaryDirectory(prefix="shoal-merge-") as scratch:
            while True:
                try:
                    return _Merge(plan, found, indexed, scratch).write(out, progress or no_progress)
                except OutOfOrder as fault:
                    indexed.add(fault.path)
    except OSError as error:
        raise StoreError(f"{error.filename or out} cannot be read or written: {error.strerror or error}") from error


class _Merge:
    """One walk over the plan."""

    def __init__(self, plan: ShardPlan, found: list[tuple[Shard, Path]], indexed: set[Path], scratch: str) -> None:
        self._plan = plan
        self._files = len(found)
        self._faults = _Faults()
        self._doubled = 0
        # By the number of shards that the plan was split into, and by shard: which files a block may stand in.
        self._sources: dict[int, dict[int, list[RecordSource]]] = defaultdict(lambda: defaultdict(list))
        self._anywhere: list[IndexedSource] = []
        self._paths: dict[int, Path] = {}
        for shard, path in found:
            source: RecordSource = IndexedSource(path, scratch) if path in indexed else InOrderSource(path)
            self._paths[id(source)] = path
            if isinstance(source, IndexedSource):
                self._anywhere.append(source)
            else:
                self._sources[shard.count][shard.index].append(source)
        self._names = max((shard.count for shard, _ in found), default=1)

    def write(self, out: Path, progress: Progress) -> MergeResult:
        """Walk over the plan, and write what it says."""
        done = 0
        try:
            for source in self._anywhere:
                source.build()
                self._doubled += source.doubled
            # Faults are raised before the file gets its name, so that nobody takes a part for the whole.
            with atomic_file(out) as partial, partial.open("wb", buffering=1 << 20) as file:
                for block in self._plan.blocks():
                    file.writelines(self._lines(block))
                    done += len(block.items)
                    if block.number % _PROGRESS_BLOCKS == 0:
                        progress("items", done, self._plan.item_count)
                progress("items", done, self._plan.item_count)
                # Only after the walk: what a file still holds belongs to no block of the plan.
                self._collect_leftovers()
                self._faults.check(self._plan)
                size = file.tell()
        finally:
            for one in self._all():
                one.close()
        return MergeResult(
            out=str(out), items=self._plan.item_count, files=self._files, doubled=self._doubled, bytes=size
        )

    def _all(self) -> list[RecordSource]:
        in_order = [one for shards in self._sources.values() for many in shards.values() for one in many]
        return [*in_order, *self._anywhere]

    def _lines(self, block: ShardBlock) -> list[bytes]:
        """The records of a block; its faults are noted."""
        due: list[RecordSource] = [*self._anywhere]
        for split, shards in self._sources.items():
            # Blocks are dealt to shards in turn, so that the number alone shows which files can hold one.
            due += shards.get(block.number % split + 1, ())
        first: list[bytes | None] = due[0].take(block.items) if due else [None] * len(block.items)
        for source in due[1:]:
            self._compare(block, first, source.take(block.items), self._paths[id(source)])
        lines = [line for line in first if line is not None]
        if len(lines) < len(first):
            self._note_lost(block, [item for item, line in zip(block.items, first, strict=True) if line is None])
        return lines

    def _compare(self, block: ShardBlock, first: list[bytes | None], more: list[bytes | None], path: Path) -> None:
        """Fill the gaps of the records found so far, and note what contradicts them."""
        for place, (item, one, other) in enumerate(zip(block.items, first, more, strict=True)):
            if one is None:
                first[place] = other
            elif other is not None and one != other:
                self._faults.contradiction_count += 1
                if len(self._faults.contradictions) < _NAMED:
                    self._faults.contradictions.append(f"{item} (block {block.number}, among others in {path})")
            elif other is not None:
                self._doubled += 1

    def _note_lost(self, block: ShardBlock, items: list[str]) -> None:
        shard = Shard(block.number % self._names + 1, self._names)
        self._faults.lost_count += len(items)
        self._faults.lost_by_shard[str(shard)] += len(items)
        more = _NAMED - len(self._faults.lost)
        self._faults.lost += [f"{item} (block {block.number}, shard {shard})" for item in items[: max(0, more)]]

    def _collect_leftovers(self) -> None:
        for source in self._all():
            for item in source.leftover()[:_NAMED]:
                self._faults.unknown.append(f"{item} in {self._paths[id(source)]}")
