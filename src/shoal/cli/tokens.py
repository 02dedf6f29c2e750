"""``shoal tokens``: how tokenizers split a text, where they differ, and how many tokens a corpus takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Json, Plot, Seed
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, write_whole
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.insight import TokenCounts, TokenizationDiff, TokenReading


def tokens(
    text: str | None = None,
    /,
    *,
    model: Annotated[list[str], Parameter(negative="", consume_multiple=False)],
    corpus: Path | None = None,
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show the tokens of a text by one or more tokenizers, and where they differ.

    Parameters
    ----------
    text
        The text.
    model
        Model spec, of which the tokenizer alone is read. Repeatable, to compare: --model A --model B.
    corpus
        Corpus to measure too: tokens per word, bytes per token, lost characters. A line <|endoftext|> or a blank
        line ends a document.
    """
    from shoal.corpora import read_documents
    from shoal.insight import AnalysisOptions, compare_tokenizations, count_tokens, read_tokens
    from shoal.models import load_tokenizer

    if text is None and corpus is None:
        raise UsageError(
            "nothing to read: give a text, as in shoal tokens 'One day' --model bundled:stories, or --corpus FILE"
        )
    if plot is not None and text is None:
        raise UsageError("--plot draws the tokens of a text; give the text too")
    if plot is not None:
        check_target(plot)
    documents = list(read_documents(corpus)) if corpus is not None else []
    # Each once, in their order: the first one is what the others are compared with.
    tokenizers = {spec: load_tokenizer(spec) for spec in dict.fromkeys(model)}
    readings = [read_tokens(each, text, model=spec) for spec, each in tokenizers.items()] if text is not None else []
    diffs = [compare_tokenizations(readings[0], other) for other in readings[1:]]
    with progress_bars() as progress:
        options = AnalysisOptions(seed=seed, progress=progress)
        counts = [
            count_tokens(each, documents, model=spec, options=options) for spec, each in tokenizers.items() if documents
        ]
    if plot is not None:
        _write_page(plot, readings, diffs)
    if as_json:
        print_json(
            {
                "readings": [reading.to_dict() for reading in readings],
                "comparisons": [diff.to_dict() for diff in diffs],
                "corpus": [count.to_dict() for count in counts],
            }
        )
        return
    _print(readings, diffs, counts)


def _print(readings: list[TokenReading], diffs: list[TokenizationDiff], counts: list[TokenCounts]) -> None:
    """Print the tokens, where tokenizers differ, and the token counts of a corpus."""
    for found in (*readings, *diffs):
        print(f"{found}\n")
    if counts:
        first = counts[0]
        print(
            f"{first.documents} documents, {first.words:,} words, {first.bytes:,} bytes; "
            f"{100 * first.confidence:g}% bootstrap intervals"
        )
    for count in counts:
        print(f"\n{count}")


def _write_page(plot: Path, readings: list[TokenReading], diffs: list[TokenizationDiff]) -> None:
    """The page of a text."""
    from shoal.reports import tokens_page

    write_whole(plot, tokens_page(readings, diffs))
    print_notice(f"written to {plot}")
