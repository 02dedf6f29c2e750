"""``shoal report``: the report of a run of any kind, written from its folder."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json
from shoal.cli.terminal import print_json


def report(run: Path, /, *, as_json: Json = False) -> None:
    """Write the report of a run, a sweep, a comparison or a pretraining from its folder and print its path.

    Parameters
    ----------
    run
        Folder of a run, a sweep or a comparison, finished or not, or of a finished pretraining or red-team loop.
    """
    from shoal.reports import write_report

    written = write_report(run)
    if as_json:
        print_json({"run": str(run), "report": str(written)})
    else:
        print(written)
