"""What a pretraining gives back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.storage import read_json_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.training import CurvePoint


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutScore:
    """How well the model expects the held-out documents of one corpus."""

    bits_per_byte: float
    """Cross-entropy in bits a byte of UTF-8, end tokens included; the first token is predicted too."""

    low: float
    high: float
    """95% bootstrap interval over documents."""

    documents: int
    size: int
    """Bytes of the scored documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorised:
    """Prefixes whose true continuation is what the model says greedily, among training and among held-out texts."""

    training: int
    training_prefixes: int
    held_out: int
    held_out_prefixes: int
    prefix_tokens: int
    tokens: int
    """How many tokens had to be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainResult:
    """A model that has been trained, and what was measured of it."""

    folder: Path
    """The run folder; the model is in its ``model`` folder."""

    parameters: int
    tokens: int
    """Tokens that were trained on."""

    steps: int
    seconds: float
    """Wall-clock seconds of training, all parts of a resumed one counted."""

    cpu_seconds: float
    """CPU-seconds of training, likewise."""

    precision: str
    curve: tuple[CurvePoint, ...]
    held_out: Mapping[str, HeldOutScore]
    """By corpus; a corpus with nothing held out is missing."""

    memorised: Memorised | None

    @property
    def model(self) -> Path:
        """The folder that ``AutoModelForCausalLM.from_pretrained`` loads."""
        return self.folder / "model"

    @property
    def bits_per_byte(self) -> dict[str, float]:
        """Held-out bits a byte by corpus."""
        return {name: score.bits_per_byte for name, score in self.held_out.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the curve is left to its own file."""
        values = asdict(self)
        del values["curve"]
        return values | {"folder": str(self.folder), "model": str(self.model)}


def result_of(folder: str | Path, done: Mapping[str, Any]) -> PretrainResult:
    """The result of a run folder.

    Args:
        folder: in which the records lie.
        done: what its ``done.json`` holds.
    """
    from shoal.training import CurvePoint

    folder = Path(folder)
    names = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
    parsed = {
        "held_out": {name: HeldOutScore(**score) for name, score in done["held_out"].items()},
        "memorised": None if done["memorised"] is None else Memorised(**done["memorised"]),
    }
    rows = read_json_rows(folder / "metrics.jsonl")
    curve = tuple(CurvePoint(**{name: row[name] for name in names}) for row in rows)
    return PretrainResult(folder=folder, curve=curve, **(dict(done) | parsed))
