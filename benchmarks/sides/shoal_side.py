"""Shoal's evaluator on the same rows."""

from __future__ import annotations

import argparse
import json
import resource
import time


def main() -> None:
    """Print the CPU-seconds of the evaluation alone, the peak memory, and each item's verdict and log-likelihood."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("--early-exit", action="store_true")
    options = parser.parse_args()

    from shoal.evaluation import evaluate
    from shoal.models import load_for_scoring
    from shoal.tasks import read_rows

    loaded = load_for_scoring(options.model)
    examples = read_rows(options.rows, end_token=loaded.tokenizer.eos_token)
    before = time.process_time()
    scores = evaluate(loaded.model, loaded.tokenizer, examples, early_exit=options.early_exit, greedy_text=False)
    seconds = time.process_time() - before
    result = {
        "cpu_seconds": seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "exact_match": [item.exact_match for item in scores.items],
        "log_likelihood": [item.log_likelihood for item in scores.items],
    }
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
