"""Weights & Biases: as its own variables say (WANDB_MODE=offline keeps all in the run folder's ``wandb``)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import wandb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROJECT = "shoal-pretrain"


class WandbTracker:
    """One W&B run a run folder, gone on with after a kill."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        self._run.log(dict(values), step=step)

    def say(self, step: int, samples: Mapping[str, str]) -> None:
        """Samples as a table."""
        rows = [[prompt, said] for prompt, said in samples.items()]
        self._run.log({"samples": wandb.Table(columns=["prompt", "text"], data=rows)}, step=step)

    def close(self) -> None:
        """Send what is left."""
        self._run.finish()


def open_tracker(folder: Path, settings: Mapping[str, Any], name: str) -> WandbTracker:
    """The tracker of a run folder."""
    # The same folder is the same run.
    known = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    run = wandb.init(
        project=_PROJECT,
        name=name,
        id=known,
        resume="allow",
        dir=str(folder),
        config=dict(settings),
        reinit="create_new",
    )
    return WandbTracker(run)
