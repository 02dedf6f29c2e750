"""Functions of the user's, named on the command line or in a file: ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def import_callable(name: str, *, what: str, takes: str) -> Callable[..., Any]:
    """The callable that a name stands for.

    Args:
        name: ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION``.
        what: what it is for, in an error message.
        takes: its arguments, in an error message.

    Raises:
        UsageError: the name is none, there is no such module, file or callable, or the file cannot be imported.
    """
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise UsageError(f"the {what} {name!r} is not MODULE:FUNCTION or FILE.py:FUNCTION; name the callable so")
    module = _module_from_file(Path(place), what) if place.endswith(".py") else _module_by_name(place, what)
    found = getattr(module, attribute, None)
    if not callable(found):
        raise UsageError(f"{place} has no callable {attribute!r}; name a function of {takes}")
    return found  # type: ignore[no-any-return]  # what a user's module holds is not known to the type checker


def _module_by_name(name: str, what: str) -> object:
    # An installed command has its own folder first in the path, and not the working folder as ``python -m`` has.
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        raise UsageError(f"no module named {fault.name!r} for the {what}; is it on the path?") from fault


def _module_from_file(path: Path, what: str) -> object:
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give the file that holds the {what}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # a .py file always has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Before it is executed, as the import system does: dataclasses and pickle look their module up there.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        raise UsageError(f"{path} cannot be imported for the {what}: {type(fault).__name__}: {fault}") from fault
    return module
