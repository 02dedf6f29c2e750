"""``shoal report``: the report of a run folder, written anew."""

from __future__ import annotations

from pathlib import Path


def report(run: Path, /) -> None:
    """Write the report of a run folder anew and print its path.

    Parameters
    ----------
    run
        The folder of a run, finished or not.
    """
    from shoal.reports import write_report

    print(write_report(run))
