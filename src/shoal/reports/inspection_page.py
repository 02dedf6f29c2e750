"""An inspection as one HTML file that opens offline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import (
    BarRow,
    Section,
    TokenBox,
    TokenMeasure,
    bar_style,
    bar_table,
    document,
    head_data,
    head_grid,
    head_script,
    head_style,
    lens_script,
    lens_style,
    token_data,
    token_script,
    token_style,
    token_view,
    visible,
)
from shoal.reports.inspection_tables import (
    cause_sections,
    lens_table,
    neurons_table,
    roles_table,
    stream_table,
    why_not,
)
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.insight import Attribution, Findings, Inspection, LensReading

_BARS = 24
_HEAD = re.compile(r"block (\d+) head (\d+)")


def inspection_page(found: Inspection, causes: Findings | None = None, *, leading: Sequence[Section] = ()) -> str:
    """A whole document: tokens, heads, layers, attribution, neurons.

    Args:
        found: what to show.
        causes: what patching, ablation and the history of a training found, by name.
        leading: sections that stand before those of the model.
    """
    data: dict[str, Any] = {}
    sections = [
        Section(anchor, name, why_not(found.missing[anchor]) if anchor in found.missing else make(found, data))
        for anchor, name, make in _SECTIONS
    ]
    return document(
        f"Inside {found.model}",
        _result(found),
        [*leading, *sections, *cause_sections(causes or {}, found.missing)],
        details=_details(found),
        style=token_style() + head_style() + lens_style() + bar_style() + _STYLE,
        script=token_script() + head_script() + lens_script(),
        data=data,
    )


def _result(found: Inspection) -> str:
    """What the model predicts, and which part does most for it."""
    shared = found.attribution
    if shared is None:
        known = [bits for bits in found.surprisal if bits is not None]
        mean = f"{sum(known) / len(known):.2f} bits" if known else "no bits that are known"
        return f"The text of {plural(len(found.tokens), 'token')} costs the model {mean} per token."
    after = f"After {_quoted(found.tokens[shared.position])}"
    target = _quoted(found.names[shared.target])
    likely = ""
    if found.lens:
        last = found.lens[-1]
        # The lens holds the likeliest tokens alone: a target of the caller may have no probability there.
        chance = dict(zip(last.top_ids[shared.position], last.top_p[shared.position], strict=True))
        likely = f" ({chance[shared.target]:.0%})" if shared.target in chance else ""
    best = likely and found.lens[-1].top_ids[shared.position][0] == shared.target
    begins = f"{after} the model predicts {target}{likely}" if best else f"{after}, {target}{likely}"
    if shared.foil is not None:
        return _against_foil(found, shared, "" if not best else f"{begins}, ", target=f"{target}{likely}", after=after)
    name, value = max(shared.parts.items(), key=lambda item: item[1])
    return f"{begins}{';' if best else ':'} {name} favours it most ({value:+.2f} of {shared.total:+.2f} logits)."


def _against_foil(found: Inspection, shared: Attribution, predicts: str, *, target: str, after: str) -> str:
    """Which of two tokens the model favours, by how much, and which part does most for that."""
    assert shared.foil is not None
    foil = _quoted(found.names[shared.foil])
    turned = shared.total < 0
    parts = {name: -value if turned else value for name, value in shared.parts.items()}
    name = max(parts, key=lambda part: parts[part])
    by = f"{abs(shared.total):.2f} logits"
    favoured, other = (foil, target) if turned else (target, foil)
    favours = (
        f"{predicts}{by} above {foil}" if predicts else f"{after} the model favours {favoured} over {other} by {by}"
    )
    return f"{favours}; {name} does most for it ({parts[name]:+.2f})."


def _details(found: Inspection) -> str:
    """How much was read, and what the views found."""
    parts = [plural(len(found.tokens), "token")]
    known = [bits for bits in found.surprisal if bits is not None]
    if known:
        parts.append(f"{sum(known) / len(known):.2f} bits per token")
    if found.roles is not None:
        parts.append(f"{len(found.roles.typed)} of {len(found.roles.heads)} heads have a known role")
    if found.neurons is not None:
        parts.append(f"{found.neurons.selective:,} of {found.neurons.all_neurons:,} neurons are selective")
    return f"{joined(parts)}. Text: {_quoted(found.reading.text)}"


def _quoted(text: str) -> str:
    return f"“{visible(text)}”" if not text.strip() else f"“{text.strip()}”"


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
    measures = [TokenMeasure(name="surprisal", values=found.surprisal, unit="bits")]
    if found.lens:
        depth = [_settled(found.lens, place) for place in range(len(boxes))]
        measures.append(TokenMeasure(name="layer from which the prediction stands (0: embedding)", values=depth))
    data["tokens-text"] = token_data(boxes, measures)
    known = [bits for bits in found.surprisal if bits is not None]
    mean = f" On average {sum(known) / len(known):.2f} bits per token." if known else ""
    return Markup("<p>{}</p>{}").format(
        f"How unexpected each token was, in bits: -log2 of the probability that the model gave it.{mean}",
        token_view("text", boxes, label="the tokens of the text", measures=measures),
    )


def _settled(lens: tuple[LensReading, ...], place: int) -> int:
    """The first layer (0 is the embedding) from which on the likeliest token is the final one."""
    final = lens[-1].top_ids[place][0]
    first = len(lens) - 1
    # From the end backwards: a layer that had the token and lost it again does not count.
    while first and lens[first - 1].top_ids[place][0] == final:
        first -= 1
    return first


def _attention(found: Inspection, data: dict[str, Any]) -> Markup:
    """The grid of patterns, the large one of the head that matters most first."""
    start, why = _start(found)
    data["heads-text"] = head_data(found.patterns, found.tokens, start=start)
    share = sum(each.share for each in found.patterns) / len(found.patterns)
    links = found.patterns[0].keys_LT.shape[1]
    return Markup("<p>{}</p>{}").format(
        "A row per query, a column per key; the stronger the colour, the more attention (its square root is drawn). "
        f"Of each query the {plural(links, 'strongest link')} are drawn: {share:.1%} of all attention. The arcs follow "
        f"the pointer: they go from a query to the tokens that it looks at. Heads with a role have a frame.{why} "
        "Choose another with the arrow keys or by pointing at it.",
        head_grid("text", found.patterns, label="attention by block and head"),
    )


def _start(found: Inspection) -> tuple[int, str]:
    """Which head is shown first, and why: the one with the largest direct effect, or the most certain role."""
    places = {(each.block, each.head): place for place, each in enumerate(found.patterns)}
    shared = found.attribution
    if shared is not None:
        # Embedding and MLPs may contribute more, but have no pattern to show.
        effects = {name: value for name, value in shared.parts.items() if (_place_of(name) or (-1, -1)) in places}
        if effects:
            name = max(effects, key=lambda each: abs(effects[each]))
            place = places[_place_of(name) or (0, 0)]
            return (
                place,
                f" Shown first is {name}, which changes the prediction most of all heads ({effects[name]:+.2f}).",
            )
    if found.roles is not None and found.roles.typed:
        head = max(found.roles.typed, key=lambda head: max(head.scores.values()))
        place = places.get((head.block, head.head), 0)
        return place, f" Shown first is block {head.block} head {head.head}, whose role is the clearest."
    return 0, ""


def _place_of(part: str) -> tuple[int, int] | None:
    """Block and head of a part's name, where it is a head."""
    found = _HEAD.fullmatch(part)
    return None if found is None else (int(found[1]), int(found[2]))


def _attribution(found: Inspection, _: dict[str, Any]) -> Markup:
    """The largest parts of the logit difference, and what the others add."""
    shared = found.attribution
    assert shared is not None
    ranked = sorted(shared.parts.items(), key=lambda item: -abs(item[1]))
    rest = sum(value for _, value in ranked[_BARS:])
    rows = [BarRow(name=name, value=value) for name, value in ranked[:_BARS]]
    if len(ranked) > _BARS:
        # So that the bars add up to the difference, as the text above them promises.
        rows.append(BarRow(name=f"{len(ranked) - _BARS} other parts", value=rest))
    foil = "the mean over the vocabulary" if shared.foil is None else repr(found.names[shared.foil])
    return Markup("<p>{}</p>{}").format(
        f"After token {shared.position + 1}, {found.tokens[shared.position]!r}, the logit of "
        f"{found.names[shared.target]!r} is {shared.total:+.3f} above that of {foil}. What each part writes to that "
        "difference itself; the parts add up to it.",
        bar_table(rows, head=("part", "adds"), caption="Direct logit attribution"),
    )


_SECTIONS: tuple[tuple[str, str, Callable[[Inspection, dict[str, Any]], Markup]], ...] = (
    ("attention", "Attention", _attention),
    ("tokens", "Tokens and surprisal", _tokens),
    ("roles", "What heads do", lambda found, _: roles_table(found)),
    ("stream", "Residual stream", lambda found, _: stream_table(found)),
    ("lens", "Layers", lambda found, _: lens_table(found)),
    ("attribution", "Which parts made the prediction", _attribution),
    ("neurons", "Neurons", lambda found, _: neurons_table(found)),
)
