"""One turn of a conversation with an instruct model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.serving.generations import generate
from shoal.serving.model import GenerationModel, load_for_generation
from shoal.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.serving.result import GeneratedText
    from shoal.serving.running import Piece
    from shoal.serving.settings import GenerationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAnswer:
    """The answer to a message, with the conversation that it continues."""

    messages: tuple[Mapping[str, Any], ...]
    """The conversation, the answer included: the history of the next message."""

    generated: GeneratedText

    model: Mapping[str, Any]
    """Spec, digest, dtype and device."""

    decoding: str
    """How rows were computed."""

    seconds: float

    @property
    def text(self) -> str:
        """The answer."""
        return self.generated.text

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens per second, the reading of the conversation included."""
        # A clock of coarse resolution may measure no time at all for a text of no tokens.
        return len(self.generated.ids) / max(self.seconds, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """The answer with everything that it depends on, as JSON has it."""
        return {
            "messages": [dict(message) for message in self.messages],
            **self.generated.to_dict(),
            **self.model,
            "decoding": self.decoding,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
        }

    def __str__(self) -> str:
        return self.text


def open_conversation(messages: Sequence[Mapping[str, Any]], system: str | None) -> list[Mapping[str, Any]]:
    """Messages with the system message before them.

    A history that was given out by an earlier answer begins with it already, and many templates refuse a second.

    Args:
        messages: a conversation.
        system: instructions that stand before it; None leaves the messages as they are.

    Raises:
        UsageError: the messages begin with another system message.
    """
    own = messages[0].get("content") if messages and messages[0].get("role") == "system" else None
    if system is None or own == system:
        return list(messages)
    if own is not None:
        raise UsageError(
            f"the conversation begins with another system message ({quoted(str(own))}) than the one given; leave the "
            "one given out, or take the other one out of the messages"
        )
    return [{"role": "system", "content": system}, *messages]


def chat(
    model: str | GenerationModel,
    message: str,
    settings: GenerationSettings | None = None,
    *,
    system: str | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    device: str = "auto",
    dtype: str = "float32",
    on_text: Callable[[str], None] | None = None,
) -> ChatAnswer:
    """Answer a message by an instruct model and its chat template.

    Args:
        model: a model spec, or what `load_for_generation` gives.
        message: what the user writes.
        settings: how; greedily and up to 256 tokens where they are not given.
        system: instructions that stand before the conversation.
        history: the messages before, such as those of the answer before.
        device: of a model spec.
        dtype: of a model spec.
        on_text: called with each new piece of the answer's text.

    Raises:
        UsageError: the model has no chat template, its template refuses the messages, or the history has another
            system message.
        TooLongError: the conversation does not fit into the context together with the answer.
    """
    live = load_for_generation(model, device=device, dtype=dtype, rows=1) if isinstance(model, str) else model
    messages = open_conversation([*history, {"role": "user", "content": message}], system)

    def pass_on(piece: Piece) -> None:
        if on_text is not None and piece.text:
            on_text(piece.text)

    found = generate(live, [messages], settings, on_piece=pass_on)
    (generated,) = found.texts
    return ChatAnswer(
        messages=(*messages, {"role": "assistant", "content": generated.text}),
        generated=generated,
        model=found.model,
        decoding=found.decoding,
        seconds=found.seconds,
    )
