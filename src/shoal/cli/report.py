"""``shoal report``: the report of a run, a sweep or a pretraining, written from its folder."""

from __future__ import annotations

from pathlib import Path


def report(run: Path, /) -> None:
    """Write the report of a run, a sweep or a pretraining from its folder and print its path.

    Parameters
    ----------
    run
        The folder of a run or of a sweep, finished or not, or of a finished pretraining.
    """
    from shoal.reports import write_report

    print(write_report(run))
