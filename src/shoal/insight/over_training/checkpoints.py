"""The checkpoints of a training that lie as model folders beside each other."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from shoal.errors import DataError

_STEP = re.compile(r"(?:.*\D)?(\d+)")


def checkpoint_folders(run: str | Path) -> list[tuple[int, Path]]:
    """The model folders of a run with the step that ends their name (``checkpoint-500``, ``step500``), in order.

    Raises:
        DataError: there are fewer than two, or two of the same step.
    """
    run = Path(run)
    found = []
    for config in sorted(run.rglob("config.json")):
        match = _STEP.fullmatch(config.parent.name)
        if match is not None:
            found.append((int(match[1]), config.parent))
    found.sort()
    if len(found) < 2:
        raise DataError(
            f"{run} holds {len(found)} checkpoints; give a folder of model folders whose names end with the step, "
            "such as checkpoint-500"
        )
    for earlier, later in pairwise(found):
        if earlier[0] == later[0]:
            raise DataError(
                f"{run} holds two checkpoints of step {later[0]}, {earlier[1]} and {later[1]}; give one run"
            )
    return found
