"""What a studio shows, and to whom."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

STATE_FOLDER = ".shoal-studio"
"""Of the folder of runs: the index, the lock and the jobs of its studio."""

MIN_TOKEN = 16
"""Characters of a token: a shorter one could be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioSettings:
    """The folders and models of a studio. `make_settings` checks them."""

    folder: Path
    """The folder of runs; nothing outside of it and of what follows is shown."""

    examples: tuple[Path, ...] = ()
    """Experiment files that can be started, besides those that come with shoal."""

    corpora: tuple[Path, ...] = ()
    """Corpora that can be looked at."""

    models: tuple[str, ...] = ()
    """Model specs of the playground, besides the bundled models and those that were pretrained in the folder."""

    read_only: bool = False
    """Start, stop and resume nothing, and write nothing into the folder."""

    token: str
    """What opens the studio."""

    @property
    def state(self) -> Path:
        """Where the studio keeps its index and its jobs."""
        return self.folder / STATE_FOLDER


def make_settings(
    folder: str | os.PathLike[str],
    *,
    examples: Sequence[str | os.PathLike[str]] = (),
    corpora: Sequence[str | os.PathLike[str]] = (),
    models: Sequence[str] = (),
    read_only: bool = False,
    token: str | None = None,
) -> StudioSettings:
    """Settings whose files are there.

    Args:
        folder: of runs; made where it does not exist, unless ``read_only``.
        examples: experiment files, or folders of them.
        corpora: files of texts.
        models: model specs of the playground.
        read_only: start nothing and write nothing.
        token: what opens the studio; None for a random one.

    Raises:
        UsageError: a file or folder is not there, or the token is too short.
    """
    root = Path(folder).expanduser()
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; give the folder that holds the runs")
    if not root.is_dir() and read_only:
        raise UsageError(f"there is no folder {root}; give the folder that holds the runs")
    root.mkdir(parents=True, exist_ok=True)
    if token is not None and not (len(token) >= MIN_TOKEN and token.isascii() and token.isprintable()):
        raise UsageError(f"the token has {len(token)} characters; give at least {MIN_TOKEN} printable ASCII characters")
    return StudioSettings(
        # Resolved once: later checks for symbolic links begin below it, and a root that is one itself stays allowed.
        folder=root.resolve(),
        examples=tuple(plan for path in examples for plan in _plans(Path(path))),
        corpora=tuple(_file(Path(path)) for path in corpora),
        models=tuple(models),
        read_only=read_only,
        token=token if token is not None else secrets.token_urlsafe(24),
    )


def _plans(path: Path) -> list[Path]:
    """The TOML files that are meant by a path."""
    if path.is_dir():
        return sorted(path.resolve().glob("*.toml"))
    return [_file(path)]


def _file(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"there is no file {path}; check its path")
    return path.resolve()
