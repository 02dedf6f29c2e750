"""Where a training is shown besides its own records: TensorBoard, MLflow, trackio, Weights & Biases."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from shoal.errors import MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

TRACKERS = ("tensorboard", "mlflow", "trackio", "wandb")


class Tracker(Protocol):
    """One of them, open for one training."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        ...

    def say(self, step: int, samples: Mapping[str, str]) -> None:
        """What the model says at a step, by prompt."""
        ...

    def close(self) -> None:
        """Send what is left."""
        ...


def open_trackers(names: Sequence[str], folder: Path, settings: Mapping[str, Any], *, name: str) -> list[Tracker]:
    """Open trackers, each with a folder of its own below the run folder where it keeps local files.

    Args:
        names: of the trackers.
        folder: the run folder.
        settings: what the training is, flat.
        name: of the run.

    Raises:
        UnknownNameError: no tracker has that name.
        MissingExtraError: its package is not installed.
    """
    opened: list[Tracker] = []
    for one in names:
        if one not in TRACKERS:
            raise UnknownNameError("tracker", one, TRACKERS)
        try:
            room = importlib.import_module(f"{__name__}.{one}_tracker")
        except ImportError as error:
            raise MissingExtraError("trackers", f"the tracker {one}") from error
        opened.append(room.open_tracker(folder, settings, name))
    return opened


def flat(table: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Nested tables as one, by dotted key."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{place}{key}.")
        else:
            found[f"{place}{key}"] = value
    return found
