"""A conversation with a chat model; the page keeps it, and the studio remembers nothing of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError, TooLongError
from shoal.figures import Section, document, templates
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.playground_models import MODELS, chosen_model, model_options
from shoal.wording import capital, in_one_line, plural

if TYPE_CHECKING:
    from shoal.models import LoadedModel
    from shoal.studio.queries import Query
    from shoal.studio.studio import Studio

MAX_MESSAGE = 20_000
MAX_HISTORY = 200_000
"""Characters of a conversation, as JSON."""

MAX_ANSWER = 500
"""Tokens."""

_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationState:
    """What the form of a conversation holds."""

    model: str = ""
    system: str = ""
    tokens: int = 100
    messages: tuple[dict[str, str], ...] = ()
    """Of user and assistant in turn."""

    draft: str = ""
    """A message that is not answered yet."""

    fault: str = ""
    """Why it is not."""

    read: str = ""
    """What the model read for its last answer: the conversation by its chat template."""


def conversation_page(studio: Studio, form: Query) -> str:
    """A conversation with one more answer, or a cleared one.

    Args:
        studio: whose models.
        form: ``model``, ``system``, ``tokens``, ``history`` (the messages as JSON), ``message`` and ``clear``.

    Raises:
        PageError: the model is none of the playground, or the history is no conversation.
    """
    state = ConversationState(
        model=chosen_model(studio, form),
        system=form.text("system", limit=MAX_MESSAGE),
        tokens=min(max(form.number("tokens", 100), 1), MAX_ANSWER),
        messages=_messages(form.text("history", "[]", limit=MAX_HISTORY)),
        draft=form.text("message", limit=MAX_MESSAGE),
    )
    if form.text("clear"):
        state = replace(state, messages=(), draft="")
    elif not state.draft.strip():
        state = replace(state, fault="The message is empty; type one.")
    else:
        # Only now: an empty message or a cleared conversation must not wait for a model.
        with MODELS as held:
            try:
                state = _answered(state, held.get(state.model))
            except TooLongError as error:
                why = capital(in_one_line(error, limit=600))
                state = replace(state, fault=f"The conversation has become too long: clear it to begin again. {why}.")
            except ShoalError as error:
                state = replace(state, fault=f"{capital(in_one_line(error, limit=600))}.")
    with studio.page("playground"):
        count = plural(len(state.messages), "message")
        result = f"A conversation of {count} with {state.model}." if state.messages else "An empty conversation."
        return document("Conversation", result, [conversation_section(studio, state), _back()])


def conversation_section(studio: Studio, state: ConversationState) -> Section:
    """The messages, and the form of the next one.

    Args:
        studio: whose models.
        state: what the form holds.
    """
    rendered = (
        templates(ROOM)
        .get_template("conversation.html.j2")
        .render(
            state=state,
            history=json.dumps(state.messages, ensure_ascii=False),
            models=model_options(studio),
            secret=studio.form_secret,
            max_message=MAX_MESSAGE,
            max_answer=MAX_ANSWER,
        )
    )
    return Section("conversation", "Conversation", Markup(rendered))


def _answered(state: ConversationState, loaded: LoadedModel) -> ConversationState:
    from shoal.serving import GenerationSettings, chat, make_generation_model

    live = make_generation_model(loaded, rows=1)
    if not live.can_chat:
        fault = (
            f"{state.model} has no chat template, so that it cannot read a conversation; choose an instruct model "
            "(shoal studio --model SPEC), or have the text continued in the playground."
        )
        return replace(state, fault=fault)
    system = state.system.strip() or None
    answer = chat(live, state.draft, GenerationSettings(max_tokens=state.tokens), system=system, history=state.messages)
    messages = [{"role": str(one["role"]), "content": str(one["content"])} for one in answer.messages]
    # Decoded from the ids and not rendered by the template, so that it shows what the model read, special tokens
    # included.
    read = live.tokenizer.decode(live.encode_messages(messages[:-1]))
    return replace(
        state, messages=tuple(one for one in messages if one["role"] in _ROLES), draft="", read=str(read), fault=""
    )


def _messages(text: str) -> tuple[dict[str, str], ...]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(_is_message(one) for one in found):
        raise PageError(400, "the history is no conversation; clear it, and begin again")
    return tuple(found)


def _is_message(one: object) -> bool:
    return (
        isinstance(one, dict)
        # The history comes back from the browser, and goes into a chat template: nothing else may be in it.
        and set(one) == {"role", "content"}
        and one["role"] in _ROLES
        and isinstance(one["content"], str)
    )


def _back() -> Section:
    link = Markup("<p><a href='/playground'>Read a text in the playground</a></p>")
    return Section("back", "One text", link)
