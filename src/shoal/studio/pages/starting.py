"""Experiments that can be started, and those that were."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError
from shoal.experiments import RESUMED, available_cores, has_factors, load_experiment, shipped_experiments
from shoal.figures import Section, document, table, templates
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.run_names import inside, run_address
from shoal.wording import in_one_line, plural

if TYPE_CHECKING:
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

MAX_WORKERS = 64


def start_page(studio: Studio) -> str:
    """The experiment files, each with a form that starts it."""
    with studio.page("start"):
        sections = [Section(f"plan-{place}", title, form) for place, (title, form) in enumerate(_forms(studio))]
        states = studio.trainings.all()
        if states:
            sections.append(Section("started", "Started here", _started(states)))
        files = plural(len(studio.settings.examples), "file")
        result = f"An experiment that comes with shoal, or one of {files} given to the studio, can be started."
        return document("Start an experiment", result, sections)


def start_run(studio: Studio, form: Query) -> str:
    """Start an experiment by a form.

    Args:
        studio: where it is started.
        form: ``plan``, ``preset``, ``name`` and ``workers``.

    Returns:
        The address of its page.

    Raises:
        PageError: it cannot be started.
    """
    studio.check_writable()
    plans = _plans(studio)
    key = form.choice("plan", plans)
    if not key:
        raise PageError(404, "there is no such experiment file; choose one of the list")
    plan, preset = plans[key], form.text("preset") or None
    name = form.text("name").strip()
    folder, workers = inside(studio.settings.folder, name), _workers(form)
    # Runs resume in their folder, so that a second plan must not begin in it.
    if folder.exists():
        raise PageError(409, f"there is a folder {name!r} already; give another name, or resume that run on its page")
    try:
        _check(plan, preset)
    except ShoalError as error:
        raise PageError(422, in_one_line(error, limit=600)) from error
    studio.trainings.start(name, plan, preset=preset, workers=workers)
    return run_address(name)


def resume_run(studio: Studio, name: str) -> str:
    """Resume a run that was interrupted.

    Args:
        studio: whose run.
        name: of the run.

    Returns:
        The address of its page.

    Raises:
        PageError: it cannot be resumed.
    """
    studio.check_writable()
    folder = inside(studio.settings.folder, name)
    if not any((folder / file).is_file() for file in RESUMED):
        raise PageError(409, f"there is no run {name!r} that could be resumed; start it again")
    workers = studio.trainings.state(name).workers
    studio.trainings.start(name, None, preset=None, workers=workers)
    return run_address(name)


def stop_run(studio: Studio, name: str) -> str:
    """Ask a run to stop.

    Args:
        studio: that started it.
        name: of the run.

    Returns:
        The address of its page.

    Raises:
        PageError: it was started elsewhere, or is not under way.
    """
    studio.check_writable()
    inside(studio.settings.folder, name)
    studio.trainings.stop(name)
    return run_address(name)


def _plans(studio: Studio) -> dict[str, str]:
    """From the key of a form to an experiment file, or the name of a shipped one."""
    shipped = {f"shipped-{name}": name for name in shipped_experiments()}
    return shipped | {f"file-{place}": str(path) for place, path in enumerate(studio.settings.examples)}


def _forms(studio: Studio) -> list[tuple[str, Markup]]:
    forms = []
    for key, plan in _plans(studio).items():
        title = Path(plan).name if key.startswith("file-") else f"{plan}, which comes with shoal"
        try:
            forms.append((title, _form(studio, key, plan)))
        except (ShoalError, OSError) as error:
            # A sweep or a recipe, or a file with a mistake: named, and not left out in silence.
            if key.startswith("shipped-") or _is_experiment(plan):
                forms.append((title, Markup("<p class='fault'>{}</p>").format(in_one_line(error))))
    return forms


def _form(studio: Studio, key: str, plan: str) -> Markup:
    stamp = Path(plan).stat().st_mtime_ns if key.startswith("file-") else 0
    about, name, preset, presets, text = _described(plan, stamp)
    values: dict[str, Any] = {
        "key": key,
        "about": about,
        "presets": [(one, one) for one in presets],
        "preset": preset,
        "name": _free_name(studio, name),
        "text": text,
    }
    template = templates(ROOM).get_template("start.html.j2")
    return Markup(template.render(plan=values, workers=available_cores(), secret=studio.form_secret))


@lru_cache(maxsize=500)
def _described(plan: str, _stamp: int) -> tuple[str, str, str, list[str], str]:
    """Hypothesis, name, preset, presets and text of a file; every preset is checked, which is done once for a version.

    Raises:
        ShoalError: the file is no experiment, or has a mistake.
    """
    found = _check(plan, None)
    about = getattr(found, "hypothesis", None) or getattr(found, "question", "")
    return str(about), found.folder_name, str(getattr(found, "preset", "")), _presets(plan), _text(plan)


def _check(plan: str, preset: str | None) -> Any:
    if has_factors(plan):
        from shoal.experiments.crossed import load_crossed

        return load_crossed(plan, preset)
    return load_experiment(plan, preset)


def _is_experiment(plan: str) -> bool:
    """Whether a file states an experiment, if a broken one: sweeps and recipes have no arms."""
    try:
        return "[arms]" in Path(plan).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _text(plan: str) -> str:
    from importlib import resources

    if plan in shipped_experiments():
        return resources.files("shoal.experiments").joinpath("files", f"{plan}.toml").read_text(encoding="utf-8")
    return Path(plan).read_text(encoding="utf-8")


def _presets(plan: str) -> list[str]:
    import tomllib

    found = tomllib.loads(_text(plan)).get("presets", {})
    return list(found) if isinstance(found, dict) else []


def _free_name(studio: Studio, name: str) -> str:
    """A name that no folder has."""
    free, number = name, 1
    while (studio.settings.folder / free).exists():
        number += 1
        free = f"{name}-{number}"
    return free


def _workers(form: Query) -> int:
    count = form.number("workers", 0)
    if not 1 <= count <= MAX_WORKERS:
        raise PageError(400, f"the number of workers is from 1 to {MAX_WORKERS}")
    return count


def _started(states: list[Any]) -> Markup:
    link = Markup("<a href='{}'>{}</a>")
    rows = [[link.format(run_address(one.run), one.run), one.state, one.message] for one in states[:50]]
    return table(["Run", "State", "Message"], rows, caption="Runs that this studio started, the newest first")
