"""Change points of the Turing Change Point Dataset, with default parameters, beside binary segmentation and PELT.

F1 with margin 5 and covering against five annotators, as van den Burg and Williams (2020) define them. Every method
runs with its defaults and sees the same series; the peers, which need it, get missing values interpolated and each
coordinate standardised. "No change" is the method that never finds any.

    python -m benchmarks.changes_tcpd
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import DATA, ask_peer, write_result
from shoal.changes import change_points, covering, f1_with_margin

FOLDER = DATA / "tcpd"
MARGIN = 5


def main() -> None:
    """Score every method on every series and print the table."""
    annotations = json.loads((FOLDER / "annotations.json").read_text())
    series = {path.stem: read(path) for path in sorted((FOLDER / "series").glob("*.json"))}
    found = peers(series) | {
        "no change": {name: [] for name in series},
        "shoal": {name: change_points(table).places for name, table in series.items()},
    }
    truth = {name: list(annotations[name].values()) for name in series}
    scores = {
        method: {name: score(truth[name], places[name], len(series[name])) for name in series}
        for method, places in found.items()
    }
    print(f"{'series':20} {'n':>5}  " + "  ".join(f"{method:>19}" for method in scores))
    for name, table in series.items():
        cells = [scores[method][name] for method in scores]
        print(f"{name:20} {len(table):5}  " + "  ".join(f"{f1:9.3f} {cover:9.3f}" for f1, cover in cells))
    means = {m: [statistics.mean(column) for column in zip(*s.values(), strict=True)] for m, s in scores.items()}
    print(f"{'mean F1, covering':20} {'':5}  " + "  ".join(f"{f1:9.3f} {cover:9.3f}" for f1, cover in means.values()))
    print(f"written to {write_result('changes_tcpd', {'found': found, 'scores': scores, 'means': means})}")


def read(path: Path) -> np.ndarray[Any, Any]:
    """A series as a matrix (n, d), NaN where a value is missing."""
    document = json.loads(path.read_text())
    columns = [[np.nan if value is None else value for value in part["raw"]] for part in document["series"]]
    return np.array(columns, dtype=float).T


def score(truth: list[list[int]], places: list[int], length: int) -> tuple[float, float]:
    """F1 with margin and covering of one answer."""
    return f1_with_margin(truth, places, margin=MARGIN), covering(truth, places, length=length)


def peers(series: dict[str, np.ndarray[Any, Any]]) -> dict[str, dict[str, list[int]]]:
    """What ruptures finds, from its own environment."""
    prepared = {name: standardised(table).tolist() for name, table in series.items()}
    found: dict[str, dict[str, list[int]]] = ask_peer("ruptures_side", prepared)
    return found


def standardised(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Missing values interpolated, then each coordinate with mean 0 and standard deviation 1."""
    steps = np.arange(len(table))
    filled = np.column_stack(
        [np.interp(steps, steps[~np.isnan(column)], column[~np.isnan(column)]) for column in table.T]
    )
    return (filled - filled.mean(axis=0)) / np.where(filled.std(axis=0) > 0, filled.std(axis=0), 1.0)


if __name__ == "__main__":
    main()
