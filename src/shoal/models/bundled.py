"""The models that come with shoal."""

from __future__ import annotations

from pathlib import Path

from shoal.errors import UnknownNameError

BUNDLED = Path(__file__).parent / "bundled"


def bundled_names() -> list[str]:
    """The names that may follow ``bundled:``."""
    if not BUNDLED.is_dir():
        return []
    return sorted(path.name for path in BUNDLED.iterdir() if (path / "config.json").is_file())


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model.

    Raises:
        UnknownNameError: there is none of that name.
    """
    names = bundled_names()
    if name not in names:
        raise UnknownNameError("bundled model", name, names)
    return BUNDLED / name
