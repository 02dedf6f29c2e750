"""What a caller may determine of a generation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from shoal.errors import UsageError
from shoal.models.generation import TokenSampling
from shoal.serving.stop_strings import check_stop_strings

MAX_LOGPROBS = 20
"""Alternatives of each token whose probabilities can be had, as in OpenAI's protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSettings:
    """Everything that a generation depends on, besides the model and the prompt.

    Raises:
        UsageError: a value lies outside of its range, or a stop string cannot be used.
    """

    max_tokens: int = 256
    """Tokens that are generated at most; 0 reads the prompt alone."""

    sampling: TokenSampling = field(default_factory=TokenSampling)

    stop: tuple[str, ...] = ()
    """Strings before which the text ends."""

    logprobs: int | None = None
    """The log-probabilities of each token and of as many of the most likely ones; None: none."""

    echo: bool = False
    """Whether the prompt stands before the generated text, with log-probabilities of its own."""

    def __post_init__(self) -> None:
        if self.max_tokens < 0:
            raise UsageError(f"the maximum of tokens is {self.max_tokens}; give a whole number of 0 or more")
        if self.logprobs is not None and not 0 <= self.logprobs <= MAX_LOGPROBS:
            raise UsageError(f"logprobs is {self.logprobs}; give a number from 0 to {MAX_LOGPROBS}")
        check_stop_strings(self.stop)

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON has them."""
        return asdict(self) | {"stop": list(self.stop)}
