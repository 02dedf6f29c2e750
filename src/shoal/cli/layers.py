"""``shoal layers``: the measured cost of layer types, attention implementations and number formats."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Json, Numbers, Plot, Seed, Texts
from shoal.cli.terminal import say
from shoal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from shoal.insight.layers import AttentionReport, Format, GreedyChange, LayerRow

MEASUREMENTS = ("types", "attention", "formats")
LENGTHS = (256, 512, 1024, 2048)
PROMPT_WORDS = 10
PROMPTS = 32


def layers(
    *,
    measure: Texts = None,
    n: Numbers = None,
    long_n: Numbers = None,
    d: Numbers = None,
    k: Numbers = None,
    r: Numbers = None,
    repeats: int = 7,
    model: str = "bundled:stories",
    prompts: Path | None = None,
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure the cost of layer types, of two attention implementations, and of number formats, on one CPU thread.

    Parameters
    ----------
    measure
        types (the complexity table of layer types), attention (naive against fused) or formats (bfloat16 and float16
        against float32). Repeatable. Default: all three.
    n
        Sequence lengths of self-attention and of both attention implementations, as in --n 512 1024 2048.
    long_n
        Sequence lengths of the layers whose cost is linear in the length.
    d
        Model widths.
    k
        Kernel sizes of convolutions, odd.
    r
        Window sizes of restricted attention, odd.
    repeats
        Number of samples of each timing.
    model
        Model spec, whose greedy texts are compared between formats.
    prompts
        Text file with one prompt per line for that model. Default: the first words of generated stories.
    """
    chosen = tuple(dict.fromkeys(measure)) if measure else MEASUREMENTS
    for name in chosen:
        if name not in MEASUREMENTS:
            raise UnknownNameError("measurement", name, MEASUREMENTS)
    from shoal.cli.console import print_json, progress_bars
    from shoal.cli.files import check_target
    from shoal.insight.layers import Ranges, compare_attention, greedy_changes, layer_table, measure_formats

    if plot is not None:
        check_target(plot)
    given = {"n": n, "long_n": long_n, "d": d, "k": k, "r": r}
    sizes: dict[str, Any] = {name: tuple(values) for name, values in given.items() if values}
    ranges = Ranges(repeats=repeats, **sizes)
    lines = _prompts(prompts, seed) if "formats" in chosen else []
    with progress_bars() as progress:  # the model first: where it cannot be read, nothing has been measured in vain
        changes = greedy_changes(model, lines, repeats=repeats, seed=seed, progress=progress) if lines else []
        rows = layer_table(ranges, seed=seed, progress=progress) if "types" in chosen else []
        attention = None
        if "attention" in chosen:
            attention = compare_attention(n or LENGTHS, repeats=repeats, seed=seed, progress=progress)
        formats = measure_formats(repeats=repeats, seed=seed, progress=progress) if "formats" in chosen else []
    if plot is not None:
        _write_page(plot, rows, attention, formats, changes, model)
    if as_json:
        print_json(
            {
                "types": [row.to_dict() for row in rows],
                "attention": None if attention is None else attention.to_dict(),
                "formats": [each.to_dict() for each in formats],
                "greedy": [change.to_dict() for change in changes],
            }
        )
        return
    _print_types(rows)
    if attention is not None:
        _print_attention(attention)
    _print_formats(formats)
    _print_changes(changes, model)


def _prompts(file: Path | None, seed: int) -> list[str]:
    """The prompts of a file, or the first words of different tales."""
    if file is None:
        from shoal.corpora import generate_stories

        tales = generate_stories(8 * PROMPTS, {"tale": 1.0}, seed=seed)
        return list(dict.fromkeys(" ".join(tale.split()[:PROMPT_WORDS]) for tale in tales))[:PROMPTS]
    from shoal.textfiles import numbered_lines, read_text

    lines = [line for _, line in numbered_lines(read_text(file))]
    if not lines:
        raise DataError(f"{file} holds no prompt; give a file with one prompt per line")
    return lines


def _print_types(rows: list[LayerRow]) -> None:
    """Theory and measurement, one block per kind."""
    for row in rows:
        theory = row.theory
        print(f"{row.kind}: {theory.complexity}, {theory.sequential} sequential, path {theory.path}")
        for sweep in row.sweeps:
            operations, seconds, held = (sweep.exponents[cost] for cost in ("operations", "seconds", "bytes"))
            print(
                f"  {sweep.variable} {sweep.sizes[0]} to {sweep.sizes[-1]}: theory {sweep.theory}, operations "
                f"{operations.value:.2f}, time {seconds.value:.2f} [{seconds.low:.2f}, {seconds.high:.2f}], memory "
                f"{held.value:.2f}"
            )
        print(f"  sequential operations {', '.join(f'{depth} at n={n}' for n, depth in row.depths)}")
        paths = (
            f"{path.measured} at n={path.n}" + ("" if path.confirmed else " (not confirmed)") for path in row.paths
        )
        print(f"  longest path {', '.join(paths)}")
        for remark in row.remarks:
            print(f"  - {remark}")
        print()


def _print_attention(report: AttentionReport) -> None:
    """Time and memory, one line per implementation and use."""
    print(f"attention, causal, {report.heads} heads of width {report.width}, float32")
    for cost in report.costs:
        last = cost.lengths[-1]
        time, memory = cost.time_exponent, cost.memory_exponent
        spent, held = 1e3 * median(cost.seconds[-1]), cost.bytes[-1] / 2**20
        print(
            f"  {cost.way}, {cost.use:22}  at n={last} {spent:8.1f} ms {held:8.1f} MiB; "
            f"time n^{time.value:.2f} [{time.low:.2f}, {time.high:.2f}], memory n^{memory.value:.2f}"
        )
    print(
        f"  outputs differ by at most {report.forward_difference:.1e}, gradients by {report.backward_difference:.1e} "
        f"(naive float32 from float64: {report.reference_difference:.1e})"
    )
    bias = report.dropout_bias
    print(
        f"  dropout {report.dropout}: the mean over masks is {bias['naive']:.2f} (naive) and {bias['fused']:.2f} "
        "(fused) standard errors from the output without; about 1 is chance\n"
    )


def _print_formats(formats: list[Format]) -> None:
    """Range, precision and speed of each format."""
    for each in formats:
        print(
            f"{each.name}: {each.smallest:.3g} to {each.largest:.3g}, gap above 1 {each.gap:.3g}, whole numbers to "
            f"{each.largest_run:,}, ties to {each.ties}, rounding {each.rounding:.2g}; product "
            f"{1e3 * median(each.product_seconds):.2f} ms, error {each.product_error:.1e}"
        )
    if formats:
        print()


def _print_changes(changes: list[GreedyChange], model: str) -> None:
    """How greedy texts change in each format."""
    if changes:
        print(f"greedy texts of {model} compared with float32")
    for each in changes:
        print(
            f"  {each.format:8}  {each.changed} of {each.prompts} change [{each.interval.low:.2f}, "
            f"{each.interval.high:.2f}]; {each.other_choices} of {each.decisions} choices differ, {each.tied} tie; "
            f"logits differ by up to {each.largest_difference:.2g}; forward pass {1e3 * median(each.seconds):.2f} ms"
        )


def _write_page(
    plot: Path,
    rows: list[LayerRow],
    attention: AttentionReport | None,
    formats: list[Format],
    changes: list[GreedyChange],
    model: str,
) -> None:
    """Write the page."""
    from shoal.cli.files import write_whole
    from shoal.reports import layers_page

    write_whole(plot, layers_page(rows, attention, formats, changes, model=model))
    say(f"written to {plot}")
