"""What is expected of a change, written down before the run that tests it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from shoal.errors import StoreError, UsageError
from shoal.experiments.storage import read_record, write_json

if TYPE_CHECKING:
    import os

Direction = Literal["higher", "lower", "same"]
Quantity = Literal["effect", "treatment", "baseline"]
FILE = "prediction.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePrediction:
    """How the changed run will differ from the base run in the primary measure.

    Raises:
        UsageError: a word that is none of those it can have.
    """

    direction: Direction
    """``same`` is a difference that is smaller than the smallest effect that matters."""

    quantity: Quantity = "treatment"
    """What differs: a mean of an arm on the held-out items, or the effect, which is treatment minus baseline."""

    because: str = ""
    """Why, in a sentence."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("direction", self.direction, get_args(Direction)),
            ("quantity", self.quantity, get_args(Quantity)),
        ):
            if value not in known:
                raise UsageError(f"the {name} of a prediction is {value!r}; give one of {', '.join(known)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        moves = "stays the same" if self.direction == "same" else f"becomes {self.direction}"
        what = "the effect" if self.quantity == "effect" else f"the {self.quantity}'s held-out score"
        return f"{what} {moves}{f', because {self.because}' if self.because else ''}"


def state_prediction(prediction: ChangePrediction, folder: str | os.PathLike[str]) -> None:
    """Write a prediction down before the run.

    Args:
        prediction: what is expected.
        folder: of the base run and the changed one, in ``base`` and ``changed``.

    Raises:
        StoreError: the changed run has a result already and another prediction was made, or none: what is predicted
            afterwards is no prediction.
    """
    folder = Path(folder)
    held = read_prediction(folder)
    if held == prediction:
        return
    if (folder / "changed" / "verdict.json").is_file():
        before = f"it was: {held}" if held else "none was made"
        raise StoreError(
            f"the changed run in {folder} has come to its end, so that its prediction stands ({before}); "
            "begin another folder for another prediction"
        )
    write_json(folder / FILE, prediction.to_dict())


def read_prediction(folder: str | os.PathLike[str]) -> ChangePrediction | None:
    """The prediction of a folder; None where none was made.

    Args:
        folder: in which `state_prediction` wrote it.

    Raises:
        StoreError: the file is damaged.
    """
    return read_record(Path(folder) / FILE, ChangePrediction)
