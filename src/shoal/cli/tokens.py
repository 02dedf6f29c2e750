"""``shoal tokens``: how tokenizers split a text, where they differ, and how many tokens a corpus takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Json, Plot, Seed
from shoal.cli.terminal import say
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.insight import Parting, TokenCounts, TokenReading


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
    from shoal.cli.console import print_json, progress_bars
    from shoal.cli.files import check_target
    from shoal.corpora import read_documents
    from shoal.insight import count_tokens, read_tokens, where_they_part
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
    tokenizers = {spec: load_tokenizer(spec) for spec in dict.fromkeys(model)}
    readings = [read_tokens(each, text, model=spec) for spec, each in tokenizers.items()] if text is not None else []
    partings = [where_they_part(readings[0], other) for other in readings[1:]]
    with progress_bars() as progress:
        counts = [
            count_tokens(each, documents, model=spec, seed=seed, progress=progress)
            for spec, each in tokenizers.items()
            if documents
        ]
    if plot is not None:
        _write_page(plot, readings, partings)
    if as_json:
        print_json(
            {
                "readings": [reading.to_dict() for reading in readings],
                "partings": [parting.to_dict() for parting in partings],
                "corpus": [count.to_dict() for count in counts],
            }
        )
        return
    for reading in readings:
        _print_reading(reading)
    for parting in partings:
        _print_parting(parting)
    _print_counts(counts)


def _print_reading(reading: TokenReading) -> None:
    """Print the tokens, one per line."""
    size = len(reading.text.encode())
    print(
        f"{reading.model}: {len(reading.plain)} tokens ({len(reading.pieces)} with special ones), "
        f"{len(reading.text)} characters, {size} bytes, vocabulary {reading.vocabulary}"
    )
    for role, found in reading.named.items():
        print(f"  {role}  {'none' if found is None else f'{found[0]!r} = {found[1]}'}")
    width = max((len(repr(piece.token)) for piece in reading.pieces), default=0)
    print(f"\n  {'id':>7}  {'token':{width}}  characters")
    for piece in reading.pieces:
        covers = repr(piece.text) if piece.text else "added by the tokenizer"
        kind = "" if piece.kind == "text" or not piece.text else f"  ({piece.kind})"
        print(f"  {piece.id:7}  {piece.token!r:{width}}  {covers}{kind}")
    place = reading.first_difference
    if place is None:
        print("\n  round trip: decoding gives the text back\n")
    else:
        print(
            f"\n  round trip: broken at character {place}: {reading.text[place : place + 20]!r} "
            f"comes back as {reading.decoded[place : place + 20]!r}\n"
        )


def _print_parting(parting: Parting) -> None:
    """Print where two tokenizers differ."""
    print(
        f"{parting.first} and {parting.second} share {parting.shared} cuts, {parting.only_first} are made by the first "
        f"alone and {parting.only_second} by the second alone (agreement {parting.agreement:.2f})"
    )
    for span in parting.spans:
        print(
            f"  {span.start:5}  {span.text!r}: {' '.join(map(repr, span.first))} | {' '.join(map(repr, span.second))}"
        )
    print()


def _print_counts(counts: list[TokenCounts]) -> None:
    """Print the token counts of a corpus."""
    if not counts:
        return
    head = counts[0]
    print(
        f"{head.documents} documents, {head.words:,} words, {head.bytes:,} bytes; "
        f"{head.confidence:.0%} bootstrap intervals"
    )
    for count in counts:
        word, size = count.tokens_a_word, count.bytes_a_token
        print(f"\n{count.model}: {count.tokens:,} tokens, {count.used} of {count.vocabulary} different ones used")
        print(f"  tokens per word {word.value:.3f}{_interval(word.low, word.high)}")
        print(f"  bytes per token {size.value:.3f}{_interval(size.low, size.high)}")
        print(f"  unknown tokens  {count.unknown}, tokens shorter than a character {count.byte_tokens}")
        whole = count.documents - count.broken_round_trips
        print(f"  round trip      {whole} of {count.documents} documents come back whole")


def _interval(low: float | None, high: float | None) -> str:
    """An interval as text."""
    return "  (one document gives no interval)" if low is None or high is None else f"  [{low:.3f}, {high:.3f}]"


def _write_page(plot: Path, readings: list[TokenReading], partings: list[Parting]) -> None:
    """The page of a text."""
    from shoal.cli.files import write_whole
    from shoal.reports import tokens_page

    write_whole(plot, tokens_page(readings, partings))
    say(f"written to {plot}")
