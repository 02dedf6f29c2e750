"""A head that scores documents: a linear function of their vectors, in a folder of two files.

`head.json` has the classes, the threshold, the vectors that it reads and where it comes from; `head.safetensors` the
weights. No pickle is read or written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.curation.classifier.vectorizers import make_vectorizer
from shoal.errors import CorruptModelError, ModelError, UnavailableError
from shoal.files import atomic_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.curation.classifier.vectorizers import Vectorizer

_FIELDS = ("vectors", "digest", "low", "high", "threshold", "cut", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityHead:
    """Scores documents on the scale of the labels that it was trained on."""

    weights_D: NDArray[np.float32]
    bias: float
    vectors: str
    """The spec of the vectors that it reads."""

    digest: str
    """Of what is behind the vectors; empty where nothing is."""

    low: int
    high: int
    """The lowest and the highest label."""

    threshold: int
    """The label from which on a document is good."""

    cut: float
    """The score from which on a document is taken as good."""

    source: str
    """What the labels are."""

    def vectorizer(self) -> Vectorizer:
        """What turns texts into its vectors.

        Raises:
            ModelError: what is behind the vectors is not what the head was trained with.
            ShoalError: it cannot be loaded.
        """
        found = make_vectorizer(self.vectors)
        if found.digest != self.digest:
            raise ModelError(
                f"{self.vectors} is not what the head was trained with (digest {found.digest[:12]}, expected "
                f"{self.digest[:12]}); give the same file or model, or train the head again"
            )
        return found

    def score(self, vectors_ND: NDArray[np.floating]) -> NDArray[np.float64]:
        """The scores of documents by their vectors, shape (N,), within the scale of the labels."""
        found: NDArray[np.float64] = np.clip(
            np.asarray(vectors_ND, dtype=np.float64) @ self.weights_D.astype(np.float64) + self.bias,
            self.low,
            self.high,
        )
        return found

    def score_texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The scores of documents by their texts, shape (N,)."""
        return self.score(self.vectorizer().encode(texts))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the two files; a folder that is there is replaced whole."""
        from safetensors.numpy import save_file

        with atomic_folder(Path(folder)) as fresh:
            save_file(
                {"weights": self.weights_D, "bias": np.array([self.bias], dtype=np.float64)}, fresh / "head.safetensors"
            )
            rest = {name: getattr(self, name) for name in _FIELDS}
            (fresh / "head.json").write_text(json.dumps(rest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_quality_head(folder: str | os.PathLike[str]) -> QualityHead:
    """Read a head.

    Raises:
        UnavailableError: the folder holds no head.
        CorruptModelError: its files do not fit together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    names, weights = Path(folder) / "head.json", Path(folder) / "head.safetensors"
    for file in (names, weights):
        if not file.is_file():
            raise UnavailableError(f"{folder} has no {file.name}; expected the folder that shoal curate train wrote")
    try:
        rest: dict[str, Any] = json.loads(names.read_text(encoding="utf-8"))
        arrays = load_file(weights)
        head = QualityHead(
            weights_D=arrays["weights"].astype(np.float32),
            bias=float(arrays["bias"][0]),
            **{name: rest[name] for name in _FIELDS},
        )
    except (SafetensorError, ValueError, KeyError, TypeError, IndexError) as fault:
        raise CorruptModelError(f"{folder} is not a whole head ({fault}); train it again") from fault
    if head.weights_D.ndim != 1 or not all(isinstance(one, int) for one in (head.low, head.high, head.threshold)):
        raise CorruptModelError(f"{folder} is not a whole head (weights or scale of a wrong form); train it again")
    return head
