"""How far a run is: its state in words, for a page and for the script that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError
from shoal.experiments import RESUMED, is_locked, open_run, run_progress
from shoal.figures import Section, document, templates
from shoal.studio.frame import ROOM
from shoal.studio.run_names import PLAN_KINDS, RESULT_FILES, find_run, inside, run_address
from shoal.wording import capital, format_duration, plural

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.studio.studio import Studio

ALIVE = ("starting", "running", "stopping")


def progress_record(studio: Studio, name: str) -> dict[str, Any]:
    """State, units and words of a run, as the script of a page takes them.

    Args:
        studio: that may have started it.
        name: of the run.

    Raises:
        PageError: there is neither a run nor a process of that name.
    """
    folder = inside(studio.settings.folder, name)
    training = studio.trainings.state(name)
    exists = any((folder / plan).is_file() for plan in PLAN_KINDS)
    if not exists and not training.is_alive and training.state == "stopped":
        find_run(studio.settings.folder, name)
    locked = exists and is_locked(folder)
    ended = any((folder / file).is_file() for file in RESULT_FILES)
    # A run may be continued on the command line after the studio's own process ended: the lock outranks that one's
    # outcome.
    state = training.state if training.is_alive else "running" if locked else "finished" if ended else training.state
    done, total, seconds = _units(folder, training.workers) if exists else (0, 0, None)
    if not total and training.is_alive:
        # Of other kinds of runs what the process reports of the phase that it is in.
        done, total = training.done, training.total
    return {
        "state": state,
        "exists": exists,
        "done": done,
        "total": total,
        "text": _text(state, training.phase, done, total, seconds),
        "message": training.message if state == "failed" else "",
        "can_stop": training.is_alive and state != "stopping",
        "can_resume": not training.is_alive
        and not locked
        and not ended
        and any((folder / plan).is_file() for plan in RESUMED),
    }


def progress_panel(studio: Studio, name: str, record: dict[str, Any]) -> Markup:
    """The panel that shows it.

    Args:
        studio: that may have started the run.
        name: of the run.
        record: as `progress_record` gives it.
    """
    address = run_address(name)
    changes = not studio.settings.read_only
    values = record | {
        "can_stop": record["can_stop"] and changes,
        "can_resume": record["can_resume"] and changes,
    }
    rendered = (
        templates(ROOM)
        .get_template("progress.html.j2")
        .render(
            **values,
            address=f"{address}live.json",
            run_address=address,
            secret=studio.form_secret,
            log=studio.trainings.log(name) if record["state"] in ("failed", "killed") else "",
        )
    )
    return Markup(rendered)


def live_page(studio: Studio) -> str:
    """Everything that is under way, each with its progress and its curves."""
    from shoal.studio.index import RunQuery

    names = [state.run for state in studio.trainings.all() if state.is_alive]
    names += [run.name for run in studio.index.find(RunQuery(state="running")).runs if run.name not in names]
    with studio.page("runs"):
        template = templates(ROOM).get_template("overview.html.j2")
        entries = [
            {"name": name, "address": run_address(name), "live": f"{run_address(name)}live.json", **record}
            for name in names
            if (record := _record_or_none(studio, name)) is not None
        ]
        html = Markup(template.render(entries=entries))
        result = f"{plural(len(entries), 'run')} under way." if entries else "Nothing is under way."
        return document("Under way", result, [Section("live", "Runs", html)] if entries else [])


def _record_or_none(studio: Studio, name: str) -> dict[str, Any] | None:
    try:
        return progress_record(studio, name)
    except ShoalError:
        # It was removed since the index saw it.
        return None


def _units(folder: Path, workers: int | None) -> tuple[int, int, float | None]:
    """The units of an experiment; none are known of other kinds of runs, or of damaged ones."""
    try:
        found = run_progress(open_run(folder), workers=workers)
    except (ShoalError, KeyError, TypeError, ValueError):
        return 0, 0, None
    return found.done, found.total, found.seconds_left


def _text(state: str, phase: str, done: int, total: int, seconds: float | None) -> str:
    if state == "starting":
        return "The process is starting, which takes some seconds."
    parts = [phase] if phase and state == "running" else []
    if total:
        parts.append(f"{done:,} of {total:,} units of work are done")
    if state == "running" and seconds:
        parts.append(f"about {format_duration(seconds)} left")
    if state == "killed":
        parts.append("the process ended without a word; what was finished is kept")
    return capital(", ".join(parts) + ".") if parts else ""
