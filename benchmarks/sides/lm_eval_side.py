"""lm-evaluation-harness on rows: log-likelihood requests, whose ``is_greedy`` is its exact match."""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path


def main() -> None:
    """Print the CPU-seconds of the requests alone, the peak memory, and each item's verdict and log-likelihood."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("--batch-size", type=int, default=1)
    options = parser.parse_args()

    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=options.model, device="cpu", dtype="float32", batch_size=options.batch_size)
    with Path(options.rows).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    requests = [
        Instance(request_type="loglikelihood", doc=row, arguments=(row["prompt"], row["completion"]), idx=place)
        for place, row in enumerate(rows)
    ]
    before = time.process_time()
    answers = lm.loglikelihood(requests, disable_tqdm=True)
    seconds = time.process_time() - before
    result = {
        "cpu_seconds": seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "exact_match": [bool(greedy) for _, greedy in answers],
        "log_likelihood": [float(value) for value, _ in answers],
    }
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
