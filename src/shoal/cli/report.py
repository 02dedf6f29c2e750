"""``shoal report``: the report of a run or a sweep, written anew."""

from __future__ import annotations

from pathlib import Path


def report(run: Path, /) -> None:
    """Write the report of a run or a sweep anew and print its path.

    Parameters
    ----------
    run
        The folder of a run or of a sweep, finished or not.
    """
    from shoal.reports import write_report, write_sweep_report

    print(write_sweep_report(run) if (run / "sweep.toml").is_file() else write_report(run))
