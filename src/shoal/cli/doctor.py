"""``shoal doctor``: what is installed, what the machine offers, and a self-test."""

from __future__ import annotations

import sys
from pathlib import Path

from shoal.cli.options import Flag, Json
from shoal.cli.terminal import print_json, progress_bars


def doctor(
    *,
    folder: Path = Path(),
    quick: Flag = False,
    as_json: Json = False,
) -> None:
    """Check the installation: packages, extras, threads, precision, devices, disk, and a self-test of some seconds.

    The exit code is 0 where all is well, and 1 where a part of the self-test failed or a required package is missing.

    Parameters
    ----------
    folder
        Folder for runs, whose disk is looked at.
    quick
        Leave the self-test out.
    """
    from shoal.experiments import inspect_installation, run_self_test

    found = inspect_installation(folder)
    tested = None
    if not quick:
        with progress_bars() as progress:
            tested = run_self_test(progress=progress)
    if as_json:
        print_json({"installation": found.to_dict(), "self_test": tested and tested.to_dict()})
    else:
        print(found)
        print(f"\n{tested}" if tested else "\nno self-test was made (--quick)")
    if found.problems or (tested is not None and not tested.passed):
        sys.exit(1)
