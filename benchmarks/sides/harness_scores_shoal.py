"""Shoal on requests of a file: the CPU-seconds of the requests alone, and the answers."""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path


def main() -> None:
    """Print the answers with CPU-seconds and peak memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("requests")
    parser.add_argument("--generate", action="store_true")
    options = parser.parse_args()

    from shoal.evaluation.benchmarks import RequestAnswerer
    from shoal.models import load_for_scoring

    answerer = RequestAnswerer(load_for_scoring(options.model))
    rows = [json.loads(line) for line in Path(options.requests).read_text(encoding="utf-8").splitlines()]
    before = time.process_time()
    if options.generate:
        found = {"texts": answerer.generate([prompt for prompt, _ in rows], rows[0][1])}
    else:
        scores = answerer.log_likelihoods([(context, text) for context, text in rows])
        found = {"nats": [each.log_likelihood for each in scores], "greedy": [each.greedy for each in scores]}
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("RESULT " + json.dumps({"cpu_seconds": seconds, "peak_bytes": peak} | found))


if __name__ == "__main__":
    main()
