"""What layer types and two ways of computing attention cost, beside the theory and beside what the machine can do.

    python -m benchmarks.layers [--parts types attention] [--seeds 3] [--repeats 9]

``types`` compares exponents and path lengths with the theory's, over several seeds. ``attention`` compares naive with
fused attention at lengths from 128 to 4,096, and both with the speed of a matrix product and of a copy of memory in
the same process. A line a seed, and one for attention, is appended to bench-out/layers.jsonl, so that a killed run
keeps what it has.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

import torch

from benchmarks.processes import append_part
from shoal.insight import AnalysisOptions
from shoal.insight.layers import Ranges, compare_attention, layer_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.insight.layers import AttentionReport

KINDS = ("self-attention", "recurrent", "convolution", "dilated convolution", "restricted self-attention")
SLACK = 0.15

LENGTHS = (128, 256, 512, 1024, 2048, 4096)
PRODUCT = 1024
COPIED = 2**25
"""Numbers of 4 bytes: 128 MiB, more than the caches hold."""

PASSES = 8
"""How often naive attention moves its scores: written by the product; read and written by the scale, the mask and
softmax; read by the second product."""


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=("types", "attention"), default=["types", "attention"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    if "types" in options.parts:
        for seed in range(options.seeds):
            types(seed, options.repeats)
    if "attention" in options.parts:
        attention(options.repeats)


def types(seed: int, repeats: int) -> None:
    """Say which exponents of time in the length are within the slack."""
    started = time.process_time()
    rows = layer_table(Ranges(repeats=repeats), kinds=KINDS, options=AnalysisOptions(seed=seed))
    spent = time.process_time() - started
    append_part("layers", {"seed": seed, "cpu_seconds": spent, "rows": [row.to_dict() for row in rows]})
    print(f"seed {seed}, {spent:.0f} CPU-seconds")
    for row in rows:
        sweep = next(each for each in row.sweeps if each.variable == "n")
        operations, seconds = sweep.exponents["operations"], sweep.exponents["seconds"]
        within = "within" if abs(seconds.value - sweep.theory) <= SLACK else "BEYOND"
        paths = all(path.confirmed and path.measured == path.predicted for path in row.paths)
        print(
            f"  {row.kind:26} theory {sweep.theory}  operations {operations.value:.2f}  time {seconds.value:.2f} "
            f"[{seconds.low:.2f}, {seconds.high:.2f}] {within} {SLACK}  paths {'exact' if paths else 'WRONG'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What one thread can do, by CPU-seconds."""

    operations_per_second: float
    """Of a float32 matrix product; a multiplication and an addition are two."""

    bytes_per_second: float
    """Of a copy: what it reads and what it writes."""


def attention(repeats: int) -> None:
    """Compare naive with fused attention, and both with the machine, which is measured before and after."""
    torch.set_num_threads(1)
    started = time.process_time()
    before = measure_machine(repeats)
    report = compare_attention(LENGTHS, repeats=repeats)
    after = measure_machine(repeats)
    machine = Machine(
        operations_per_second=max(before.operations_per_second, after.operations_per_second),
        bytes_per_second=max(before.bytes_per_second, after.bytes_per_second),
    )
    append_part("layers", {"machine": [asdict(before), asdict(after)], "attention": report.to_dict()})
    for each in (before, after):
        print(f"product {each.operations_per_second / 1e9:.0f} GFLOPS, copy {each.bytes_per_second / 1e9:.1f} GB/s")
    print_attention(report, machine)
    print(f"outputs differ by {report.forward_difference:.1e} at most, gradients by {report.backward_difference:.1e}")
    print(f"{time.process_time() - started:.0f} CPU-seconds")


def measure_machine(repeats: int) -> Machine:
    """The median speed of a product of two matrices and of a copy that no cache holds."""
    left, right = torch.randn(PRODUCT, PRODUCT), torch.randn(PRODUCT, PRODUCT)
    source, target = torch.ones(COPIED), torch.ones(COPIED)
    return Machine(
        operations_per_second=2 * PRODUCT**3 / median(seconds(lambda: left @ right, repeats)),
        bytes_per_second=2 * 4 * COPIED / median(seconds(lambda: target.copy_(source), repeats)),
    )


def seconds(work: Callable[[], object], repeats: int) -> list[float]:
    """CPU-seconds of each repeat, after one that is not counted."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return found


def print_attention(report: AttentionReport, machine: Machine) -> None:
    """A line a use and length: times, their ratio, peak memory, and for inference the shares of what is possible."""
    costs = {(cost.way, cost.use): cost for cost in report.costs}
    for use in dict.fromkeys(use for _, use in costs):
        naive, fused = costs["naive", use], costs["fused", use]
        print(f"{use}: naive n^{naive.time_exponent.value:.2f}, fused n^{fused.time_exponent.value:.2f}")
        for place, length in enumerate(report.costs[0].lengths):
            pairs = list(zip(naive.seconds[place], fused.seconds[place], strict=True))
            ratio = median(one / other for one, other in pairs)
            times = [median(cost.seconds[place]) for cost in (naive, fused)]
            memory = [cost.bytes[place] / 2**20 for cost in (naive, fused)]
            line = f"  n={length:5} naive {1e3 * times[0]:8.2f} ms, fused {1e3 * times[1]:8.2f} ms, ratio {ratio:5.2f}"
            line += f"  memory {memory[0]:7.2f} and {memory[1]:6.2f} MiB"
            if use == "inference":
                width = report.heads * report.width
                needed = 2 * length * (length + 1) * width / machine.operations_per_second
                products = 4 * length**2 * width / machine.operations_per_second
                moved = PASSES * 4 * report.heads * length**2 / machine.bytes_per_second
                line += f"  fused {needed / times[1]:.0%} of the product's speed"
                line += f", naive {(products + moved) / times[0]:.0%} of products and memory"
            print(line)


if __name__ == "__main__":
    main()
