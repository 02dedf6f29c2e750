"""The tokens of a text by one or more tokenizers, as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import Measure, TokenBox, page, table, token_data, token_script, token_style, token_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.tokens import Parting, TokenReading


def tokens_page(readings: Sequence[TokenReading], partings: Sequence[Parting] = ()) -> str:
    """A whole document that opens offline.

    Args:
        readings: the same text by each tokenizer.
        partings: comparisons of two of them.
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
        Markup("").join(_parting(number, each) for number, each in enumerate(partings)),
    )
    contents = [(f"reading-{place}", reading.model) for place, reading in enumerate(readings)]
    contents += [(f"parting-{place}", f"against {each.second}") for place, each in enumerate(partings)]
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


def _parting(number: int, parting: Parting) -> Markup:
    """Where two tokenizers part, as a table."""
    rows = [(span.text, _joined(span.first), _joined(span.second)) for span in parting.spans]
    summary = (
        f"{parting.shared} cuts are shared, {parting.only_first} made by the first alone, "
        f"{parting.only_second} by the second alone: agreement {parting.agreement:.2f} (shared among all)."
    )
    found = (
        table(("text", parting.first, parting.second), rows, caption="Stretches that are cut differently")
        if rows
        else ""
    )
    return Markup("<section id='parting-{}'><h2>{} against {}</h2><p>{}</p>{}</section>").format(
        number, parting.first, parting.second, summary, found
    )


def _joined(tokens: Sequence[str]) -> Markup:
    """Tokens that can be told from each other."""
    return Markup(" ").join(Markup("<code>{}</code>").format(token) for token in tokens)
