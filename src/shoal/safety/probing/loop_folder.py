"""The folder of a loop: it belongs to one model, one set of seeds and one choice of settings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, StoreError
from shoal.files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shoal.safety.probing.probes import ProbeSeed
    from shoal.safety.probing.settings import ProbeSettings
    from shoal.safety.tuning import InstructionPair


def claim_folder(
    folder: Path,
    model: str,
    seeds: Sequence[ProbeSeed],
    settings: ProbeSettings,
    instructions: Sequence[InstructionPair] = (),
) -> None:
    """Write what the folder's loop depends on, or check that it is the same.

    Args:
        folder: made where it does not exist.
        model: the spec of the model that is probed.
        seeds: that probes are made of.
        settings: how.
        instructions: that are learned from and held out; a digest of them is written.

    Raises:
        StoreError: it is not, or cannot be written.
        DataError: there are no seeds of either part.
    """
    if settings.rounds and {seed.part for seed in seeds if seed.harmful} != {"train", "test"}:
        raise DataError("harmful seeds of both parts are needed, train and test; give more seeds")
    stated: dict[str, Any] = {
        "model": model,
        "seeds": [asdict(seed) for seed in seeds],
        "settings": asdict(settings),
        # As a digest: thousands of instructions would make a file of megabytes that nobody reads.
        "instructions": hashlib.sha256(repr(list(instructions)).encode()).hexdigest() if instructions else None,
    }
    # Compared as text: whatever changes in the settings, a new field included, makes it another loop.
    text = json.dumps(stated, indent=1, ensure_ascii=False, default=list) + "\n"
    path = folder / "settings.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if path.read_text(encoding="utf-8") != text:
                raise StoreError(
                    f"{folder} holds the probes of another model, or of other seeds, settings or instructions; give "
                    "another folder, or the same command again to resume"
                )
            return
        with atomic_file(path) as whole:
            whole.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise StoreError(f"{folder} cannot be written: {fault.strerror or fault}; give another folder") from fault


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, the whole file or none of it.

    Args:
        path: in the folder.
        rows: plain values.
    """
    with atomic_file(path) as whole:
        whole.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
