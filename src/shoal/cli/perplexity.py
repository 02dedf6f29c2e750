"""``shoal perplexity``: how well models predict plain texts, and which tokens surprise them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Column, Device, Dtype, Json, Plot, Seed
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, write_whole

if TYPE_CHECKING:
    from shoal.evaluation.perplexity import PerplexityComparison


def perplexity(
    text: str = "-",
    /,
    *,
    model: Annotated[list[str], Parameter(negative="", consume_multiple=False)],
    stride: int | None = None,
    context: int | None = None,
    surprising: int = 10,
    column: Column = "text",
    confidence: float = 0.95,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "float32",
    token_budget: int = 4096,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how well models predict a text: perplexity per token, word and byte, with what surprises them.

    Parameters
    ----------
    text
        A text, or a file or folder of documents (.txt, .md, .jsonl, .parquet; .gz). Default: standard input ("-").
    model
        Model spec. Repeatable, to compare: --model A --model B.
    stride
        Tokens that each window of a long document scores after the first window. Default: half of the context.
    context
        Tokens that the model reads at once. Default: all that it can.
    surprising
        Number of the most surprising tokens to name.
    confidence
        Confidence of the intervals over documents.
    token_budget
        Largest number of tokens per batch, padding included.
    """
    from shoal.cli.texts import read_texts
    from shoal.evaluation.perplexity import compare_perplexities, perplexity as measure
    from shoal.models import load_for_scoring

    if plot is not None:
        check_target(plot)
    documents = read_texts(text, column=column)
    with progress_bars() as progress:
        reports = [
            measure(
                # One model after the other, so that no two of them are in memory.
                load_for_scoring(spec, device=device, dtype=dtype),
                documents,
                stride=stride,
                context=context,
                surprising=surprising,
                confidence=confidence,
                seed=seed,
                token_budget=token_budget,
                progress=progress,
            )
            for spec in dict.fromkeys(model)
        ]
    found = compare_perplexities(reports)
    if plot is not None:
        _write_page(found, plot)
    if as_json:
        print_json(found.to_dict())
        return
    print(found)


def _write_page(found: PerplexityComparison, plot: Plot) -> None:
    from shoal.reports import perplexity_page

    assert plot is not None
    write_whole(plot, perplexity_page(found))
    print_notice(f"written to {plot}")
