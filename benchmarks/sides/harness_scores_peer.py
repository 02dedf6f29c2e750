"""lm-evaluation-harness on requests of a file: the CPU-seconds of the requests alone, and the answers."""

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
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--generate", action="store_true")
    options = parser.parse_args()

    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=options.model, device="cpu", dtype="float32", batch_size=options.batch_size)
    rows = [tuple(json.loads(line)) for line in Path(options.requests).read_text(encoding="utf-8").splitlines()]
    kind = "generate_until" if options.generate else "loglikelihood"
    requests = [Instance(request_type=kind, doc={}, arguments=row, idx=0) for row in rows]
    before = time.process_time()
    if options.generate:
        found = {"texts": lm.generate_until(requests, disable_tqdm=True)}
    else:
        answers = lm.loglikelihood(requests, disable_tqdm=True)
        found = {"nats": [float(nats) for nats, _ in answers], "greedy": [bool(greedy) for _, greedy in answers]}
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("RESULT " + json.dumps({"cpu_seconds": seconds, "peak_bytes": peak} | found))


if __name__ == "__main__":
    main()
