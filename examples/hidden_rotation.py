"""A hidden irrational rotation whose angle changes at 1,500 of 5,000: no mean, no variance, no marginal changes.

python examples/hidden_rotation.py [FIGURE.svg]
"""

from __future__ import annotations

import sys

from shoal.changes import change_points, describe_change, plot_changes
from shoal.changes.generators import hidden_rotation


def main() -> None:
    """Draw the stream, find its change, say what changed, and draw it where a page is named."""
    sample = hidden_rotation((1500, 3500), seed=1)
    found = change_points(sample.values, min_distance=0.15, process_count=2)
    print(f"true places {list(sample.places)}, found {found.places}")
    for change in found.changes:
        print(f"{change.place}: from {change.low} to {change.high}; {describe_change(change)}")
    if len(sys.argv) > 1:
        plot_changes(sample.values, found, title="hidden rotation").savefig(sys.argv[1])


if __name__ == "__main__":
    main()
