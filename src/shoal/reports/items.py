"""The items of a run in its report: a grid of which are right, and each one with its tokens and the model's answer.

A page must stay light, so an item of many tokens is cut to windows (its beginning, its end, and the surroundings of
its first divergence), the answer is stored from where it leaves the target, and of many items an even sample is taken.
Everything in full stands in the run folder.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import ITEM_STATES, GridItem, figure, item_grid_svg, item_key_svg, responsive, templates
from shoal.statistics import even_sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shoal.experiments import ItemRecord, Run
    from shoal.figures import ItemState

_ROOM = "shoal.reports"

# About a megabyte of a page with `MAX_TOKENS` tokens and their margins each, which still opens at once.
MAX_ITEMS = 1500
MAX_TOKENS = 160
# From where the answer leaves the target: what comes long after that explains nothing.
ANSWER_CHARACTERS = 240
PROMPT_CHARACTERS = 400
# Infinite margins have no JSON, and beyond two digits a margin is merely large.
MARGIN_CAP = 99.0


def items_data(run: Run, *, max_items: int = MAX_ITEMS) -> dict[str, Any]:
    """What the page's script reads: the examples once each, and the items that refer to them.

    Args:
        run: the run folder.
        max_items: items at most; those after training come first.

    Returns:
        ``examples``, ``items``, ``arms``, ``seeds``, and the counts ``total`` and ``shown``.
    """
    after = [*_rows(run, "after")]
    before = [*_rows(run, "before")]
    # What was learned comes first: items before training fill what is left of the limit.
    rows = [*even_sample(after, max_items), *even_sample(before, max_items - min(max_items, len(after)))]
    examples: dict[tuple[str, str], int] = {}
    table: list[dict[str, Any]] = []
    items = []
    for arm, seed, stage, record in rows:
        # Each example is stored once: prompts and tokens are most of the page, and every arm, seed and stage repeats
        # them.
        key = (record.prompt, record.completion)
        if key not in examples:
            examples[key] = len(table)
            table.append(_example(record))
        items.append({"example": examples[key], "arm": arm, "seed": seed, "stage": stage, **_item(record)})
    return {
        "arms": list(run.arms),
        "seeds": sorted({seed for _, seed, _, _ in rows}),
        "examples": table,
        "items": items,
        "total": len(after) + len(before),
        "shown": len(items),
    }


def windows(count: int, centre: int | None, *, max_tokens: int = MAX_TOKENS) -> list[tuple[int, int]]:
    """The windows of ``count`` tokens that are shown: all, or the beginning, around the centre, and the end.

    Args:
        count: tokens of the item.
        centre: the place of its first divergence; None where there is none.
        max_tokens: tokens that are shown, at most.

    Returns:
        (start, stop) of each, in order and apart from each other.
    """
    if count <= max_tokens:
        return [(0, count)]
    # A quarter at each end, and half around the divergence, where one looks first.
    side = max_tokens // 4
    wanted = [(0, side), (count - side, count)]
    if centre is not None:
        wanted.append((max(0, centre - side), min(count, centre + side)))
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(wanted):
        # Windows that touch are one, or the page would show a gap of no tokens.
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _rows(run: Run, stage: str) -> Iterator[tuple[str, int, str, ItemRecord]]:
    """Each item of a stage, with whose it is."""
    for arm in run.arms:
        for seed in run.seeds_of(arm):
            for record in seed.before if stage == "before" else seed.after:
                yield arm, seed.seed, stage, record


def _example(record: ItemRecord) -> dict[str, Any]:
    """What all items of one example share."""
    prompt = record.prompt
    short = prompt if len(prompt) <= PROMPT_CHARACTERS else f"{prompt[:200]} … {prompt[-200:]}"
    return {
        "prompt": short,
        "prompt_characters": len(prompt),
        "tokens": record.tokens_text,
        "ends": record.ends,
        "name": str(record.tags.get("index", record.index)),
    }


def _item(record: ItemRecord) -> dict[str, Any]:
    """How a model did on one example."""
    margins = [_rounded(value) for value in record.token_margins]
    stretches = windows(len(record.tokens_text), record.first_divergence)
    gaps = [(stop, start) for (_, stop), (start, _) in pairwise(stretches)]
    answer = record.greedy_text
    shared = _shared(answer or "", record.completion)
    return {
        "split": record.split,
        "exact": record.exact_match,
        "at": record.first_divergence,
        "kind": record.divergence,
        "status": record.status,
        "spans": [[start, stop, margins[start:stop]] for start, stop in stretches],
        "gaps": [
            # The least margin of what is left out, so that a narrow decision in a gap does not go unseen.
            min((value for value in margins[start:stop] if value is not None), default=None)
            for start, stop in gaps
        ],
        "answer": None if answer is None else answer[shared : shared + ANSWER_CHARACTERS],
        # The last forty characters in common are the context in which the difference can be read.
        "shared": record.completion[max(0, shared - 40) : shared],
        "shared_characters": shared,
        "cut": 0 if answer is None else max(0, len(answer) - shared - ANSWER_CHARACTERS),
        "answer_ends": record.greedy_ends,
    }


def _shared(first: str, second: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def _rounded(value: float | None) -> float | None:
    """A margin as the page shows it: two decimals, capped; None where it is not a number."""
    if value is None or math.isnan(value):
        return None
    return round(max(-MARGIN_CAP, min(MARGIN_CAP, value)), 2)


def by_index(run: Run) -> Markup | None:
    """The grids with their key."""
    drawn = _item_grids(run)
    if not drawn:
        return None
    states: list[ItemState] = ["right", "ended-early", "went-on", "other"]
    key = [(Markup(item_key_svg(state)), ITEM_STATES[state]) for state in states]
    drawing = figure(drawn, caption="One row per seed, one column per item.")
    return Markup(templates(_ROOM).get_template("by_index.html.j2").render(key=key, drawing=drawing))


def items_frame(data: Mapping[str, Any]) -> Markup | None:
    """The frame that the page's script fills with items."""
    if not data["items"]:
        return None
    everything = [("", "all")]
    filters = [
        ("arm", "Arm", everything + [(arm, arm) for arm in data["arms"]]),
        ("seed", "Seed", everything + [(str(seed), str(seed)) for seed in data["seeds"]]),
        ("split", "Split", [*everything, ("held_out", "held out"), ("seen", "seen")]),
        ("stage", "Training", [*everything, ("before", "before"), ("after", "after")]),
        ("outcome", "Outcome", [*everything, ("right", "right"), ("wrong", "wrong")]),
    ]
    template = templates(_ROOM).get_template("items.html.j2")
    return Markup(template.render(filters=filters, total=data["total"], shown=data["shown"]))


def _item_grids(run: Run) -> list[Markup]:
    """A drawing of each arm that has items after training; empty where none has."""
    drawn = []
    for arm in run.arms:
        cells = [
            GridItem(
                column=_column(record),
                row=f"seed {seed.seed}",
                state=_state(record),
                held_out=record.split == "held_out",
            )
            for seed in run.seeds_of(arm)
            for record in seed.after
        ]
        if cells:
            drawn.append(_grid(cells, arm, _axis(run)))
    return drawn


def _grid(cells: list[GridItem], arm: str, axis: str) -> Markup:
    """The items of one arm."""
    return responsive(lambda width: item_grid_svg(cells, title=arm, axis=axis, width=width))


def _column(record: ItemRecord) -> int:
    """Where an item stands: its tag ``index`` where that is a whole number, else its place in the list."""
    tag = record.tags.get("index")
    # True is an int in Python, and no place.
    return tag if isinstance(tag, int) and not isinstance(tag, bool) else int(record.index)


def _state(record: ItemRecord) -> ItemState:
    """How an item went."""
    if record.exact_match:
        return "right"
    return record.divergence or "other"


def _axis(run: Run) -> str:
    """What the columns are."""
    # The first item stands for all: a task tags all of its items or none.
    tagged = any("index" in record.tags for seed in run.seeds for record in seed.after[:1])
    return "index i of the item" if tagged else "place of the item"
