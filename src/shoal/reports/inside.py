"""What is inside the trained arms, on one held-out example: a table an arm, and the way to its own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import table

if TYPE_CHECKING:
    from shoal.experiments import Run
    from shoal.reports.folder import Record

_LEAD = Markup(
    "<p>The first seed of each arm after training, while it reads this held-out example with its right answer: "
    "<q>{}</q></p>"
)
_LINK = Markup("<a href='inside/{0}.html'>all views of {0}</a>")
_CUT = 240


def inside(run: Run) -> Markup | None:
    """The arms side by side; None where none has been looked into."""
    if not run.inside:
        return None
    text = run.inside[0]["text"]
    rows = [_row(record) for record in run.inside]
    head = ("Arm", "Bits a token", "Heads with a role", "Says after the last token", "Against", "Largest parts", "More")
    caption = "What the layers and heads of each arm do; the parts add up to the logit difference"
    shown = text if len(text) <= _CUT else f"{text[: _CUT // 2]} … {text[-_CUT // 2 :]}"
    return _LEAD.format(shown) + table(head, rows, caption=caption, numeric=(1,))


def _row(record: Record) -> tuple[object, ...]:
    """One arm."""
    if record["why_not"] is not None:
        return (record["arm"], "", f"not shown: {record['why_not']}", "", "", "", "")
    bits, difference = record["bits_a_token"], record["difference"]
    named = "; ".join(f"block {each['block']} head {each['head']} {each['roles'][0]}" for each in record["roles"])
    return (
        record["arm"],
        "" if bits is None else f"{bits:.2f}",
        f"{len(record['roles'])} of {record['heads']}" + (f": {named}" if named else ""),
        _said(record),
        "" if difference is None else f"{record['foil']!r}, by {difference:+.2f}",
        "; ".join(f"{name} {value:+.2f}" for name, value in record["parts"].items()),
        _LINK.format(record["arm"]),
    )


def _said(record: Record) -> str:
    """The last layer's word, and the layer from which on it stands."""
    layers = record["layers"]
    if not layers:
        return ""
    last, first = layers[-1], len(layers) - 1
    while first and layers[first - 1]["token"] == last["token"]:
        first -= 1
    return f"{last['token']!r} ({last['p']:.0%}), since {layers[first]['layer']}"
