"""Where the change-point detector of trainscope fires on losses, with the settings of its own scenario.

Reads losses as JSON on standard input, prints the steps.
"""

from __future__ import annotations

import json
import sys

from trainscope.core.detectors.changepoint import ChangePointDetector


def main() -> None:
    """Answer for one training."""
    detector = ChangePointDetector(threshold=6.0, slack=1.0, window=200, min_observations=30)
    print(json.dumps([step for step, loss in enumerate(json.load(sys.stdin)) if detector.update(loss) is not None]))


if __name__ == "__main__":
    main()
