"""Uniform numbers that slide up by a tenth and back: 8,000 values, changes at 2,000 and 6,500.

python examples/uniform_pieces.py [PAGE.html]
"""

from __future__ import annotations

import sys
from pathlib import Path

from shoal.changes import change_points
from shoal.changes.generators import uniform_pieces
from shoal.changes.input import as_stream
from shoal.cli.changes_page import write_page


def main() -> None:
    """Draw the stream, find its changes, and draw them where a page is named."""
    sample = uniform_pieces((2000, 4500, 1500), (0.0, 0.1, 0.0), seed=1)
    found = change_points(sample.values, min_distance=0.15, process_count=2)
    print(f"true places {list(sample.places)}, found {found.places}, groups of the pieces {list(found.processes)}")
    for change in found.changes:
        print(f"{change.place}: from {change.low} to {change.high}, p-value {change.p_value:.2g}")
    if len(sys.argv) > 1:
        print(write_page(Path(sys.argv[1]), "uniform pieces", as_stream(sample.values), found))


if __name__ == "__main__":
    main()
