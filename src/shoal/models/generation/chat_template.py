"""Messages of a conversation as the text that a chat model was trained on, by the template that comes with it.

Templates are Jinja programs of the model's authors, and are run in the sandbox of `transformers`
(`apply_chat_template`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.textfiles import check_characters
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

ROLES = ("system", "user", "assistant", "tool")

_PROBE = "\u2042"
"""An answer that no template writes by itself (an asterism)."""


def has_chat_template(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether a tokenizer has a template for conversations."""
    return bool(getattr(tokenizer, "chat_template", None))


def check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Raise where messages are no conversation.

    Raises:
        UsageError: there are none, or one has no role or text; the message names its place.
        DataError: one has half of a surrogate pair.
    """
    if not messages:
        raise UsageError("there are no messages; give one at least, such as {'role': 'user', 'content': 'Hello'}")
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise UsageError(f"messages[{place}] has the role {role!r}; expected one of {', '.join(ROLES)}")
        if not isinstance(content, str):
            raise UsageError(f"messages[{place}] has a content of type {type(content).__name__}; expected a text")
        check_characters(content, f"messages[{place}]")


def render_chat(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of a conversation up to where the assistant's next answer begins.

    Args:
        tokenizer: with a chat template.
        messages: each with a role (system, user or assistant) and a content.

    Raises:
        UsageError: there is no template, the messages are none, or the template refuses them.
    """
    check_messages(messages)
    return _apply(tokenizer, messages, opened=True)


def encode_chat(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """The token ids of what `render_chat` gives; the template writes the beginning token where there is one.

    Args:
        tokenizer: with a chat template.
        messages: as in `render_chat`.

    Raises:
        UsageError: as `render_chat`.
    """
    ids: list[int] = tokenizer(render_chat(tokenizer, messages), add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def turn_end_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """The control tokens with which the template ends an answer: none where it has no template, or ends it otherwise.

    A chat model ends its answer with such a token (``<|im_end|>``, ``<|end|>``), which need not be the end token of the
    tokenizer.
    """
    if not has_chat_template(tokenizer):
        return frozenset()
    try:
        text = _apply(tokenizer, [{"role": "user", "content": "a"}, {"role": "assistant", "content": _PROBE}])
    except UsageError:
        return frozenset()
    behind = text.rpartition(_PROBE)[2]
    ids = tokenizer(behind.lstrip(), add_special_tokens=False, verbose=False)["input_ids"]
    control = {id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(ids[:1]) & control


def _apply(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Mapping[str, Any]], *, opened: bool = False) -> str:
    if not has_chat_template(tokenizer):
        raise UsageError(
            "the model has no chat template, so that it cannot read messages; give an instruct model, or a plain "
            "prompt to continue (shoal generate, /v1/completions)"
        )
    try:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=opened
        )
    except Exception as error:  # a template is a program, and may fail in any way
        raise UsageError(f"the model's chat template refuses the messages: {in_one_line(error)}") from error
    return str(text)
