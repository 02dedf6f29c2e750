"""Draws the two sample streams of examples/data, each with one change whose place is known.

python examples/draw_streams.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

STATES = ("ok", "slow", "failed")
CALM = ((0.90, 0.09, 0.01), (0.60, 0.35, 0.05), (0.70, 0.20, 0.10))
SICK = ((0.60, 0.35, 0.05), (0.15, 0.75, 0.10), (0.10, 0.30, 0.60))
"""How likely each state follows each state."""


def latencies(rng: np.random.Generator) -> list[str]:
    """Milliseconds of 900 requests: from the 500th on they hang together and spread wider, about the same middle."""
    noise = np.empty(900)
    noise[0] = rng.normal()
    for place in range(1, 900):
        memory, spread = (0.2, 0.6) if place < 500 else (0.7, 1.2)
        noise[place] = memory * noise[place - 1] + spread * rng.normal()
    rows = (f"{minute},{20 + 3 * value:.2f},{rng.poisson(0.3)}" for minute, value in enumerate(noise))
    return ["minute,latency,errors", *rows]


def states(rng: np.random.Generator) -> list[str]:
    """The states of a server a minute, time and host before them; from minute 350 on it is sick."""
    state, rows = 0, []
    for minute in range(600):
        state = int(rng.choice(3, p=(CALM if minute < 350 else SICK)[state]))
        rows.append(f"{minute // 60:02}:{minute % 60:02}\tweb-1\t{STATES[state]}")
    return rows


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    rng = np.random.default_rng(4)
    for name, rows in (("latency.csv", latencies(rng)), ("log.tsv", states(rng))):
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
