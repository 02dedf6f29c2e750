"""Experiment files: TOML to `Experiment`, with errors that name the file, the key and the nearest known key."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from shoal.errors import ExperimentFileError, UnknownNameError
from shoal.experiments.experiment import Experiment
from shoal.experiments.tables import fault_line
from shoal.wording import uncapital

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from shoal.experiments.tables import SettingsTable

P = TypeVar("P")
M = TypeVar("M", bound="SettingsTable")
Table = dict[str, Any]


def shipped_experiments() -> tuple[str, ...]:
    """The names of the experiments that come with shoal."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _shipped().iterdir() if entry.name.endswith(".toml"))
    )


def load_experiment(path_or_name: str | os.PathLike[str], preset: str | None = None) -> Experiment:
    """Read an experiment.

    Args:
        path_or_name: a TOML file, or the name of an experiment that comes with shoal: ``counting``.
        preset: one of the file's presets; None for the file's default.

    Raises:
        UnknownNameError: no shipped experiment, or no preset of the file, has that name.
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    return read_plan(path_or_name, preset, experiment_from)


def has_factors(path_or_name: str | os.PathLike[str]) -> bool:
    """Whether a file crosses factors, so that `shoal.experiments.crossed.load_crossed` reads it.

    Args:
        path_or_name: as `load_experiment` takes it.

    Raises:
        UnknownNameError: no shipped experiment has that name.
        ExperimentFileError: the file cannot be read or is broken.
    """
    source, text = _read(path_or_name)
    return "factors" in parse_toml(source, text)


def read_plan(path_or_name: str | os.PathLike[str], preset: str | None, validate: Callable[[Table, str], P]) -> P:
    """A file with its preset resolved.

    Args:
        path_or_name: a TOML file, or the name of an experiment that comes with shoal.
        preset: one of the file's presets; None for the file's default.
        validate: from a table without presets, and what an error message calls it, to the plan.

    Raises:
        UnknownNameError: no shipped experiment, or no preset of the file, has that name.
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    source, text = _read(path_or_name)
    data = parse_toml(source, text)
    presets = data.pop("presets", {})
    if not (isinstance(presets, dict) and all(isinstance(table, dict) for table in presets.values())):
        raise ExperimentFileError(f"{source}: presets holds one table per preset, as [presets.quick]")
    if not isinstance(data.get("preset", ""), str):
        raise ExperimentFileError(f"{source}: preset = {data['preset']!r}: give the name of a preset, as a text")
    chosen = preset or data.get("preset")
    plans = {
        # All presets, and not the chosen one alone: a mistake in the full preset shows with the quick run, hours
        # earlier.
        name: validate(_merged(data, table) | {"preset": name}, f"{source} (preset {name})")
        for name, table in presets.items()
    }
    if chosen in plans:
        return plans[chosen]
    if presets:
        if chosen is None:
            raise ExperimentFileError(
                f"{source}: it has presets but names no default; add a line such as: preset = {next(iter(presets))!r}"
            )
        raise UnknownNameError(f"preset of {source}", str(chosen), presets)
    if preset is not None and preset != data.get("preset", preset):
        raise UnknownNameError(f"preset of {source}", preset, [str(data["preset"])])
    if preset is not None and "preset" not in data:
        raise ExperimentFileError(f"{source}: it has no presets, so that {preset!r} cannot be chosen")
    return validate(data, source)


def experiment_from(data: dict[str, Any], source: str) -> Experiment:
    """An experiment from a table without presets, as a run folder keeps it.

    Args:
        data: the table.
        source: what an error message calls it; a file of rows is found from its folder.

    Raises:
        ExperimentFileError: a key is unknown or a value out of range.
    """
    if "factors" in data:
        raise ExperimentFileError(
            f"{source}: it crosses factors; load it with shoal.experiments.crossed.load_crossed, or give it to "
            "shoal run"
        )
    return validated(Experiment, located_rows(source, data), source)


def _shipped() -> Any:
    return resources.files("shoal.experiments") / "files"


def _read(path_or_name: str | os.PathLike[str]) -> tuple[str, bytes]:
    path = Path(path_or_name)
    # A bare word is the name of a shipped experiment and all else a file, so that each mistake gets its own error.
    if path.suffix != ".toml" and len(path.parts) == 1 and not path.is_file():
        if str(path) not in shipped_experiments():
            raise UnknownNameError("experiment", str(path), shipped_experiments())
        return f"{path}.toml", (_shipped() / f"{path}.toml").read_bytes()
    try:
        return str(path), path.read_bytes()
    except OSError as error:
        raise ExperimentFileError(
            f"{path}: {error.strerror or error}; give a TOML file or one of: {', '.join(shipped_experiments())}"
        ) from error


def parse_toml(source: str, text: bytes) -> dict[str, Any]:
    """The table of a TOML file.

    Args:
        source: what an error message calls it.
        text: its bytes.

    Raises:
        ExperimentFileError: it is not UTF-8, or broken.
    """
    try:
        # A mark at the beginning, which some editors write, is no part of the text.
        return tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise ExperimentFileError(f"{source}: line {line} is not UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ExperimentFileError(f"{source}: broken TOML: {uncapital(str(error))}") from error


def read_named_table(path: str | os.PathLike[str], *, kind: str, default_name: str) -> Table:
    """The table of a file, with a name that is made of the file's where it has none.

    Args:
        path: a TOML file.
        kind: what the file holds, with an example, for the error message: ``a sweep``.
        default_name: the name where no letter or digit of the file's own is left.

    Raises:
        ExperimentFileError: the file cannot be read, is not UTF-8, or is broken.
    """
    file = Path(path)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ExperimentFileError(f"{file}: {error.strerror or error}; give a TOML file with {kind}") from error
    return {"name": name_from_file(file, default_name)} | parse_toml(str(file), text)


def with_changes(table: Mapping[str, Any], values: Mapping[str, Any] | None) -> Table:
    """A table with changes by dotted key; the given one stays as it is.

    Args:
        table: of a file.
        values: such as ``{"seeds": 5, "training.learning_rate": 1e-4, "corpus.NAME.documents": 9}``; None for none.

    Raises:
        ExperimentFileError: a key leads through a value that is no table, or to no entry of a list.
    """
    changed = copy.deepcopy(dict(table))
    for key, value in (values or {}).items():
        _put(changed, key, value)
    return changed


def _put(table: Table, key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = table
    for depth, step in enumerate(path):
        if isinstance(place, list):
            place = _in_list(place, step, key)
        elif isinstance(place, dict) and isinstance(place.get(step), (dict, list)):
            place = place[step]
        elif isinstance(place, dict) and (step not in place or place[step] is None):
            place[step] = {}  # an unknown table is found by the validation, with the nearest name
            place = place[step]
        else:
            raise ExperimentFileError(f"{'.'.join(path[: depth + 1])} is no table, so {key!r} cannot be set")
    if isinstance(place, list):
        _in_list(place, last, key)
        raise ExperimentFileError(f"{key!r} names a whole entry; say which of its keys, as {key}.KEY")
    if not isinstance(place, dict):
        raise ExperimentFileError(f"{'.'.join(path)} is no table, so {key!r} cannot be set")
    place[last] = value


def _in_list(entries: list[Any], step: str, key: str) -> Any:
    """An entry by its name or its place."""
    if entries and not any(isinstance(entry, dict) for entry in entries):
        whole = key[: key.rindex(f".{step}")]
        raise ExperimentFileError(f"{key!r}: the entries of {whole} have no keys; give all of them, as {whole}=[...]")
    named = [entry for entry in entries if isinstance(entry, dict) and entry.get("name") == step]
    if named:
        return named[0]
    if step.isdecimal() and int(step) < len(entries):
        return entries[int(step)]
    known = ", ".join(str(entry.get("name", place)) for place, entry in enumerate(entries)) or "none"
    raise ExperimentFileError(f"{key!r}: there is no entry {step!r}; there are {known}")


def located_source(table: Any, folder: Path) -> Any:
    """A table whose ``source`` is found from a folder, so that a plan means the same from anywhere.

    Args:
        table: of a file; a source of the hub stays as it is.
        folder: from which a path is found.
    """
    from shoal.corpora import HUB

    source = table.get("source") if isinstance(table, dict) else None
    if not isinstance(source, str) or source.startswith(HUB):
        return table
    return table | {"source": str(folder.resolve() / Path(source).expanduser())}


def validated(kind: type[M], table: Mapping[str, Any], source: str) -> M:
    """The plan of a table.

    Args:
        kind: of plan.
        table: its keys.
        source: what an error message calls it.

    Raises:
        ExperimentFileError: a key is unknown or a value out of range.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise ExperimentFileError(f"{source}: {fault_line(error, kind)}") from error


def name_from_file(file: Path, otherwise: str) -> str:
    """A name that may stand in a path, from the name of a settings file.

    Args:
        file: the settings file.
        otherwise: the name where no letter or digit of the file's own is left.
    """
    return (
        "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem).strip("-")
        or otherwise
    )


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes laid over it, table by table."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if both else value
    return result


def located_rows(source: str, data: dict[str, Any]) -> dict[str, Any]:
    """The table with its files (of rows, of a rule, of shortcuts) found from where the experiment file lies.

    Args:
        source: the experiment file, its preset behind it where it has one.
        data: its table.
    """
    task = data.get("task")
    if not isinstance(task, dict):
        return data
    folder = Path(source).parent.resolve()
    # An absolute path stays as it is by the rules of ``/``, so that a run's own file may be read again.
    found: dict[str, Any] = {}
    if isinstance(task.get("rows"), str):
        found["rows"] = str(folder / task["rows"])
    if isinstance(task.get("rule"), str):
        found["rule"] = _located_callable(folder, task["rule"])
    shortcuts = task.get("shortcuts")
    if isinstance(shortcuts, dict):
        found["shortcuts"] = {
            name: _located_callable(folder, spec) if isinstance(spec, str) else spec for name, spec in shortcuts.items()
        }
    return data | {"task": task | found}


def _located_callable(folder: Path, name: str) -> str:
    """``FILE.py:FUNCTION`` with the file found from the folder; ``MODULE:FUNCTION`` as it is."""
    place, colon, function = name.rpartition(":")
    return f"{folder / place}{colon}{function}" if place.endswith(".py") else name
