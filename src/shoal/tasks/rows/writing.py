"""Rows to a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, StoreError, UsageError
from shoal.files import atomic_file
from shoal.tasks.rows.jsonl import write_jsonl
from shoal.tasks.rows.parquet import write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shoal.tasks.example import Example

_WRITERS: Mapping[str, Callable[[Iterable[Mapping[str, Any]], Path], None]] = {
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}
_TAKEN = ("prompt", "completion", "ends", "tags")


def write_rows(examples: Sequence[Example], path: str | Path, *, end_token: str | None = None) -> None:
    """Write the examples to a JSONL or Parquet file, one column a tag, so that ``read_rows`` gives them back.

    Args:
        examples: what to write.
        path: a file whose name ends in ``.jsonl`` or ``.parquet``; one that is there is replaced at the end.
        end_token: the text of a tokenizer's end token, put behind each completion that ends. Without it, or where
            some do not end, a column ``ends`` says which do.

    Raises:
        DataError: an example cannot be written, as its completion holds the end token already, say.
        StoreError: the file cannot be written.
        UsageError: the path ends in something else.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise UsageError(f"{path} ends in {path.suffix!r}; rows are written to {' and '.join(_WRITERS)} files")
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    say_ends = end_token is None or not all(example.ends for example in examples)
    rows = [_row(place, example, end_token, say_ends=say_ends) for place, example in enumerate(examples, start=1)]
    try:
        with atomic_file(path) as partial:
            _WRITERS[path.suffix](rows, partial)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"the examples cannot be written to {path}: {str(error).splitlines()[0]}") from error


def exported_completion(place: int, example: Example, end_token: str | None) -> str:
    """The completion with the end token's text behind it, where it ends.

    Raises:
        DataError: the completion holds that text already.
        UsageError: the end token given is empty.
    """
    if end_token is None:
        return example.completion
    if not end_token:
        raise UsageError("the end token given is an empty text; give the text of the token, or none")
    if end_token in example.completion:
        raise DataError(
            f"example {place}: the completion holds the end token {end_token!r} already; take it off when reading, "
            "with read_rows(path, end_token=...)"
        )
    return example.completion + end_token if example.ends else example.completion


def _row(place: int, example: Example, end_token: str | None, *, say_ends: bool) -> dict[str, Any]:
    """The columns of one example."""
    taken = [name for name in example.tags if name in _TAKEN]
    if taken:
        raise DataError(f"example {place}: a tag is named {taken[0]!r}, which is a column of its own; rename the tag")
    return {
        "prompt": example.prompt,
        "completion": exported_completion(place, example, end_token),
        **({"ends": example.ends} if say_ends else {}),
        **example.tags,
    }
