"""The folder of an exploration: a file of Python to work in, and what came out of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError
from shoal.experiments.exploration.outcome import judge_prediction
from shoal.experiments.exploration.prediction import read_prediction
from shoal.experiments.run_folder import open_run
from shoal.experiments.storage import write_text

if TYPE_CHECKING:
    import os

    from shoal.experiments.exploration.outcome import PredictionOutcome
    from shoal.experiments.exploration.prediction import ChangePrediction
    from shoal.experiments.verdict import Verdict

NOTEBOOK = "explore.py"
BASE, CHANGED = "base", "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """How far an exploration is."""

    folder: Path
    base: Verdict | None
    """Of the counting experiment as it stands; None before it has come to its end."""

    changed: Verdict | None
    prediction: ChangePrediction | None
    outcome: PredictionOutcome | None
    """Where both runs have come to their end, and a prediction was made."""

    @property
    def notebook(self) -> Path:
        """The file of Python."""
        return self.folder / NOTEBOOK

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "folder": str(self.folder),
            "notebook": str(self.notebook),
            "base": self.base and self.base.to_dict(),
            "changed": self.changed and self.changed.to_dict(),
            "prediction": self.prediction and self.prediction.to_dict(),
            "outcome": self.outcome and self.outcome.to_dict(),
        }

    def __str__(self) -> str:
        if self.outcome is not None:
            return str(self.outcome)
        steps = [
            ("the counting experiment as it stands", self.base is not None),
            ("a prediction", self.prediction is not None),
            ("the experiment with one thing changed", self.changed is not None),
        ]
        done = [f"{'done' if finished else 'to do'}  {name}" for name, finished in steps]
        return "\n".join([*done, f"next: python {self.notebook}"])


def write_exploration(folder: str | os.PathLike[str]) -> Path:
    """Write the file of Python of an exploration; one that is there stays as it is, since it is worked in.

    Args:
        folder: made where it does not exist.

    Returns:
        The path of the file.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = Path(folder) / NOTEBOOK
    if Path(folder).exists() and not Path(folder).is_dir():
        raise StoreError(f"{folder} is a file; give a folder for the exploration")
    if not path.exists():
        write_text(path, notebook_text())
    return path


def notebook_text() -> str:
    """The file of Python as it is written: cells in the percent format, which runs by itself."""
    return resources.files(__package__).joinpath("templates", "explore.txt").read_text(encoding="utf-8")


def open_exploration(folder: str | os.PathLike[str]) -> Exploration:
    """How far an exploration is.

    Args:
        folder: as `write_exploration` made it.

    Raises:
        StoreError: a record in it is damaged.
        UsageError: the two runs cannot be compared.
    """
    folder = Path(folder)
    verdicts = {name: _verdict(folder / name) for name in (BASE, CHANGED)}
    prediction = read_prediction(folder)
    outcome = None
    if prediction is not None and all(verdicts.values()):
        outcome = judge_prediction(prediction, folder / BASE, folder / CHANGED)
    return Exploration(
        folder=folder, base=verdicts[BASE], changed=verdicts[CHANGED], prediction=prediction, outcome=outcome
    )


def _verdict(folder: Path) -> Verdict | None:
    return open_run(folder).verdict if (folder / "experiment.toml").is_file() else None
