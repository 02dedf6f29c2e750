"""All runs of a folder: filtered, sorted, searched, and checked for a comparison."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import Section, document, templates
from shoal.studio.frame import ROOM
from shoal.studio.index import SORTS, RunQuery
from shoal.studio.run_names import PLAN_KINDS, run_address
from shoal.studio.summary import STATES
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.studio.index import RunList
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio
    from shoal.studio.summary import RunSummary

VERDICTS = ("supported", "refuted", "underpowered", "confounded")
SIGNS = {"supported": "✓", "refuted": "✗", "underpowered": "?", "confounded": "!"}
MINUS = "\N{MINUS SIGN}"
_FALLING = ("effect", "modified")
"""What is sorted from the largest down where nothing else was chosen."""

_COLUMNS = (("Name", "name"), ("State", "state"), ("Verdict", "verdict"), ("Effect", "effect"), ("Task", "task"),
            ("Changed", "modified"))  # fmt: skip


def run_list_page(studio: Studio, query: Query) -> str:
    """The list of runs.

    Args:
        studio: whose runs.
        query: ``search``, ``state``, ``verdict``, ``kind``, ``sort``, ``order`` and ``page``.
    """
    wanted = read_query(query)
    found = studio.index.find(wanted)
    with studio.page("runs"):
        sections = [Section("runs", "Runs", _table(found, wanted, query, complete=studio.index.complete))]
        alive = [state for state in studio.trainings.all() if state.is_alive]
        if alive or found.counts["state"].get("running"):
            link = Markup("<p><a href='/live'>Follow what is under way</a></p>")
            sections.insert(0, Section("under-way", "Under way", link))
        return document(f"Runs in {studio.settings.folder}", _result(found), sections)


def read_query(query: Query) -> RunQuery:
    """The values of an address as what the index takes."""
    sort = query.choice("sort", SORTS, "modified")
    return RunQuery(
        search=query.text("search"),
        state=query.choice("state", STATES),
        verdict=query.choice("verdict", VERDICTS),
        kind=query.choice("kind", tuple(PLAN_KINDS.values())),
        sort=sort,
        descending=query.choice("order", ("up", "down"), "down" if sort in _FALLING else "up") == "down",
        page=query.number("page"),
    )


def effect_text(run: RunSummary) -> str:
    """An effect with its interval; empty where there is none."""
    if run.effect is None:
        return ""
    low = f"{MINUS}∞" if run.low is None else f"{run.low:+.3f}"
    high = "∞" if run.high is None else f"{run.high:+.3f}"
    return f"{run.effect:+.3f} [{low}, {high}]".replace("-", MINUS)


def _result(found: RunList) -> str:
    if not found.total:
        return "No run yet: start one here, or with `shoal run`."
    parts = [f"{count:,} {state}" for state, count in sorted(found.counts["state"].items(), key=lambda pair: -pair[1])]
    return f"{plural(found.total, 'run')}: {joined(parts)}."


def _table(found: RunList, wanted: RunQuery, query: Query, *, complete: bool) -> Markup:
    order = "down" if wanted.descending else "up"
    pages = {
        "first": query.address("/runs", page=1),
        "previous": query.address("/runs", page=found.page - 1) if found.page > 1 else None,
        "next": query.address("/runs", page=found.page + 1) if found.page < found.pages else None,
        "last": query.address("/runs", page=found.pages),
    }
    rendered = (
        templates(ROOM)
        .get_template("runs.html.j2")
        .render(
            query=wanted,
            order=order,
            states=_options("all", STATES, found.counts["state"]),
            verdicts=_options("all", VERDICTS, found.counts["verdict"]),
            kinds=_options("all", tuple(PLAN_KINDS.values()), found.counts["kind"]),
            columns=[_column(name, key, wanted, query) for name, key in _COLUMNS],
            runs=[_row(run) for run in found.runs],
            shown=_shown(found),
            complete=complete,
            page=found.page,
            pages=found.pages,
            **pages,
        )
    )
    return Markup(rendered)


def _shown(found: RunList) -> str:
    return "No run matches." if not found.matching else f"{plural(found.matching, 'run')} shown, of {found.total:,}."


def _options(everything: str, values: tuple[str, ...], counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("", everything), *((value, f"{value} ({counts[value]:,})") for value in values if value in counts)]


def _column(name: str, key: str, wanted: RunQuery, query: Query) -> dict[str, Any]:
    chosen = wanted.sort == key
    falls = not wanted.descending if chosen else key in _FALLING
    address = query.address("/runs", sort=key, order="down" if falls else "up", page=None)
    return {
        "name": name,
        "address": address,
        "sorted": ("descending" if wanted.descending else "ascending") if chosen else None,
    }


def verdict_cells(run: RunSummary) -> list[dict[str, str]]:
    """Each kind of verdict, with the number of claims that have it where a run has several claims."""
    words = run.verdict.split(", ") if run.verdict else []
    return [
        {"word": word, "sign": SIGNS.get(word, ""), "text": word if len(words) == 1 else f"{count} {word}"}
        for word, count in Counter(words).items()
    ]


def _row(run: RunSummary) -> dict[str, Any]:
    about = run.error if run.state == "damaged" else run.hypothesis
    when = datetime.fromtimestamp(run.modified, UTC).astimezone().strftime("%Y-%m-%d %H:%M") if run.modified else ""
    return {
        "name": run.name,
        "address": run_address(run.name),
        "about": about if len(about) <= 200 else f"{about[:200]} …",
        "state": run.state,
        "verdicts": verdict_cells(run),
        "effect": effect_text(run),
        "task": run.task,
        "modified": when,
        # Only experiments with arms have items that can be paired.
        "comparable": run.state == "finished" and run.kind == "experiment",
    }
