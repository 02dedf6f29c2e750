"""trackio: a local dashboard's data, in TRACKIO_DIR where it is set, else in trackio's own folder."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import trackio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROJECT = "shoal-pretrain"


class TrackioTracker:
    """One trackio run a run folder."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        self._run.log(dict(values), step=step)

    def say(self, step: int, samples: Mapping[str, str]) -> None:
        """Samples as text."""
        self._run.log({f"sample: {prompt}": said for prompt, said in samples.items()}, step=step)

    def close(self) -> None:
        """Send what is left."""
        with redirect_stdout(sys.stderr):
            trackio.finish()


def open_tracker(folder: Path, settings: Mapping[str, Any], name: str) -> TrackioTracker:
    """The tracker of a run folder."""
    with redirect_stdout(sys.stderr):  # standard output is for results
        run = trackio.init(project=_PROJECT, name=f"{name} {folder.name}", config=dict(settings), resume="allow")
    return TrackioTracker(run)
