"""One turn of a conversation with an instruct model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.serving.generations import generate
from shoal.serving.model import GenerationModel, load_for_generation

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
    """Spec, digest of the weights, dtype and device."""

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
        UsageError: the model has no chat template, or its template refuses the messages.
        TooLongError: the conversation does not fit into the context together with the answer.
    """
    live = load_for_generation(model, device=device, dtype=dtype, rows=1) if isinstance(model, str) else model
    messages = [*history, {"role": "user", "content": message}]
    # A history that was given out by an earlier answer begins with the system message already, and many templates
    # refuse a second.
    if system is not None and not (history and history[0].get("role") == "system"):
        messages.insert(0, {"role": "system", "content": system})

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
