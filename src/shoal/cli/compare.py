"""``shoal compare``: two runs of an experiment, item by item and seed by seed."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json
from shoal.cli.terminal import print_json


def compare(
    first: Path,
    second: Path,
    /,
    *,
    first_arm: str | None = None,
    second_arm: str | None = None,
    as_json: Json = False,
) -> None:
    """Compare an arm of one run with an arm of another, on the same held-out items and seeds.

    Parameters
    ----------
    first
        Folder of a finished run.
    second
        Folder of another run, or of the same run with another arm.
    first_arm
        Arm of the first run. Default: its treatment.
    second_arm
        Arm of the second run. Default: its treatment.
    """
    from shoal.experiments import compare_runs

    found = compare_runs(first, second, first_arm=first_arm, second_arm=second_arm)
    if as_json:
        print_json(found.to_dict())
        return
    print(found)
