"""The narrowness report: what the held-out part tests, before any model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import table
from shoal.reports.html_format import facts

if TYPE_CHECKING:
    from shoal.reports.folder import Record

_LEAD = Markup("<p class=lead>The held-out part tests: <strong>{}</strong>.</p>")
_MORE = Markup("<details><summary>All numbers of the narrowness report</summary>{}</details>")


def narrowness(record: Record | None) -> Markup | None:
    """The conclusion, the shortcuts, and every number behind them; None where there is no report yet."""
    if record is None:
        return None
    said = Markup("").join(Markup("<li>{}.</li>").format(capital(sentence)) for sentence in record["conclusion"])
    programs = ([record["rule"]] if record["rule"] else []) + record["shortcuts"]
    rows = [[program["name"], program["right"], program["items"]] for program in programs]
    caption = "What programs without a model answer on the held-out items"
    numbers = {key: value for key, value in record.items() if key not in ("conclusion", "shortcuts", "kind", "rule")}
    return Markup("").join(
        [
            _LEAD.format(record["kind"]),
            Markup("<ul>{}</ul>").format(said),
            table(["Program", "Right", "Of"], rows, caption=caption, numeric=(1, 2)) if rows else "",
            _MORE.format(facts(numbers, caption="Held-out beside seen examples")),
        ]
    )


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
