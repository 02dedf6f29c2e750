"""TensorBoard: event files in the run folder's ``tensorboard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.tensorboard import SummaryWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class TensorBoardTracker:
    """Writes one event file a part of a training."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder / "tensorboard"
        self._settings = settings
        self._writer: SummaryWriter | None = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step; those of a part that was killed are dropped from this step on."""
        for key, value in values.items():
            self._open(step).add_scalar(key, value, step)

    def say(self, step: int, samples: Mapping[str, str]) -> None:
        """Samples as text."""
        for prompt, text in samples.items():
            self._open(step).add_text(prompt, text, step)

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, step: int) -> SummaryWriter:
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=step or None)
            lines = "\n".join(f"    {key} = {value!r}" for key, value in self._settings.items())
            self._writer.add_text("recipe", lines, step)
        return self._writer


def open_tracker(folder: Path, settings: Mapping[str, Any], _name: str) -> TensorBoardTracker:
    """The tracker of a run folder."""
    return TensorBoardTracker(folder, settings)
