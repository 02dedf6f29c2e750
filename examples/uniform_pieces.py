"""Uniform numbers that slide up by a tenth and back: 8,000 values, changes at 2,000 and 6,500.

python examples/uniform_pieces.py [FIGURE.svg]
"""

from __future__ import annotations

import sys

from shoal.changes import change_points, plot_changes
from shoal.changes.generators import uniform_pieces


def main() -> None:
    """Draw the stream, find its changes, and draw them where a page is named."""
    sample = uniform_pieces((2000, 4500, 1500), (0.0, 0.1, 0.0), seed=1)
    found = change_points(sample.values, min_distance=0.15, process_count=2)
    print(f"true places {list(sample.places)}, found {found.places}, groups of the pieces {list(found.processes)}")
    for change in found.changes:
        print(f"{change.place}: from {change.low} to {change.high}, p-value {change.p_value:.2g}")
    if len(sys.argv) > 1:
        plot_changes(sample.values, found, title="uniform pieces").savefig(sys.argv[1])


if __name__ == "__main__":
    main()
