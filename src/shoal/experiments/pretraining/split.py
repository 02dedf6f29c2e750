"""Which documents are held out: by their ids, so that the choice does not depend on order, corpus or run.

Without a list, a document is held out where its id, a number spread evenly by its digest, lies in the lowest share. So
two copies of a text are on the same side, and a corpus that grows keeps its held-out documents. With a list, just the
listed documents are held out.

Shapes: D documents of a corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from shoal.experiments.pretraining.recipe import Recipe

    Ids = npt.NDArray[np.uint64]
    Mask = np.ndarray[Any, np.dtype[np.bool_]]

_SPAN = 2.0**64
# Not int() alone, which also reads signs, prefixes, underscores and digits of other scripts.
_ID = re.compile(r"[0-9a-fA-F]{16}")


@dataclass(frozen=True, slots=True)
class HeldOutSplit:
    """Where the documents of each corpus go.

    A document that is neither seen nor held out repeats a held-out one of another corpus.
    """

    held_out: Mapping[str, Mask]
    seen: Mapping[str, Mask]
    missing: int
    """Listed ids that no corpus has."""

    def ids(self, all_ids: Mapping[str, Ids]) -> list[str]:
        """The held-out ids as they are published."""
        return [f"{number:016x}" for name, mask in self.held_out.items() for number in all_ids[name][mask].tolist()]


def split_documents(all_ids: Mapping[str, Ids], recipe: Recipe) -> HeldOutSplit:
    """Decide for each document of each corpus whether it is held out.

    Args:
        all_ids: the documents' ids by corpus.
        recipe: has the shares, or names the list.

    Raises:
        DataError: a corpus of one document cannot be split, every document is held out, or none of the listed ids is
            in the corpora.
    """
    file = recipe.evaluation.held_out_ids
    listed = None if file is None else read_list(Path(file))
    held_out = {
        corpus.name: _by_share(all_ids[corpus.name], corpus.held_out, corpus.name)
        if listed is None
        else np.isin(all_ids[corpus.name], listed)
        for corpus in recipe.corpus
    }
    chosen = np.unique(np.concatenate([all_ids[name][mask] for name, mask in held_out.items()]))
    if listed is not None and not len(chosen):
        raise DataError(
            f"none of the {len(listed)} ids of {file} is in the corpora; give the list of another run of them"
        )
    # Over all corpora: what one of them holds out is not read in another.
    seen = {name: ~np.isin(ids, chosen) for name, ids in all_ids.items()}
    for name, mask in seen.items():
        if not mask.any():
            raise DataError(f"every document of the corpus {name!r} is held out; hold fewer out, or give more text")
    return HeldOutSplit(held_out, seen, 0 if listed is None else len(listed) - len(chosen))


def read_list(file: Path) -> Ids:
    """The ids of a list, one per line.

    Raises:
        DataError: the file cannot be read, or a line is no id.
    """
    found = []
    for place, line in ((number, line.strip()) for number, line in numbered_lines(read_text(file))):
        if line.startswith("#"):
            continue
        if not _ID.fullmatch(line):
            raise DataError(f"{file}:{place} is {line[:40]!r}; give 16 hexadecimal characters per line")
        found.append(int(line, 16))
    return np.unique(np.asarray(found, dtype=np.uint64))


def _by_share(ids_D: Ids, share: float, name: str) -> Mask:
    if share == 0:
        return np.zeros(len(ids_D), dtype=bool)
    if len(np.unique(ids_D)) < 2:
        raise DataError(
            f"the corpus {name!r} holds one document, so that none can be held out; give more documents, or separate "
            "them by <|endoftext|>, or set held_out = 0"
        )
    # The ids are digests, evenly spread over 64 bits, so that a threshold takes the share of them that is wanted.
    mask = ids_D < np.uint64(share * _SPAN)
    # A small share of few documents may take none, and a corpus without any would have no loss to show.
    return mask if mask.any() else ids_D == ids_D.min()
