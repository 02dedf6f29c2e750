"""Searches of ruptures on the arrays of a file, told the number of changes: ``searches_side.py FILE.npz COUNT [PELT]``.

With ``PELT`` that search is run too, not told the number, on values as they are, whose noise has a variance of one.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from ruptures import Binseg, Dynp, KernelCPD


def main() -> None:
    """Print {search: places of every array} as JSON."""
    count = int(sys.argv[2])
    with np.load(sys.argv[1]) as archive:
        values = [archive[name] for name in archive.files]
    tables = [standardised(table) for table in values]
    searches = {
        "KernelCPD rbf": lambda: KernelCPD(kernel="rbf", min_size=2),
        "KernelCPD linear": lambda: KernelCPD(kernel="linear", min_size=2),
        "Dynp normal": lambda: Dynp(model="normal", min_size=20, jump=10),
        "Binseg rank": lambda: Binseg(model="rank", min_size=5, jump=5),
        "Binseg autoregressive": lambda: Binseg(model="ar", params={"order": 2}, min_size=20, jump=5),
    }
    found: dict[str, list[list[int]]] = {}
    for name, make in searches.items():
        if name == "Binseg autoregressive" and tables[0].shape[1] > 1:
            continue
        found[name] = [[int(place) for place in make().fit(table).predict(n_bkps=count)[:-1]] for table in tables]
    if "PELT" in sys.argv:
        found["PELT"] = [pelt(table.astype(float).reshape(len(table), -1)) for table in values]
    print(json.dumps(found))


def pelt(table: np.ndarray) -> list[int]:
    """The best partition by least squares where a change costs the Bayesian information criterion: d + 1 numbers."""
    penalty = (table.shape[1] + 1) * np.log(len(table))
    return [int(place) for place in KernelCPD(kernel="linear", min_size=10).fit(table).predict(pen=penalty)[:-1]]


def standardised(table: np.ndarray) -> np.ndarray:
    """Each coordinate with mean 0 and standard deviation 1, as a table."""
    columns = table.astype(float).reshape(len(table), -1)
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


if __name__ == "__main__":
    main()
