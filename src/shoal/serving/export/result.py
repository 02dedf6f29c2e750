"""What an export wrote, and what the comparison with the source found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.serving.export.verification import ExportVerification


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A file that holds weights."""

    name: str
    """Its path inside the folder."""

    size: int
    """In bytes."""

    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelExport:
    """A model that was exported."""

    source: str
    """Its model spec."""

    source_digest: str
    """SHA-256 of the source's settings and weights in float32, as `shoal.models.model_digest` gives it."""

    format: str
    dtype: str
    """The number format of the matrices."""

    architecture: str
    """The class of `transformers`."""

    parameters: int
    folder: Path
    files: tuple[ExportedFile, ...]
    """Those that hold weights."""

    details: dict[str, Any]
    """What else is to be known of the format: the splitting rule of GGUF, the opset of ONNX."""

    verification: ExportVerification

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        files = [asdict(file) for file in self.files]
        checked = self.verification.to_dict()
        return asdict(self) | {"folder": str(self.folder), "files": files, "verification": checked}

    def __str__(self) -> str:
        details = "".join(f", {name} {value}" for name, value in self.details.items())
        lines = [f"{self.source} written to {self.folder} as {self.format} ({self.dtype}{details})"]
        lines += [f"{file.name}: {file.size:,} bytes, sha256 {file.sha256}" for file in self.files]
        return "\n".join([*lines, *self.verification.lines()])
