"""Task files as plain values: YAML, included files merged, references to Python functions recognised but never run.

The format is that of lm-evaluation-harness (docs/new_task_guide.md there): a file may include others, whose keys it
overrides, and ``!function module.name`` stands for a Python function of a file next to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from shoal.errors import DataError
from shoal.wording import in_one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 2**22
"""The largest task file of lm-evaluation-harness has 300 kB; few-shot samples may stand in one."""


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """A reference to a Python function, which shoal does not run."""

    name: str
    """As the file has it: ``utils.process_docs``."""


class _TaskLoader(_SafeLoader):
    """Plain YAML, and ``!function``."""


_TaskLoader.add_constructor("!function", lambda loader, node: PythonFunction(str(loader.construct_scalar(node))))


def read_task_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The keys of a task file, those of the files that it includes among them.

    Args:
        path: the file.

    Raises:
        DataError: it cannot be read, is no YAML mapping, or includes itself.
    """
    return _merged(Path(path).expanduser().resolve(), ())


def _merged(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path in above:
        raise DataError(f"the task file {path} includes itself, by way of {above[-1].name}; remove one of the includes")
    keys = _read(path)
    included = keys.pop("include", None) or []
    merged: dict[str, Any] = {}
    for name in included if isinstance(included, list) else [included]:
        if not isinstance(name, str):
            raise DataError(f"{path}: include must name files, not {name!r}")
        # task_list names the tasks of the included file alone.
        part = _merged((path.parent / name).resolve(), (*above, path))
        merged |= {key: value for key, value in part.items() if key != "task_list"}
    return merged | keys


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path} has {path.stat().st_size:,} bytes; a task file has at most {_MAX_BYTES:,}")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"the task file {path} cannot be read: {error.strerror or error}") from error
    try:
        keys = yaml.load(raw, Loader=_TaskLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no YAML: {in_one_line(error, limit=160)}") from error
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys):
        raise DataError(
            f"{path} is no task file; expected a YAML mapping with task or group, see docs/benchmarks-eval.md"
        )
    return keys


def functions_in(value: Any) -> Iterator[PythonFunction]:
    """Every reference to a Python function within plain values."""
    if isinstance(value, PythonFunction):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from functions_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from functions_in(part)
