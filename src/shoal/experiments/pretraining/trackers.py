"""Where a training is shown besides in its own records: TensorBoard, MLflow, trackio, Weights & Biases.

A tracker is a subclass of `Tracker`, which registers it by its name. Its package is imported when it is opened.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import time
from abc import ABC, abstractmethod
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROJECT = "shoal-pretrain"


class Tracker(ABC):
    """One of them, open for one training.

    Args:
        folder: the run folder; a tracker with local files has a folder of its own in it.
        settings: of the training, by dotted key.
        name: of the run.
    """

    name: ClassVar[str]
    """As recipes name it."""

    registry: ClassVar[dict[str, type[Tracker]]] = {}

    def __init_subclass__(cls) -> None:
        Tracker.registry[cls.name] = cls

    @abstractmethod
    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], name: str) -> None: ...

    @abstractmethod
    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers of a step.

        Args:
            step: from 1.
            values: by name.
        """

    @abstractmethod
    def log_samples(self, step: int, samples: Mapping[str, str]) -> None:
        """Log texts that the model generated after a step.

        Args:
            step: from 0, which is before the first one.
            samples: by prompt.
        """

    @abstractmethod
    def close(self) -> None:
        """Send what is left."""


def open_trackers(names: Sequence[str], folder: Path, settings: Mapping[str, Any], *, name: str) -> list[Tracker]:
    """Open trackers.

    Args:
        names: of the trackers.
        folder: the run folder.
        settings: of the training, by dotted key.
        name: of the run.

    Raises:
        UnknownNameError: no tracker has that name.
        MissingExtraError: its package is not installed.
    """
    opened: list[Tracker] = []
    for one in names:
        if one not in Tracker.registry:
            raise UnknownNameError("tracker", one, tuple(Tracker.registry))
        try:
            opened.append(Tracker.registry[one](folder, settings, name))
        except ImportError as error:
            raise MissingExtraError("trackers", f"the tracker {one}") from error
    return opened


class TensorBoardTracker(Tracker):
    """Event files in the run folder's ``tensorboard``: one for each part of a training that was interrupted."""

    name = "tensorboard"

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], name: str) -> None:  # noqa: ARG002 - a folder is a run
        folder = Path(folder)
        # Opened at the first step that is logged, since only then it is known from which one on old events are dropped.
        self._writers = importlib.import_module("torch.utils.tensorboard").SummaryWriter
        self._folder, self._settings = folder / "tensorboard", settings
        self._writer: Any = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers of a step; those of a part that was killed are dropped from this step on."""
        for key, value in values.items():
            self._open(step).add_scalar(key, value, step)

    def log_samples(self, step: int, samples: Mapping[str, str]) -> None:
        """Log samples as text."""
        for prompt, text in samples.items():
            self._open(step).add_text(prompt, text, step)

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, step: int) -> Any:
        if self._writer is None:
            self._writer = self._writers(str(self._folder), purge_step=step or None)
            lines = "\n".join(f"    {key} = {value!r}" for key, value in self._settings.items())
            self._writer.add_text("recipe", lines, step)
        return self._writer


class MlflowTracker(Tracker):
    """One MLflow run per run folder, resumed after a kill; numbers are sent many at a time.

    It is at MLFLOW_TRACKING_URI where that is set, else in a database in the run folder's ``mlflow``.
    """

    name = "mlflow"

    EXPERIMENT = "shoal pretrain"
    BATCH = 500
    """Numbers that are sent together: a request per step would take longer than the step."""

    MAX_PARAMETER = 500
    """Characters that MLflow takes of a parameter."""

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], name: str) -> None:
        folder = Path(folder)
        mlflow = importlib.import_module("mlflow")
        # The client, and not the module's global run: two trainings in one process must not share it.
        self._entities = importlib.import_module("mlflow.entities")
        self._waiting: list[Any] = []
        address, artifacts = os.environ.get("MLFLOW_TRACKING_URI"), None
        if not address:
            home = (folder / "mlflow").resolve()
            home.mkdir(exist_ok=True)
            address, artifacts = f"sqlite:///{home / 'mlflow.db'}", (home / "artifacts").as_uri()
        self._client = mlflow.MlflowClient(tracking_uri=address)
        known = folder / "mlflow-run.txt"
        if known.is_file():
            self._run = known.read_text(encoding="utf-8")
            return
        self._run = self._begun(artifacts, settings, name)
        # Once the run exists: a kill in between leaves an empty run at the server, and never the name of one that is
        # not there.
        known.write_text(self._run, encoding="utf-8")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers of a step."""
        now = round(time.time() * 1000)
        self._waiting += [self._entities.Metric(key, float(value), now, step) for key, value in values.items()]
        if len(self._waiting) >= self.BATCH:
            self._send()

    def log_samples(self, step: int, samples: Mapping[str, str]) -> None:
        """Log samples as a text file per step."""
        text = "\n\n".join(f"{prompt}|{generated}" for prompt, generated in samples.items())
        self._client.log_text(self._run, text, f"samples/step-{step}.txt")

    def close(self) -> None:
        """Send what is left, and end the run."""
        self._send()
        self._client.set_terminated(self._run)

    def _begun(self, artifacts: str | None, settings: Mapping[str, Any], name: str) -> str:
        """A new run with the settings as its parameters."""
        found = self._client.get_experiment_by_name(self.EXPERIMENT)
        place = found.experiment_id if found else self._client.create_experiment(self.EXPERIMENT, artifacts)
        run: str = self._client.create_run(place, run_name=name).info.run_id
        texts = {key: str(value)[: self.MAX_PARAMETER] for key, value in settings.items()}
        self._client.log_batch(run, params=[self._entities.Param(key, text) for key, text in texts.items() if text])
        return run

    def _send(self) -> None:
        if self._waiting:
            self._client.log_batch(self._run, metrics=self._waiting)
        self._waiting = []


class TrackioTracker(Tracker):
    """One trackio run per run folder: a local dashboard's data, in TRACKIO_DIR or trackio's own folder."""

    name = "trackio"

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], name: str) -> None:
        folder = Path(folder)
        self._trackio = importlib.import_module("trackio")
        run = f"{name} {folder.name}"
        with redirect_stdout(sys.stderr):  # standard output is for results
            self._run = self._trackio.init(project=_PROJECT, name=run, config=dict(settings), resume="allow")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers of a step."""
        self._run.log(dict(values), step=step)

    def log_samples(self, step: int, samples: Mapping[str, str]) -> None:
        """Log samples as text."""
        self._run.log({f"sample: {prompt}": text for prompt, text in samples.items()}, step=step)

    def close(self) -> None:
        """Send what is left."""
        with redirect_stdout(sys.stderr):
            self._trackio.finish()


class WandbTracker(Tracker):
    """One Weights & Biases run per run folder, resumed after a kill.

    It obeys W&B's own variables: WANDB_MODE=offline keeps all in the run folder's ``wandb``.
    """

    name = "wandb"

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], name: str) -> None:
        folder = Path(folder)
        self._wandb = importlib.import_module("wandb")
        # The same folder is the same run.
        known = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._run = self._wandb.init(
            project=_PROJECT,
            name=name,
            id=known,
            resume="allow",
            dir=str(folder),
            config=dict(settings),
            # Two trainings in one process must not end each other's run.
            reinit="create_new",
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers of a step."""
        self._run.log(dict(values), step=step)

    def log_samples(self, step: int, samples: Mapping[str, str]) -> None:
        """Log samples as a table."""
        rows = [[prompt, text] for prompt, text in samples.items()]
        self._run.log({"samples": self._wandb.Table(columns=["prompt", "text"], data=rows)}, step=step)

    def close(self) -> None:
        """Send what is left."""
        self._run.finish()
