"""An inspection as one HTML file that opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import (
    Measure,
    TokenBox,
    bar_style,
    bar_table,
    head_data,
    head_grid,
    head_script,
    head_style,
    lens_script,
    lens_style,
    page,
    token_data,
    token_script,
    token_style,
    token_view,
)
from shoal.reports.inspection_causes import cause_sections, why_not
from shoal.reports.inspection_tables import lens_table, neurons_table, roles_table, stream_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.insight import Findings, Inspection, LensReading

_BARS = 24


def inspection_page(found: Inspection, causes: Findings | None = None) -> str:
    """A whole document: tokens, heads, layers, attribution, neurons.

    Args:
        found: what to show.
        causes: what patching, ablation and the history of a training found, by name.
    """
    data: dict[str, Any] = {}
    sections = [
        (anchor, name, why_not(found.missing[anchor]) if anchor in found.missing else make(found, data))
        for anchor, name, make in _SECTIONS
    ]
    sections += cause_sections(causes or {}, found.missing)
    body = Markup("<h1>{}</h1>{}").format(
        f"Inside {found.model}",
        Markup("").join(
            Markup("<section id='{}'><h2>{}</h2>{}</section>").format(anchor, name, content)
            for anchor, name, content in sections
        ),
    )
    return page(
        title=f"Inside {found.model}",
        body=body,
        contents=[(anchor, name) for anchor, name, _ in sections],
        style=token_style() + head_style() + lens_style() + bar_style() + _STYLE,
        script=token_script() + head_script() + lens_script(),
        data=data,
    )


_STYLE = (
    "#roles tbody th,#neurons tbody th,#over_training tbody th,#neurons_over_training tbody th{white-space:nowrap}"
    ".example b{background:color-mix(in srgb,var(--series-2) 28%,var(--paper));border-radius:3px;font-weight:600}\n"
)


def _tokens(found: Inspection, data: dict[str, Any]) -> Markup:
    """The text with its surprisal."""
    last = found.lens[-1] if found.lens else None
    boxes = []
    for place, (piece, text) in enumerate(zip(found.reading.pieces, found.tokens, strict=True)):
        facts: dict[str, str | int | float] = {"id": piece.id}
        if last is not None:
            told = zip(last.top_ids[place], last.top_p[place], strict=True)
            facts["predicted after it"] = ", ".join(f"{found.names[id_]!r} {p:.0%}" for id_, p in told)
        boxes.append(TokenBox(text=text, kind=piece.kind, facts=facts))
    measures = [Measure(name="surprisal", values=found.surprisal, unit="bits")]
    if found.lens:
        depth = [_settled(found.lens, place) for place in range(len(boxes))]
        measures.append(Measure(name="block from which the prediction stands", values=depth))
    data["tokens-text"] = token_data(boxes, measures)
    known = [bits for bits in found.surprisal if bits is not None]
    mean = f" On average {sum(known) / len(known):.2f} bits a token." if known else ""
    return Markup("<p>{}</p>{}").format(
        f"How unexpected each token was, in bits: -log2 of the probability that the model gave it.{mean}",
        token_view("text", boxes, label="the tokens of the text", measures=measures),
    )


def _settled(lens: tuple[LensReading, ...], place: int) -> int:
    """The first layer (0 is the embedding) from which on the likeliest token is the final one."""
    final = lens[-1].top_ids[place][0]
    first = len(lens) - 1
    while first and lens[first - 1].top_ids[place][0] == final:
        first -= 1
    return first


def _attention(found: Inspection, data: dict[str, Any]) -> Markup:
    """The grid of patterns."""
    data["heads-text"] = head_data(found.patterns, found.tokens)
    share = sum(each.share for each in found.patterns) / len(found.patterns)
    links = found.patterns[0].keys_LT.shape[1]
    return Markup("<p>{}</p>{}").format(
        "A row a query, a column a key; the stronger the colour, the more attention (its square root is drawn). Of "
        f"each query the {links} strongest links are kept: together {share:.1%} of all attention. Heads with a role "
        "have a frame. Choose one with the arrow keys or by pointing at it, and a query with the slider.",
        head_grid("text", found.patterns, label="attention by block and head"),
    )


def _attribution(found: Inspection, _: dict[str, Any]) -> Markup:
    """The largest parts of the logit difference, and what the others add."""
    shared = found.attribution
    assert shared is not None
    ranked = sorted(shared.parts.items(), key=lambda item: -abs(item[1]))
    rest = sum(value for _, value in ranked[_BARS:])
    rows = ranked[:_BARS] + ([(f"{len(ranked) - _BARS} other parts", rest)] if len(ranked) > _BARS else [])
    foil = "the mean over the vocabulary" if shared.foil is None else repr(found.names[shared.foil])
    return Markup("<p>{}</p>{}").format(
        f"After token {shared.position + 1}, {found.tokens[shared.position]!r}, the logit of "
        f"{found.names[shared.target]!r} is {shared.total:+.3f} above that of {foil}. What each part writes to that "
        "difference itself; the parts add up to it.",
        bar_table(rows, head=("part", "adds"), caption="Direct logit attribution"),
    )


_SECTIONS: tuple[tuple[str, str, Callable[[Inspection, dict[str, Any]], Markup]], ...] = (
    ("tokens", "Tokens and surprisal", _tokens),
    ("attention", "Attention", _attention),
    ("roles", "What heads do", lambda found, _: roles_table(found)),
    ("stream", "Residual stream", lambda found, _: stream_table(found)),
    ("lens", "Layers", lambda found, _: lens_table(found)),
    ("attribution", "Which parts made the prediction", _attribution),
    ("neurons", "Neurons", lambda found, _: neurons_table(found)),
)
