"""The folder of an evaluation: its plan, and the records of the blocks that are done.

Records are appended block by block, in the order in which blocks are done. A process that is killed leaves a block half
written at most; when the folder is opened again, what is not whole is cut off, and those blocks are run again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING

from shoal.errors import StoreError
from shoal.evaluation.benchmarks.records import BenchmarkRecord, read_records
from shoal.files import atomic_file
from shoal.textfiles import read_json

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.evaluation.benchmarks.plans import BenchmarkPlan, PlanBlock

PLAN_FILE = "plan.json"
RECORDS_FILE = "records.jsonl"


class RecordStore:
    """The folder; opened for one plan.

    Args:
        folder: made where it does not exist.
        plan: what is computed.

    Raises:
        StoreError: the folder holds the records of another plan, or cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], plan: BenchmarkPlan) -> None:
        self.folder = Path(folder)
        self.records = self.folder / RECORDS_FILE
        self._plan = plan
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_plan()
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written: {error.strerror or error}") from error

    def _check_plan(self) -> None:
        file = self.folder / PLAN_FILE
        if file.exists():
            found = read_json(file)
            key = found.get("key") if isinstance(found, dict) else None
            if key != self._plan.key:
                raise StoreError(
                    f"{self.folder} holds another evaluation (another model, other tasks, data or settings); give "
                    "another --out, or remove that folder"
                )
            return
        with atomic_file(file) as partial:
            contents = {"key": self._plan.key, **self._plan.to_dict()}
            partial.write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")

    def load(self) -> dict[str, BenchmarkRecord]:
        """The records of whole blocks by item; the rest of the file is cut off.

        Raises:
            StoreError: a record is of no item of the plan, or an item has two.
            DataError: a line in the middle of the file is broken.
        """
        if not self.records.exists():
            return {}
        found: dict[str, BenchmarkRecord] = {}
        for record in read_records(self.records, unfinished=True):
            if record.id in found:
                raise StoreError(f"{self.records} has two records of the item {record.id}; remove the file")
            found[record.id] = record
        # Blocks are computed as a whole: a part of one would come out the same, but in another batch and another order.
        whole = {item for block in self._plan.blocks if set(block.items) <= found.keys() for item in block.items}
        kept = {item: record for item, record in found.items() if item in whole}
        # A torn last line has to go before the next block is appended behind it.
        if len(kept) < len(found) or not self.records.read_bytes().endswith(b"\n"):
            self._write(list(kept.values()))
        return kept

    def _write(self, records: Sequence[BenchmarkRecord]) -> None:
        with atomic_file(self.records) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{record.to_line()}\n" for record in records)

    def open(self) -> IO[str]:
        """The file of records, to append blocks to."""
        return self.records.open("a", encoding="utf-8")

    def append(self, file: IO[str], records: Sequence[BenchmarkRecord]) -> None:
        """Append the records of a block in one write, so that a kill tears it at most once.

        Args:
            file: as `open` gives it.
            records: of one block.
        """
        file.write("".join(f"{record.to_line()}\n" for record in records))
        file.flush()

    def finish(self, records: dict[str, BenchmarkRecord]) -> None:
        """Write all records in the order of the plan, so that a resumed run leaves the same bytes as a whole one."""
        self._write([records[item] for item in ordered_items(self._plan.blocks)])


def ordered_items(blocks: Sequence[PlanBlock]) -> list[str]:
    """The items of blocks, in the order of their records."""
    return [item for block in blocks for item in block.items]
