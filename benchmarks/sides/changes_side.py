"""One detector on one stream, as a process of its own: ``changes_side.py TOOL FILE.npy`` prints the places as JSON.

Each detector is told what the others are told in its own terms: two processes and a least distance of 0.15 (PyChest and
shoal), one change (ruptures and rustures, whose penalty would otherwise have to be known).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def main() -> None:
    """Run the detector."""
    tool, file = sys.argv[1:]
    print([int(place) for place in TOOLS[tool](np.load(file))])  # a list of whole numbers is JSON as it is


def shoal(values: np.ndarray[Any, Any]) -> list[int]:
    from shoal.changes import change_points

    return change_points(values, 0.15, 2).places


def pychest(values: np.ndarray[Any, Any]) -> list[int]:
    import PyChest

    return list(PyChest.find_changepoints(values.tolist(), 0.15, 2))


def ruptures(values: np.ndarray[Any, Any]) -> list[int]:
    from ruptures import KernelCPD

    return list(KernelCPD(kernel="rbf").fit(values).predict(n_bkps=1)[:-1])


def rustures(values: np.ndarray[Any, Any]) -> list[int]:
    from rustures import KernelCPD

    return list(KernelCPD(kernel="rbf").fit(values).predict(n_bkps=1)[:-1])


TOOLS = {"shoal": shoal, "PyChest": pychest, "ruptures": ruptures, "rustures": rustures}

if __name__ == "__main__":
    main()
