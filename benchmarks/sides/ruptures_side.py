"""Binary segmentation and PELT of ruptures on standardised series, with the defaults of the Turing comparison.

Reads {name: matrix (n, d)} as JSON on standard input, prints {method: {name: places}}. The cost is that of a normal
mean with variance 1 (the series are standardised); the penalty is the 3 log n of the modified BIC, for each coordinate;
binary segmentation makes at most five cuts, as the comparison's default does.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import ruptures


def main() -> None:
    """Answer for every series."""
    found: dict[str, dict[str, list[int]]] = {"binary segmentation": {}, "PELT": {}}
    for name, rows in json.load(sys.stdin).items():
        table = np.array(rows)
        penalty = 3.0 * np.log(len(table)) * table.shape[1]
        greedy = ruptures.Binseg(model="l2", min_size=2, jump=1).fit(table)
        cuts = greedy.predict(pen=penalty)[:-1]
        found["binary segmentation"][name] = greedy.predict(n_bkps=5)[:-1] if len(cuts) > 5 else cuts
        found["PELT"][name] = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(table).predict(pen=penalty)[:-1]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
