"""The items of a run, page by page and searched on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import Section, document, templates
from shoal.reports import report_style
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.run_names import find_run, inside, refuse_links, run_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.studio.item_files import ItemPage
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

PAGE_ITEMS = 20
_CUT = 600
_STAGES = (("after", "after"), ("before", "before"))
_SPLITS = (("", "all"), ("held_out", "held out"), ("seen", "seen"))
_OUTCOMES = (("", "all"), ("right", "right"), ("wrong", "wrong"))
_KINDS = {"ended-early": "ended too early", "went-on": "went on too long", "other": "another token"}


def item_list_page(studio: Studio, name: str, query: Query) -> str:
    """Items of one training.

    Args:
        studio: whose run.
        name: of the run.
        query: ``training`` (arm and seed), ``stage``, ``split``, ``outcome``, ``search`` and ``page``.

    Raises:
        PageError: there is no such run, or its items cannot be read.
    """
    folder = find_run(studio.settings.folder, name)
    trainings = _trainings(folder)
    if not trainings:
        raise PageError(404, f"{name} has no items yet; they are written as its trainings come to their end")
    training = query.choice("training", trainings, next(iter(trainings)))
    stage = query.choice("stage", ("after", "before"), "after")
    chosen = {
        "search": query.text("search"),
        "training": training,
        "stage": stage,
        "split": query.choice("split", ("held_out", "seen")),
        "outcome": query.choice("outcome", ("right", "wrong")),
    }
    path = inside(folder, f"{trainings[training]}/{stage}.jsonl")
    with studio.page("runs"):
        found = studio.items.page(
            path,
            split=chosen["split"],
            outcome=chosen["outcome"],
            search=chosen["search"],
            page=query.number("page"),
            size=PAGE_ITEMS,
        )
        html = _listed(name, query, chosen, list(trainings), found)
        back = Markup("<a href='{}'>{}</a>").format(run_address(name), name)
        return document(
            f"Items of {name}",
            f"{training}, {stage} training: {found.right:,} of {found.matching:,} items are right.",
            [Section("items", "Items", html)],
            details=Markup("Of the run {}.").format(back),
            style=report_style(),
        )


def _trainings(folder: Path) -> dict[str, str]:
    """The arms and seeds that have written items, with their places in the run folder."""
    refuse_links(folder)
    found = sorted({path.parent for path in folder.glob("arms/*/seed-*/*.jsonl") if path.stem in ("before", "after")})
    return {
        f"{path.parent.name}, {path.name.replace('-', ' ')}": path.relative_to(folder).as_posix()
        # By length first, so that seed-10 stands behind seed-9.
        for path in sorted(found, key=lambda path: (path.parent.name, len(path.name), path.name))
    }


def _listed(name: str, query: Query, chosen: Mapping[str, str], trainings: list[str], found: ItemPage) -> Markup:
    path = f"{run_address(name)}items"
    rendered = (
        templates(ROOM)
        .get_template("items.html.j2")
        .render(
            action=path,
            query=chosen,
            trainings=[(training, training) for training in trainings],
            stages=_STAGES,
            splits=_SPLITS,
            outcomes=_OUTCOMES,
            found=found,
            start=(found.page - 1) * PAGE_ITEMS + 1,
            items=[_item(row) for row in found.items],
            first=query.address(path, page=1),
            previous=query.address(path, page=found.page - 1) if found.page > 1 else None,
            next=query.address(path, page=found.page + 1) if found.page < found.pages else None,
            last=query.address(path, page=found.pages),
        )
    )
    return Markup(rendered)


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    target, answer = str(row.get("completion", "")), str(row.get("greedy_text") or "")
    shared = next((k for k, (one, other) in enumerate(zip(target, answer, strict=False)) if one != other), None)
    shared = min(len(target), len(answer)) if shared is None else shared
    held = row.get("tags")
    tags = held if isinstance(held, dict) else {}
    facts = [str(row.get("split", "")).replace("_", " ")]
    if row.get("first_divergence") is not None:
        kind = _KINDS.get(str(row.get("divergence")), str(row.get("divergence")))
        facts.append(f"leaves the target at token {int(row['first_divergence']) + 1} of {row.get('tokens')} ({kind})")
    if isinstance(row.get("margin"), int | float):
        facts.append(f"smallest margin {row['margin']:+.2f}".replace("-", "\N{MINUS SIGN}"))
    if row.get("status") not in (None, "clear"):
        facts.append(str(row["status"]))
    return {
        "name": str(tags.get("index", row.get("index", ""))),
        "right": row.get("exact_match") is True,
        "facts": " · ".join(fact for fact in facts if fact),
        "prompt": _short(str(row.get("prompt", ""))),
        "target": _short(target),
        "shared": f"… {answer[:shared][-60:]}" if shared > 60 else answer[:shared],
        "answer": _short(answer[shared:]) or " (ends here)",
    }


def _short(text: str) -> str:
    return text if len(text) <= _CUT else f"{text[: _CUT // 2]} … {text[-_CUT // 2 :]}"
