"""The documents of a task: local files of JSON, JSON lines, CSV, Parquet or text, sets of minimal pairs, or the hub.

A file inside a zip archive is written as `fsspec` writes it, ``zip://inside.json::archive.zip``. A data set of the hub
is looked for in a folder of local copies first: ``FOLDER/org/name/[config/]split.jsonl``, with or without ``org/``.
"""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, MissingExtraError, UnavailableError
from shoal.textfiles import ZIP_FAULTS, decode_text, numbered_lines, open_bytes, parse_json
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shoal.evaluation.benchmarks.task_files import TaskFile

Document = dict[str, Any]
_SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".jsonl.gz", ".json.gz")


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Where files are looked for."""

    data: Path | None
    """The folder that a user gives; None takes ``SHOAL_DATA`` where it is set."""

    @property
    def root(self) -> Path | None:
        """The folder."""
        if self.data is not None:
            return self.data
        named = os.environ.get("SHOAL_DATA")
        return Path(named) if named else None


def load_split(task: TaskFile, split: str, folders: DataFolders, *, local_only: bool = False) -> list[Document]:
    """The documents of one split, each with all columns of the split.

    Args:
        task: whose data they are.
        split: its name.
        folders: where local files lie.
        local_only: refuse to look on the hub.

    Raises:
        DataError: a file is absent or cannot be read, or the split is empty.
        UnavailableError: the hub cannot be reached.
        MissingExtraError: a data set of the hub is needed and ``datasets`` is not installed.
    """
    if task.dataset_path in _FORMATS:
        files = _data_files(task, split)
        rows = [row for name in files for row in _FORMATS[task.dataset_path](_find(name, task, folders), task)]
    else:
        local = _local_copy(task, split, folders)
        if local is None and local_only:
            raise DataError(f"there is no local copy of the split {split!r} of the task {task.name}")
        rows = _read_any(local, task) if local is not None else _from_hub(task, split, folders)
    if not rows:
        raise DataError(f"the split {split!r} of the task {task.name} holds no documents")
    return _with_all_columns(rows)


def _with_all_columns(rows: Sequence[Document]) -> list[Document]:
    """Every row with every column; what a row lacks is None, as in a table."""
    columns = dict.fromkeys(key for row in rows for key in row)
    return [row if len(row) == len(columns) else {key: row.get(key) for key in columns} for row in rows]


def _data_files(task: TaskFile, split: str) -> list[str]:
    given = task.dataset_kwargs.get("data_files")
    if isinstance(given, dict):
        given = given.get(split)
    elif split != "train" and given is not None:
        # Without names of splits, `datasets` calls the only one train.
        given = None
    if given is None:
        raise DataError(f"{task.origin}: dataset_kwargs.data_files names no file of the split {split!r}")
    return [str(name) for name in (given if isinstance(given, list) else [given])]


def _find(name: str, task: TaskFile, folders: DataFolders) -> str:
    """The path of a file: as it is, in the data folder, or next to the task file."""
    inside, _, outer = name.rpartition("::")
    places = [Path(outer), Path(task.origin).parent / outer]
    if folders.root is not None:
        places.insert(0, folders.root / outer)
    for place in places:
        if place.exists():
            return f"{inside}::{place}" if inside else str(place)
    source = task.metadata.get("source")
    hint = f"; its source: {source}" if source else ""
    raise DataError(
        f"the task {task.name} reads {outer}, which is not there; give the folder that holds it with --data (or set "
        f"SHOAL_DATA){hint}"
    )


def _local_copy(task: TaskFile, split: str, folders: DataFolders) -> str | None:
    """The file of a hub data set in the folder of local copies, if it is there."""
    if folders.root is None:
        return None
    short = task.dataset_path.rpartition("/")[2]
    for base in dict.fromkeys((task.dataset_path, short)):
        for part in (task.dataset_name or "", ""):
            for suffix in _SUFFIXES:
                place = folders.root / base / part / f"{split}{suffix}"
                if place.is_file():
                    return str(place)
    return None


def _from_hub(task: TaskFile, split: str, folders: DataFolders) -> list[Document]:
    wanted = f"{task.dataset_path}{f'/{task.dataset_name}' if task.dataset_name else ''}"
    place = f"{folders.root or 'FOLDER'}/{wanted}/{split}.jsonl"
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("hub", f"reading {wanted} from the hub (there is no local copy {place})") from error
    try:
        rows = datasets.load_dataset(task.dataset_path, task.dataset_name, split=split, **_plain(task.dataset_kwargs))
        return [dict(row) for row in rows]
    except Exception as error:  # the library raises its own, the hub's and the network's exceptions
        raise UnavailableError(
            f"the data set {wanted} of the task {task.name} cannot be read from the hub "
            f"({in_one_line(error, limit=120)}); give a local copy, {place}, with --data"
        ) from error


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    # Data sets that bring code of their own are not run.
    return {key: value for key, value in settings.items() if key != "trust_remote_code"}


def _bytes_of(place: str) -> bytes:
    """The contents of a file, in an archive or not, decompressed."""
    inside, _, outer = place.rpartition("::")
    try:
        if inside:
            with zipfile.ZipFile(outer) as archive:
                return archive.read(inside.removeprefix("zip://"))
        with open_bytes(Path(outer)) as file:
            return file.read()
    except ZIP_FAULTS as error:
        raise DataError(f"{place} cannot be read: {in_one_line(error, limit=120)}") from error


def _json(place: str, task: TaskFile) -> list[Document]:
    """JSON lines, a list of objects, or an object whose ``field`` is such a list."""
    text = decode_text(_bytes_of(place), place)
    rows: Any
    field = task.dataset_kwargs.get("field")
    if field is None and not text.lstrip().startswith("["):
        rows = [parse_json(line, f"{place}:{number}") for number, line in numbered_lines(text)]
    else:
        found: Any = parse_json(text, place)
        rows = found if field is None else found.get(field) if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{place} is no list of JSON objects; expected one object per line, or a list of them")
    return rows


def _csv(place: str, task: TaskFile) -> list[Document]:
    import pandas

    separator = task.dataset_kwargs.get("delimiter", task.dataset_kwargs.get("sep", ","))
    try:
        frame = pandas.read_csv(io.BytesIO(_bytes_of(place)), sep=str(separator))
    except (ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{place} cannot be read as CSV: {in_one_line(error, limit=120)}") from error
    # Numbers as Python has them, all of their digits, and None for an empty cell.
    rows: list[Document] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _parquet(place: str, _task: TaskFile) -> list[Document]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Document] = pq.read_table(io.BytesIO(_bytes_of(place))).to_pylist()
    except pa.ArrowException as error:
        raise DataError(f"{place} cannot be read as Parquet: {in_one_line(error, limit=120)}") from error
    return rows


def _text(place: str, _task: TaskFile) -> list[Document]:
    # Not `splitlines`, which also cuts at form feeds and U+2028, where `datasets` does not.
    lines = decode_text(_bytes_of(place), place).split("\n")
    return [{"text": line} for line in (lines if lines[-1] else lines[:-1])]


def _read_any(place: str, task: TaskFile) -> list[Document]:
    reader = _parquet if place.endswith(".parquet") else _csv if place.endswith(".csv") else _json
    return reader(place, task)


def _minimal_pairs(place: str, _task: TaskFile) -> list[Document]:
    """The pairs of BLiMP or Zorro as documents with good, bad and paradigm."""
    files = sorted(Path(place).rglob("*")) if Path(place).is_dir() else [Path(place)]
    stats = [path.stat() for path in files if path.is_file()]
    stamp = tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in stats)
    return [dict(row) for row in _read_pairs(place, stamp)]


# A set has dozens of tasks, which are read one after the other.
@lru_cache(maxsize=4)
def _read_pairs(place: str, _stamp: tuple[tuple[int, int, int], ...]) -> list[Document]:
    from shoal.evaluation.stories import read_minimal_pairs

    return [{"good": pair.good, "bad": pair.bad, "paradigm": pair.paradigm} for pair in read_minimal_pairs(Path(place))]


def _babylm(place: str, task: TaskFile) -> list[Document]:
    from shoal.evaluation.benchmarks.babylm import read_babylm

    return read_babylm(place, str(task.dataset_name))


_FORMATS: dict[str, Callable[[str, TaskFile], Iterable[Document]]] = {
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
    "text": _text,
    "shoal/minimal-pairs": _minimal_pairs,
    "shoal/babylm": _babylm,
}
"""What ``dataset_path`` may name that is no data set of the hub; the first four as `datasets` names them."""
