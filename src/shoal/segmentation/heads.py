"""A linear head: how likely each class makes a sentence, from features that have names.

A sentence's features are shares; the head takes their square roots, so that frequent features do not drown rare ones
(the Hellinger transform), and multiplies them with a weight for each class. The result is the log-likelihood of the
sentence under the class, up to what all classes share.

How probable each class is of a whole segment is another question: sentences of a text are alike, so the evidence of n
of them does not grow with n. What counts is the mean log-likelihood of a sentence, times a scale (a temperature: Guo et
al. 2017, ICML), and one more class, whose score is constant, stands for every text of none of the classes (an open set:
Bendale and Boult 2016, CVPR); a segment that no class explains better than the others do falls to it.

A head is a folder of two files: `head.json` (classes, features, where it comes from) and `head.safetensors` (weights).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax

from shoal.errors import CorruptModelError, UnavailableError
from shoal.segmentation.sentence_features import READERS

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

NONE = "none of these"
"""The class of a segment that is of no class of the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSet:
    """Turns the likelihoods of a segment's sentences into probabilities; fitted by `shoal.segmentation.calibration`."""

    scale: float
    """Of the mean log-likelihood of a sentence."""

    none: float
    """The constant score of none of the classes."""

    def probabilities(self, mean_C: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of each class and, last, of none of them (C + 1).

        Args:
            mean_C: the mean log-likelihood of a sentence under each class, as a head gives it.
        """
        # Likelihoods are known up to a constant; against their mean over classes the score of none is comparable.
        scores = self.scale * (mean_C - mean_C.mean())
        found: NDArray[np.float64] = softmax(np.append(scores, self.none))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierHead:
    """Weights of named features for each class."""

    classes: tuple[str, ...]

    features: tuple[str, ...]

    weights_FC: NDArray[np.float32]
    """Features by classes."""

    bias_C: NDArray[np.float32]

    reader: str
    """How a sentence is read, one of `shoal.segmentation.sentence_features.READERS`."""

    evidence_scale: float
    """The factor on a sentence's log-likelihoods, below 1 since sentences of a text are alike: the temperature at which
    held-out texts are predicted best."""

    source: str
    """What it was trained on, with the licence."""

    open_set: OpenSet | None = None
    """Gives the probability of each class of a whole segment, and of none of them; None where that was not fitted."""

    def judge(self, sentences: Sequence[str]) -> tuple[str, float]:
        """The most probable class of all sentences together, which may be none of them, and its probability."""
        likelihoods_NC = self.likelihoods(sentences)
        if self.open_set is None:
            found = class_probabilities(likelihoods_NC)
        else:
            found = self.open_set.probabilities(likelihoods_NC.mean(axis=0))
        best = int(found.argmax())
        return (*self.classes, NONE)[best], float(found[best])

    def likelihoods(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """The log-likelihood of each sentence under each class (sentences × classes), up to a constant per sentence."""
        roots = feature_matrix(sentences, self.features, self.reader).sqrt()
        likelihoods: NDArray[np.float64] = self.evidence_scale * (
            roots @ self.weights_FC.astype(np.float64) + self.bias_C
        )
        return likelihoods

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the two files; the folder is made where there is none."""
        from safetensors.numpy import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # Half the size. Training rounds in the same way, so nothing is lost here.
        weights = save({"weights": self.weights_FC.astype(np.float16), "bias": self.bias_C})
        (folder / "head.safetensors").write_bytes(weights)
        rest = {name: getattr(self, name) for name in ("classes", "features", "reader", "evidence_scale", "source")}
        if self.open_set is not None:
            rest["open_set"] = asdict(self.open_set)
        # With one name per line a changed head gives a readable diff.
        (folder / "head.json").write_text(json.dumps(rest, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def load_head(folder: str | os.PathLike[str]) -> ClassifierHead:
    """Read a head.

    Raises:
        UnavailableError: the folder holds no head.
        CorruptModelError: its files do not fit together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    folder = Path(folder)
    names, weights = folder / "head.json", folder / "head.safetensors"
    for file in (names, weights):
        if not file.is_file():
            raise UnavailableError(f"{folder} has no {file.name}; expected the folder of a head that was saved")
    try:
        rest = json.loads(names.read_text(encoding="utf-8"))
        arrays = load_file(weights)
        return _checked(rest, arrays)
    except (SafetensorError, ValueError, KeyError, TypeError) as fault:
        raise CorruptModelError(f"{folder} is not a whole head ({fault}); save it again") from fault


def shipped_head(name: str) -> ClassifierHead:
    """A head that comes with shoal: ``"register"`` or ``"emotion"``."""
    with resources.as_file(resources.files("shoal.segmentation") / "trained" / name) as folder:
        return load_head(folder)


def feature_matrix(sentences: Sequence[str], features: Sequence[str], reader: str) -> Any:
    """The share of each feature in each sentence: a SciPy CSR array (sentences × features).

    Args:
        sentences: any strings.
        features: the names of the columns; a sentence's other features are left out.
        reader: a key of `READERS`.
    """
    place = {name: column for column, name in enumerate(features)}
    rows, columns, values = [], [], []
    for row, sentence in enumerate(sentences):
        for name, value in READERS[reader](sentence).items():
            if name in place:
                rows.append(row)
                columns.append(place[name])
                values.append(value)
    return sparse.csr_array((np.array(values, dtype=float), (rows, columns)), shape=(len(sentences), len(features)))


def class_probabilities(likelihoods_NC: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of each class of all sentences together (C), under a uniform prior.

    Args:
        likelihoods_NC: log-likelihoods of the sentences.
    """
    total = np.asarray(likelihoods_NC, dtype=np.float64).sum(axis=0)
    probabilities: NDArray[np.float64] = np.exp(total - logsumexp(total))
    return probabilities


def _checked(rest: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ClassifierHead:
    head = ClassifierHead(
        classes=tuple(rest["classes"]),
        features=tuple(rest["features"]),
        weights_FC=arrays["weights"].astype(np.float32),
        bias_C=arrays["bias"].astype(np.float32),
        reader=rest["reader"],
        evidence_scale=float(rest["evidence_scale"]),
        source=rest["source"],
        open_set=OpenSet(**{name: float(value) for name, value in rest["open_set"].items()})
        if "open_set" in rest
        else None,
    )
    expected = (len(head.features), len(head.classes))
    if head.weights_FC.shape != expected or head.bias_C.shape != expected[1:] or head.reader not in READERS:
        raise ValueError(f"weights of shape {head.weights_FC.shape} for {expected[0]} features, {expected[1]} classes")
    return head
