"""The tokens of a text by one or more tokenizers, as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import Measure, TokenBox, page, table, token_data, token_script, token_style, token_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.tokens import TokenizationDiff, TokenReading


def tokens_page(readings: Sequence[TokenReading], diffs: Sequence[TokenizationDiff] = ()) -> str:
    """A whole document that opens offline.

    Args:
        readings: the same text by each tokenizer.
        diffs: comparisons of two of them.
    """
    views, data = [], {}
    for place, reading in enumerate(readings):
        boxes, measures = _boxes(reading), _measures(reading)
        views.append(
            Markup("<section id='reading-{}'><h2>{}</h2>{}{}{}</section>").format(
                place,
                reading.model,
                Markup("<p>{}</p>").format(_summary(reading)),
                token_view(str(place), boxes, label=f"tokens by {reading.model}", measures=measures),
                _named(reading),
            )
        )
        data[f"tokens-{place}"] = token_data(boxes, measures)
    body = Markup("<h1>{}</h1>{}{}").format(
        "Tokens",
        Markup("").join(views),
        Markup("").join(_diff(number, each) for number, each in enumerate(diffs)),
    )
    contents = [(f"reading-{place}", reading.model) for place, reading in enumerate(readings)]
    contents += [(f"diff-{place}", f"against {each.second}") for place, each in enumerate(diffs)]
    return page(title="Tokens", body=body, contents=contents, style=token_style(), script=token_script(), data=data)


def _boxes(reading: TokenReading) -> list[TokenBox]:
    """A box a token."""
    return [
        TokenBox(
            text=piece.text or piece.token,
            kind=piece.kind,
            facts={"in the vocabulary": piece.token, "id": piece.id, "characters": f"{piece.start} to {piece.stop}"},
        )
        for piece in reading.pieces
    ]


def _measures(reading: TokenReading) -> list[Measure]:
    """What the boxes can be coloured by."""
    sizes = [len(piece.text.encode()) if piece.kind == "text" else None for piece in reading.pieces]
    ids = [piece.id for piece in reading.pieces]
    return [Measure(name="length", values=sizes, unit="bytes"), Measure(name="id", values=ids)]


def _summary(reading: TokenReading) -> str:
    """The figures in a sentence."""
    trip = (
        "decoding gives the text back"
        if reading.first_difference is None
        else f"decoding does not give the text back: it differs from character {reading.first_difference} on"
    )
    return (
        f"{len(reading.plain)} tokens ({len(reading.pieces)} with those that the tokenizer adds) for "
        f"{len(reading.text)} characters, {len(reading.text.encode())} bytes; {trip}. Dashed: special tokens; "
        "underlined: less than a character."
    )


def _named(reading: TokenReading) -> Markup:
    """The tokens that have a role."""
    roles = {"bos": "beginning", "eos": "end", "pad": "padding", "unk": "unknown"}
    rows = [(roles[name], *(found if found is not None else ("none", ""))) for name, found in reading.named.items()]
    return table(("role", "token", "id"), rows, caption="Tokens with a role", numeric=(2,))


def _diff(number: int, diff: TokenizationDiff) -> Markup:
    """The diff of two tokenizations, as a table."""
    rows = [(span.text, _joined(span.first), _joined(span.second)) for span in diff.spans]
    summary = (
        f"{diff.shared} boundaries are shared, {diff.only_first} are of the first alone, "
        f"{diff.only_second} of the second alone: agreement {diff.agreement:.2f} (shared among all)."
    )
    found = table(("text", diff.first, diff.second), rows, caption="Spans that are divided differently") if rows else ""
    return Markup("<section id='diff-{}'><h2>{} against {}</h2><p>{}</p>{}</section>").format(
        number, diff.first, diff.second, summary, found
    )


def _joined(tokens: Sequence[str]) -> Markup:
    """Tokens, each in a box of its own."""
    return Markup(" ").join(Markup("<code>{}</code>").format(token) for token in tokens)
