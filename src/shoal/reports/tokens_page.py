"""The tokens of a text by one or more tokenizers, as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import (
    Section,
    TokenBox,
    TokenMeasure,
    document,
    table,
    token_data,
    token_script,
    token_style,
    token_view,
)
from shoal.wording import joined, plural, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.tokens import TokenizationDiff, TokenReading


def tokens_page(readings: Sequence[TokenReading], diffs: Sequence[TokenizationDiff] = ()) -> str:
    """A whole document that opens offline.

    Args:
        readings: the same text by each tokenizer.
        diffs: comparisons of two of them.
    """
    sections, data = [], {}
    for place, reading in enumerate(readings):
        boxes, measures = _boxes(reading), _measures(reading)
        view = Markup("<p>{}</p>{}{}").format(
            _summary(reading),
            token_view(str(place), boxes, label=f"tokens by {reading.model}", measures=measures),
            _named(reading),
        )
        sections.append(Section(f"reading-{place}", reading.model, view))
        data[f"tokens-{place}"] = token_data(boxes, measures)
    for place, each in enumerate(diffs):
        sections.append(Section(f"diff-{place}", f"{each.first} against {each.second}", _diff(each)))
    return document(
        f"Tokens of {quoted(readings[0].text)}",
        _result(readings),
        sections,
        details=_agreement(diffs),
        style=token_style(),
        script=token_script(),
        data=data,
    )


def _result(readings: Sequence[TokenReading]) -> str:
    """How many tokens each tokenizer needs."""
    size = len(readings[0].text.encode())
    # Without the tokens that a tokenizer adds: they say nothing about how it cuts the text.
    counts = {reading.model: len(reading.plain) for reading in readings}
    broken = [reading.model for reading in readings if reading.first_difference is not None]
    lossy = f"; {joined(broken)} cannot give the text back" if broken else ""
    if len(readings) == 1:
        model, count = next(iter(counts.items()))
        rate = f", {size / count:.1f} bytes per token" if count else ""
        return f"{model} reads the text as {plural(count, 'token')}{rate}{lossy}."
    least = min(counts.values())
    fewest = [model for model, count in counts.items() if count == least]
    if len(fewest) == len(counts):
        return f"{joined(fewest)} need {plural(least, 'token')} each for {size:,} bytes{lossy}."
    others = joined([f"{model} needs {count}" for model, count in counts.items() if count != least])
    need = "needs" if len(fewest) == 1 else "need"
    return f"{joined(fewest)} {need} the fewest tokens, {least} for {size:,} bytes; {others}{lossy}."


def _agreement(diffs: Sequence[TokenizationDiff]) -> str:
    return " ".join(
        f"{each.first} and {each.second} agree on {each.agreement:.0%} of their boundaries." for each in diffs
    )


def _boxes(reading: TokenReading) -> list[TokenBox]:
    """A box per token."""
    return [
        TokenBox(
            text=piece.text or piece.token,
            kind=piece.kind,
            facts={"in the vocabulary": piece.token, "id": piece.id, "characters": f"{piece.start} to {piece.stop}"},
        )
        for piece in reading.pieces
    ]


def _measures(reading: TokenReading) -> list[TokenMeasure]:
    """What the boxes can be coloured by."""
    # Special tokens stand for no bytes of the text.
    sizes = [len(piece.text.encode()) if piece.kind == "text" else None for piece in reading.pieces]
    ids = [piece.id for piece in reading.pieces]
    return [TokenMeasure(name="length", values=sizes, unit="bytes"), TokenMeasure(name="id", values=ids)]


def _summary(reading: TokenReading) -> str:
    """The figures in a sentence."""
    trip = (
        "decoding gives the text back"
        if reading.first_difference is None
        else f"decoding does not give the text back: it differs from character {reading.first_difference} on"
    )
    added = len(reading.pieces) - len(reading.plain)
    whole = f" ({len(reading.pieces)} with those that the tokenizer adds)" if added else ""
    return (
        f"{plural(len(reading.plain), 'token')}{whole} for "
        f"{len(reading.text)} characters, {len(reading.text.encode())} bytes; {trip}. Dashed: special tokens; "
        "underlined: less than a character."
    )


def _named(reading: TokenReading) -> Markup:
    """The tokens that have a role."""
    roles = {"bos": "beginning", "eos": "end", "pad": "padding", "unk": "unknown"}
    rows = [(roles[name], *(found if found is not None else ("none", ""))) for name, found in reading.named.items()]
    return table(("role", "token", "id"), rows, caption="Tokens with a role", numeric=(2,))


def _diff(diff: TokenizationDiff) -> Markup:
    """The diff of two tokenizations, as a table."""
    rows = [(span.text, _joined(span.first), _joined(span.second)) for span in diff.spans]
    summary = (
        f"{diff.shared} boundaries are shared, {diff.only_first} are of the first alone, "
        f"{diff.only_second} of the second alone: agreement {diff.agreement:.2f} (shared among all)."
    )
    head = ("text", diff.first, diff.second)
    listed = table(head, rows, caption="Spans that are divided differently") if rows else ""
    return Markup("<p>{}</p>{}").format(summary, listed)


def _joined(tokens: Sequence[str]) -> Markup:
    """Tokens, each in a box of its own."""
    return Markup(" ").join(Markup("<code>{}</code>").format(token) for token in tokens)
