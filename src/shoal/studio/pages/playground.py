"""A text through a model: its views, its changes, its continuation, and what the shortcuts of a task would answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError
from shoal.figures import Section, document, templates
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.pages.conversation import ConversationState, conversation_section
from shoal.studio.pages.text_sections import answers_section, changes_section, continuation_section
from shoal.studio.playground_models import MODELS, chosen_model, model_options
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from shoal.models import LoadedModel
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio
    from shoal.tasks import Task

MAX_CHARACTERS = 20_000
MAX_TOKENS = 200
DEFAULT_TEXT = "One day, Lily saw a big dog. The dog was sad. Lily said to the dog"
_CORPUS = 60
"""Examples of the task on which neurons and heads of position are judged."""

_TASK_EXAMPLES = 60


def playground_page(studio: Studio) -> str:
    """The form alone."""
    with studio.page("playground"):
        return document(
            "Playground",
            "Type a text and see what a model makes of it, or talk to a chat model.",
            [Section("text", "Text", _form(studio, {})), conversation_section(studio, ConversationState())],
            style=".scroll{max-width:100%}",
        )


def read_text_page(studio: Studio, form: Query) -> str:
    """What a model makes of a text.

    Args:
        studio: whose models.
        form: ``text``, ``model``, ``task``, ``neurons`` and ``tokens``.

    Raises:
        PageError: the text, the model or the task cannot be used.
    """
    chosen: dict[str, Any] = {
        "text": form.text("text", limit=MAX_CHARACTERS),
        "model": chosen_model(studio, form),
        "task": form.choice("task", tuple(_tasks())),
        "neurons": bool(form.text("neurons")),
        "tokens": min(form.number("tokens", 40), MAX_TOKENS),
    }
    if not chosen["text"].strip():
        raise PageError(400, "the text is empty; type a text")
    with studio.page("playground"), MODELS as models_held:
        try:
            return _read(studio, chosen, models_held.get(chosen["model"]))
        except ShoalError as error:
            raise PageError(422, in_one_line(error, limit=600)) from error


def _read(studio: Studio, chosen: dict[str, Any], loaded: LoadedModel) -> str:
    from shoal.insight import inspect_text
    from shoal.reports import inspection_page

    task = _task(chosen["task"])
    corpus: list[str] = []
    if chosen["neurons"]:
        corpus = [example.prompt + example.completion for example in task.seen[:_CORPUS]] if task else [chosen["text"]]
    found = inspect_text(loaded.model, loaded.tokenizer, chosen["text"], name=chosen["model"], corpus=corpus)
    leading = [Section("form", "Text", _form(studio, chosen))]
    leading.append(continuation_section(loaded, chosen["text"], chosen["tokens"]))
    if task is not None:
        leading.append(answers_section(task, chosen["text"], loaded))
    leading.append(changes_section(found.tokens, found.surprisal))
    return inspection_page(found, leading=leading)


def _tasks() -> list[str]:
    from shoal.tasks import known_tasks

    # Those of reasoning-gym need the name of a data set besides.
    return [name for name in known_tasks() if name != "reasoning-gym"]


def _task(name: str) -> Task | None:
    from shoal.tasks import make_task

    return make_task(name) if name else None


def _form(studio: Studio, chosen: dict[str, Any]) -> Markup:
    values = {"text": DEFAULT_TEXT, "model": "", "task": "", "neurons": False, "tokens": 40} | chosen
    rendered = (
        templates(ROOM)
        .get_template("playground.html.j2")
        .render(
            chosen=values,
            models=model_options(studio),
            tasks=[("", "none"), *((name, name) for name in _tasks())],
            secret=studio.form_secret,
            max_characters=MAX_CHARACTERS,
            max_tokens=MAX_TOKENS,
        )
    )
    return Markup(rendered)
