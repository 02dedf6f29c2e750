"""Probes as files that garak and PyRIT read with their own loaders.

Garak (0.17.1): JSON lines with ``prompt`` and ``intents``, as the data files of its probes have them
(``garak/data/donotanswer/*.jsonl``; the intents are codes of its typology). What else a line has is left alone.

PyRIT (1.1.0): a YAML file for ``SeedDataset.from_yaml_file``. A seed may have no other field than PyRIT's own, so that
the two cannot share a file; and values of YAML files are Jinja templates, so that one that holds such a mark is written
as a template that renders to it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.files import atomic_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from shoal.safety.probing.probes import Probe

EXPORT_SUFFIXES = {".jsonl": "garak", ".yaml": "PyRIT"}
"""The file of each reader."""

_SAFETY = "S"
"""Garak's code of all intents that concern safety: what a seed asks for in detail is not known here."""

_DATASET = "shoal probes"
_SOURCE = "seeds given to shoal safety probe"
_TEMPLATE_MARK = re.compile(r"\{[{%#]")


def garak_row(probe: Probe) -> dict[str, Any]:
    """The line of a probe for garak.

    Args:
        probe: a harmful one.
    """
    return {"prompt": probe.prompt, "intents": [_SAFETY], "type": probe.type, **_origin(probe)}


def pyrit_seed(probe: Probe) -> dict[str, Any]:
    """The seed of a probe for PyRIT.

    Args:
        probe: a harmful one.
    """
    return {
        "value": _as_template(probe.prompt),
        "data_type": "text",
        "harm_categories": [probe.type] if probe.type else [],
        "source": _SOURCE,
        "metadata": _origin(probe),
    }


def write_probes(probes: Iterable[Probe], path: str | os.PathLike[str]) -> int:
    """Write the harmful probes to a file.

    Args:
        probes: of both labels; garak and PyRIT take every prompt as one that should be refused.
        path: the file, written whole: ``.jsonl`` for garak, ``.yaml`` for PyRIT.

    Returns:
        The number of probes.

    Raises:
        UsageError: the file has another suffix.
        OSError: it cannot be written.
    """
    path = Path(path)
    harmful = [probe for probe in probes if probe.harmful]
    check_export(path)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(garak_row(probe), ensure_ascii=False) + "\n" for probe in harmful)
    else:
        import yaml

        dataset = {"dataset_name": _DATASET, "seeds": [pyrit_seed(probe) for probe in harmful]}
        text = yaml.safe_dump(dataset, allow_unicode=True, sort_keys=False, width=120)
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return len(harmful)


def check_export(path: str | os.PathLike[str]) -> None:
    """Refuse a file that no reader takes, before anything is probed.

    Args:
        path: the file.

    Raises:
        UsageError: it has another suffix.
    """
    path = Path(path)
    if path.suffix not in EXPORT_SUFFIXES:
        known = ", ".join(f"{suffix} for {reader}" for suffix, reader in EXPORT_SUFFIXES.items())
        raise UsageError(f"probes cannot be written to {path.name}; give a file that ends in {known}")


def _origin(probe: Probe) -> dict[str, str]:
    return {"seed": probe.seed, "mutation": probe.mutation, "family": probe.family, "part": probe.part}


def _as_template(text: str) -> str:
    """A text that Jinja renders to the given one; the string literal cannot be left, whatever marks stand in it."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if _TEMPLATE_MARK.search(text) else text
