"""The file of a crossed experiment, read with errors that name the file, the key and the nearest known key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.crossed.plan import CrossedExperiment
from shoal.experiments.loading import located_rows, read_plan, validated

if TYPE_CHECKING:
    import os


def load_crossed(path: str | os.PathLike[str], preset: str | None = None) -> CrossedExperiment:
    """Read the file of a crossed experiment.

    Args:
        path: a TOML file with a table ``[factors]``.
        preset: one of the file's presets; None for the file's default.

    Raises:
        UnknownNameError: no preset of the file has that name.
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    return read_plan(path, preset, crossed_from)


def crossed_from(data: dict[str, Any], source: str) -> CrossedExperiment:
    """A crossed experiment from a table without presets, as a run folder keeps it.

    Args:
        data: the table.
        source: what an error message calls it; files of rows are found from its folder.

    Raises:
        ExperimentFileError: a key is unknown or a value out of range.
    """
    return validated(CrossedExperiment, _located(source, located_rows(source, data)), source)


def _located(source: str, data: dict[str, Any]) -> dict[str, Any]:
    """The table with the pilot, and the files of rows of task levels, found from where the file lies."""
    design, factors = data.get("design"), data.get("factors")
    if isinstance(design, dict) and isinstance(design.get("pilot"), str):
        data = data | {"design": design | {"pilot": str(Path(source).parent.resolve() / design["pilot"])}}
    levels = factors.get("task") if isinstance(factors, dict) else None
    if isinstance(factors, dict) and isinstance(levels, dict):
        placed = {
            name: located_rows(source, {"task": level})["task"] if isinstance(level, dict) else level
            for name, level in levels.items()
        }
        data = data | {"factors": factors | {"task": placed}}
    return data
