"""``shoal layers``: the measured cost of layer types, attention implementations and number formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Json, Numbers, Plot, Seed, Texts
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, write_whole
from shoal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from shoal.insight.layers import AttentionReport, LayerRow, NumberFormat, PrecisionDrift

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
    from shoal.insight import AnalysisOptions
    from shoal.insight.layers import Ranges, compare_attention, layer_table, measure_formats, measure_precision_drift

    if plot is not None:
        check_target(plot)
    given = {"n": n, "long_n": long_n, "d": d, "k": k, "r": r}
    sizes: dict[str, Any] = {name: tuple(values) for name, values in given.items() if values}
    ranges = Ranges(repeats=repeats, **sizes)
    lines = _prompts(prompts, seed) if "formats" in chosen else []
    with progress_bars() as progress:  # the model first: where it cannot be read, nothing has been measured in vain
        options = AnalysisOptions(seed=seed, progress=progress)
        drifts = measure_precision_drift(model, lines, repeats=repeats, options=options) if lines else []
        rows = layer_table(ranges, options=options) if "types" in chosen else []
        attention = None
        if "attention" in chosen:
            attention = compare_attention(n or LENGTHS, repeats=repeats, options=options)
        formats = measure_formats(repeats=repeats, options=options) if "formats" in chosen else []
    if plot is not None:
        _write_page(plot, rows, attention, formats, drifts, model)
    if as_json:
        print_json(
            {
                "types": [row.to_dict() for row in rows],
                "attention": None if attention is None else attention.to_dict(),
                "formats": [each.to_dict() for each in formats],
                "greedy": [drift.to_dict() for drift in drifts],
            }
        )
        return
    _print(rows, attention, formats, drifts, model)


def _prompts(file: Path | None, seed: int) -> list[str]:
    """The prompts of a file, or the first words of different tales."""
    if file is None:
        from shoal.corpora import generate_stories

        # Many tales begin with the same words, and equal beginnings are dropped.
        tales = generate_stories(8 * PROMPTS, {"tale": 1.0}, seed=seed)
        return list(dict.fromkeys(" ".join(tale.split()[:PROMPT_WORDS]) for tale in tales))[:PROMPTS]
    from shoal.textfiles import numbered_lines, read_text

    lines = [line for _, line in numbered_lines(read_text(file))]
    if not lines:
        raise DataError(f"{file} holds no prompt; give a file with one prompt per line")
    return lines


def _print(
    rows: list[LayerRow],
    attention: AttentionReport | None,
    formats: list[NumberFormat],
    drifts: list[PrecisionDrift],
    model: str,
) -> None:
    """Print everything that was measured, one block per part."""
    blocks = [str(each) for each in (*rows, *([] if attention is None else [attention]))]
    if formats:
        blocks.append("\n".join(map(str, formats)))
    if drifts:
        blocks.append("\n".join([f"greedy texts of {model} compared with float32", *(f"  {each}" for each in drifts)]))
    print("\n\n".join(blocks))


def _write_page(
    plot: Path,
    rows: list[LayerRow],
    attention: AttentionReport | None,
    formats: list[NumberFormat],
    drifts: list[PrecisionDrift],
    model: str,
) -> None:
    """Write the page."""
    from shoal.reports import layers_page

    write_whole(plot, layers_page(rows, attention, formats, drifts, model=model))
    print_notice(f"written to {plot}")
