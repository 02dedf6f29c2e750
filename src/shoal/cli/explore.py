"""``shoal explore``: from the counting experiment to a hypothesis of one's own."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json
from shoal.cli.terminal import print_json


def explore(folder: Path = Path("explore"), /, *, as_json: Json = False) -> None:
    """Lead from the counting experiment to a hypothesis of your own: change one thing, predict, run, see if it held.

    Writes explore.py, plain Python in cells that Jupyter, VS Code and marimo open and that runs by itself, and
    explore.html, which shows the steps and what came out so far. Give the same command again to draw the page again.

    Parameters
    ----------
    folder
        Folder of the exploration; a file in it that you have changed stays as it is.
    """
    from shoal.experiments.exploration import open_exploration, write_exploration
    from shoal.reports import write_exploration_page

    write_exploration(folder)
    found = open_exploration(folder)
    page = write_exploration_page(found)
    if as_json:
        print_json(found.to_dict() | {"page": str(page)})
    else:
        print(f"{found}\npage    {page}")
