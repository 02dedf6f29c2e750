"""``shoal report``: the report of a run or a sweep, written again."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json


def report(run: Path, /, *, as_json: Json = False) -> None:
    """Write the report of a run or a sweep again and print its path.

    Parameters
    ----------
    run
        Folder of a run or of a sweep, finished or not.
    """
    from shoal.cli.console import print_json
    from shoal.reports import write_report, write_sweep_report

    written = write_sweep_report(run) if (run / "sweep.toml").is_file() else write_report(run)
    if as_json:
        print_json({"run": str(run), "report": str(written)})
    else:
        print(written)
