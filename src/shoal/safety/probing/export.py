"""Probes as JSON lines that garak and PyRIT read.

A line has the fields of both: ``prompt`` and ``intents`` as in the data files of garak's probes (0.17,
``garak/data/donotanswer/*.jsonl``: each line's prompt, and codes of its typology of intents), ``value``, ``data_type``,
``harm_categories``, ``source`` and ``metadata`` as the seeds of PyRIT's ``SeedDataset`` (each line is one of its
``seeds``). Both leave alone what they do not know.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.files import atomic_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from shoal.safety.probing.probes import Probe

_SAFETY = "S"
"""Garak's code of all intents that concern safety: what a seed asks for in detail is not known here."""


def export_row(probe: Probe) -> dict[str, Any]:
    """The line of a probe.

    Args:
        probe: a harmful one.
    """
    return {
        "prompt": probe.prompt,
        "intents": [_SAFETY],
        "value": probe.prompt,
        "data_type": "text",
        "dataset_name": "shoal probes",
        "harm_categories": [probe.type] if probe.type else [],
        "source": "seeds given to shoal safety probe",
        "metadata": {"seed": probe.seed, "mutation": probe.mutation, "family": probe.family, "part": probe.part},
    }


def write_probes(probes: Iterable[Probe], path: str | os.PathLike[str]) -> int:
    """Write the harmful probes to a file.

    Args:
        probes: of both labels; garak and PyRIT take every prompt as one that should be refused.
        path: the file (``.jsonl``), written whole.

    Returns:
        The number of lines.

    Raises:
        OSError: it cannot be written.
    """
    rows = [export_row(probe) for probe in probes if probe.harmful]
    with atomic_file(Path(path)) as partial:
        partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return len(rows)
