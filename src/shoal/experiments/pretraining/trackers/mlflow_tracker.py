"""MLflow: at MLFLOW_TRACKING_URI where it is set, else in a database in the run folder's ``mlflow``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXPERIMENT = "shoal pretrain"
_AT_ONCE = 500
_LONGEST_PARAMETER = 500


class MlflowTracker:
    """One MLflow run a run folder, gone on with after a kill; numbers are sent many at a time."""

    def __init__(self, client: MlflowClient, run: str) -> None:
        self._client, self._run = client, run
        self._waiting: list[Metric] = []

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        now = round(time.time() * 1000)
        self._waiting += [Metric(key, float(value), now, step) for key, value in values.items()]
        if len(self._waiting) >= _AT_ONCE:
            self._send()

    def say(self, step: int, samples: Mapping[str, str]) -> None:
        """Samples as a text file a step."""
        text = "\n\n".join(f"{prompt}|{said}" for prompt, said in samples.items())
        self._client.log_text(self._run, text, f"samples/step-{step}.txt")

    def close(self) -> None:
        """Send what is left, and end the run."""
        self._send()
        self._client.set_terminated(self._run)

    def _send(self) -> None:
        if self._waiting:
            self._client.log_batch(self._run, metrics=self._waiting)
        self._waiting = []


def open_tracker(folder: Path, settings: Mapping[str, Any], name: str) -> MlflowTracker:
    """The tracker of a run folder."""
    address, artifacts = os.environ.get("MLFLOW_TRACKING_URI"), None
    if not address:
        home = (folder / "mlflow").resolve()
        home.mkdir(exist_ok=True)
        address, artifacts = f"sqlite:///{home / 'mlflow.db'}", (home / "artifacts").as_uri()
    client = MlflowClient(tracking_uri=address)
    known = folder / "mlflow-run.txt"
    if known.is_file():
        return MlflowTracker(client, known.read_text(encoding="utf-8"))
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    place = experiment.experiment_id if experiment else client.create_experiment(_EXPERIMENT, artifacts)
    run = client.create_run(place, run_name=name).info.run_id
    texts = {key: str(value)[:_LONGEST_PARAMETER] for key, value in settings.items()}
    client.log_batch(run, params=[Param(key, text) for key, text in texts.items() if text])
    known.write_text(run, encoding="utf-8")
    return MlflowTracker(client, run)
