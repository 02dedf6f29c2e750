"""While a model is scored, the C library keeps the memory of what is freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from shoal.evaluation.evaluator import scoring_mode

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        kept = [torch.ones(600_000) for _ in range(4)]
        del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with scoring_mode(torch.nn.Linear(1, 1)):
    faults()
    print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep its memory")
def test_memory_of_a_batch_is_not_given_back_and_taken_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    # Four tensors are 2,344 pages, which would be taken again in each of twenty rounds.
    assert int(done.stdout) < 5000
