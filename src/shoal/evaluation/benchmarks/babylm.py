"""BabyLM's evaluation folder (``evaluation_data/full_eval`` or ``fast_eval`` of the 2025 challenge; 2024's fits too).

Each task is a folder of JSON lines; a line becomes the sentences that are compared, each as what stands before the part
that is scored and that part. The right one is always the first. The layout and the groups over which accuracies are
averaged are those of babylm/evaluation-pipeline-2025 (``sentence_zero_shot/read_files.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UnknownNameError
from shoal.textfiles import read_json_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.evaluation.benchmarks.documents import Document

Row = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True)
class BabyLMPart:
    """One task of the folder: where it lies, and how a line of it is read."""

    folders: tuple[str, ...]
    """Names of its folder in the full and in the fast evaluation."""

    read: Callable[[Mapping[str, Any], str], Document]


def _document(pairs: list[tuple[str, str]], paradigm: str, ratio: float | None = None) -> Document:
    contexts, continuations = ([pair[side] for pair in pairs] for side in (0, 1))
    found: Document = {"contexts": contexts, "continuations": continuations, "paradigm": paradigm}
    return found if ratio is None else found | {"ratio": ratio}


def _blimp(row: Mapping[str, Any], stem: str) -> Document:
    # The supplement names no paradigm within its lines.
    paradigm = str(row["UID"]) if "field" in row else stem
    return _document([("", str(row["sentence_good"])), ("", str(row["sentence_bad"]))], paradigm)


def _ewok(row: Mapping[str, Any], _stem: str) -> Document:
    context = str(row["Context1"])
    return _document([(context, f" {row[name]}") for name in ("Target1", "Target2")], str(row["Domain"]))


def _entity_tracking(row: Mapping[str, Any], stem: str) -> Document:
    context = str(row["input_prefix"])
    return _document([(context, str(option)) for option in row["options"]], f"{stem}_{row['numops']}_ops")


def _comps(row: Mapping[str, Any], stem: str) -> Document:
    phrase = str(row["property_phrase"])
    names = ("prefix_acceptable", "prefix_unacceptable")
    return _document([(f"{row[name]} ", phrase) for name in names], stem)


def _wug(row: Mapping[str, Any], stem: str) -> Document:
    sentences = str(row["sentences"]).split("\t")
    return _document([("", sentence) for sentence in sentences], stem, float(row["ratio"]))


PARTS: dict[str, BabyLMPart] = {
    "blimp": BabyLMPart(("blimp_filtered", "blimp_fast"), _blimp),
    "supplement": BabyLMPart(("supplement_filtered", "supplement_fast"), _blimp),
    "ewok": BabyLMPart(("ewok_filtered", "ewok_fast"), _ewok),
    "entity_tracking": BabyLMPart(("entity_tracking", "entity_tracking_fast"), _entity_tracking),
    "comps": BabyLMPart(("comps",), _comps),
    "wug_adj": BabyLMPart(("wug_adj_nominalization",), _wug),
    "wug_past": BabyLMPart(("wug_past_tense",), _wug),
}


def read_babylm(folder: str, part: str) -> list[Document]:
    """The documents of one task of an evaluation folder.

    Args:
        folder: ``full_eval`` or ``fast_eval``, or a folder that holds one of them.
        part: the task's name.

    Raises:
        UnknownNameError: there is no such task.
        DataError: the folder does not hold it, or a line is not of its form.
    """
    if part not in PARTS:
        raise UnknownNameError("part of BabyLM's evaluation", part, PARTS)
    place = _find_folder(Path(folder), PARTS[part].folders)
    documents = []
    for path in sorted(place.glob("*.jsonl")):
        for where, row in read_json_lines(path, expected="each line must be an object"):
            try:
                documents.append(PARTS[part].read(row, path.stem))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{where} is no line of BabyLM's {part}: {type(error).__name__} {error}") from error
    if not documents:
        raise DataError(f"{place} holds no .jsonl files with lines of BabyLM's {part}")
    return documents


def _find_folder(root: Path, names: tuple[str, ...]) -> Path:
    inside = [root / top / part for top in (".", "evaluation_data") for part in ("full_eval", "fast_eval")]
    for base in (root, *inside):
        for name in names:
            if (base / name).is_dir():
                return base / name
    raise DataError(
        f"{root} holds no folder {' or '.join(names)}; give BabyLM's evaluation_data/full_eval (https://osf.io/ryjfm) "
        "with --data"
    )
