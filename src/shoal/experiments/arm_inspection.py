"""What is inside a trained arm on one held-out example: its views for a page, and the figures that a report shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError
from shoal.experiments.storage import finite, write_json, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.insight import Inspection
    from shoal.models import LoadedModel
    from shoal.tasks import Example

FOLDER = "inside"

VIEWS = "views"
"""In it the whole inspection of each arm, from which its page is drawn."""

_PARTS = 6


def look_inside(loaded: LoadedModel, arm: str, example: Example, run: Path) -> None:
    """Write ``inside/ARM.json``, and ``inside/views/ARM.json`` for its page.

    The model reads the prompt with the right completion. Where that fails, the JSON has the reason; the run continues.

    Args:
        loaded: the trained model.
        arm: its name.
        example: what it reads.
        run: the run folder.
    """
    from shoal.insight import inspect_text

    text = example.prompt + example.completion
    record: dict[str, Any] = {"arm": arm, "text": text}
    loaded.model.eval()
    try:
        found = inspect_text(loaded.model, loaded.tokenizer, text, name=arm)
    # A model without an attention or a head that can be read is still a result; its page shows why it has no views.
    except ShoalError as fault:
        write_json(run / FOLDER / f"{arm}.json", record | {"why_not": str(fault)})
        return
    views = json.dumps(finite(found.to_dict()), ensure_ascii=False, allow_nan=False)
    write_text(run / FOLDER / VIEWS / f"{arm}.json", views)
    write_json(run / FOLDER / f"{arm}.json", record | _figures(found))


def _figures(found: Inspection) -> dict[str, Any]:
    """The few numbers that stand in the report."""
    known = [bits for bits in found.surprisal if bits is not None]
    shared = found.attribution
    parts = {} if shared is None else dict(sorted(shared.parts.items(), key=lambda each: -abs(each[1]))[:_PARTS])
    return {
        "why_not": None,
        "tokens": len(found.tokens),
        "bits_per_token": sum(known) / len(known) if known else None,
        "heads": 0 if found.roles is None else len(found.roles.heads),
        "roles": [
            {"block": head.block, "head": head.head, "roles": list(head.roles)}
            for head in (() if found.roles is None else found.roles.typed)
        ],
        "layers": [
            {"layer": each.layer, "token": found.names[each.top_ids[-1][0]], "p": each.top_p[-1][0]}
            for each in found.lens
        ],
        "target": None if shared is None else found.names[shared.target],
        "foil": None if shared is None or shared.foil is None else found.names[shared.foil],
        "difference": None if shared is None else shared.total,
        "parts": parts,
        "missing": found.missing,
    }
