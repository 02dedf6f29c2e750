"""What a generation gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from shoal.serving.settings import GenerationSettings

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogProb:
    """One token with its log-probability, given all before it."""

    id: int

    text: str

    logprob: float | None
    """None: nothing stands before the token."""

    top: tuple[tuple[int, str, float], ...] = ()
    """Id, text and log-probability of the most likely tokens at its place, the most likely first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedText:
    """One continuation of one prompt."""

    text: str
    """Without the prompt, the end token and the stop string."""

    ids: tuple[int, ...]
    """Every generated token, an end token included."""

    finish_reason: FinishReason
    """``stop``: an end token or a stop string; ``length``: the maximum of tokens."""

    stop: str | None
    """The stop string, or the text of the end token, at which it ended."""

    prompt_tokens: int

    settings: GenerationSettings

    sample: int = 0
    """Its number among the continuations of the prompt."""

    prompt_logprobs: tuple[TokenLogProb, ...] = ()
    """Of the prompt's tokens, where they were requested (echo)."""

    logprobs: tuple[TokenLogProb, ...] = ()
    """Of the generated tokens, where they were requested."""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON has it, with every setting."""
        record: dict[str, Any] = {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "stop": self.stop,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": len(self.ids),
            "ids": list(self.ids),
            "sample": self.sample,
            "settings": self.settings.to_dict(),
        }
        for name, logprobs in (("prompt_logprobs", self.prompt_logprobs), ("logprobs", self.logprobs)):
            if logprobs:
                record[name] = [asdict(token) for token in logprobs]
        return record

    def __str__(self) -> str:
        return self.text
