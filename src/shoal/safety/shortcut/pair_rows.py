"""Rows that minimal pairs are made of: prompts with their label and focus word, and the swaps that come with shoal."""

from __future__ import annotations

from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.answers import read_prompt_rows_with_labels
from shoal.safety.prompt_labels import harm_of_label, keep_label

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence


def read_pair_rows(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Rows of prompts that minimal pairs are made of.

    Args:
        path: rows with the columns prompt, label (safe or unsafe) and focus, as XSTest's file has them, and perhaps
            type and swap (the same prompt with its focus word exchanged).

    Raises:
        DataError: the file cannot be read, a row lacks a column, or all are of one label.
    """
    rows = read_prompt_rows_with_labels(Path(path))
    checked_rows(rows, str(path))
    return rows


def checked_rows(rows: Sequence[Mapping[str, Any]], where: str = "the rows") -> list[bool]:
    """Whether each row's prompt is harmful.

    Args:
        rows: as `read_pair_rows` gives them.
        where: they come from, for messages.

    Raises:
        DataError: a row lacks a column, a prompt has two labels, or all are of one label.
    """
    harm = []
    labels: dict[str, bool] = {}
    for place, row in enumerate(rows, start=1):
        for column in ("prompt", "label", "focus"):
            if not isinstance(row.get(column), str):
                known = ", ".join(map(repr, row))
                raise DataError(
                    f"{where}, row {place}: there is no column {column!r}; minimal pairs need prompt, label (safe or "
                    f"unsafe) and focus, and the row has {known}"
                )
        harm.append(harm_of_label(row["label"], f"{where}, row {place}"))
        keep_label(labels, row["prompt"].strip(), harmful=harm[-1], place=f"{where}, row {place}")
    if len(set(harm)) < 2:
        raise DataError(
            f"all {len(harm)} prompts of {where} are labelled {'unsafe' if any(harm) else 'safe'}; the rule cannot be "
            "distinguished from a constant, so give prompts of both labels"
        )
    return harm


def shipped_swaps() -> dict[str, list[tuple[str, str]]]:
    """The swaps of XSTest's focus words: by focus word, what is replaced and by what, longer parts first."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for focus, old, new in _swap_rows():
        found[focus].append((old, new))
    return {focus: sorted(swaps, key=lambda swap: -len(swap[0])) for focus, swaps in found.items()}


def _swap_rows() -> Iterator[tuple[str, str, str]]:
    text = (resources.files("shoal.safety.shortcut") / "replacements.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            focus, old, new = line.split("\t")
            yield focus, old, new
