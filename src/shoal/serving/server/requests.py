"""What a client may send: the fields of OpenAI's protocol that are served, and no others.

A field that changes the text and is not served is refused where it has a value that matters, since a server that
leaves it out would answer another question than was put.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shoal.models.generation import TokenSampling
from shoal.serving.settings import MAX_LOGPROBS, GenerationSettings
from shoal.serving.stop_strings import MAX_STOP_LENGTH, MAX_STOP_STRINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationInfo

# Together 2,048 texts of one request, which the limit of texts that wait refuses long before memory would.
MAX_SAMPLES = 16
MAX_PROMPTS = 128
# What torch takes as a seed: a signed integer of 64 bits.
_MAX_SEED = 2**63 - 1
# Whole numbers that JSON holds for every client: many read them as float64, and would send another seed back.
_DRAWN_SEEDS = 2**53
# More than twice the fields of the protocol.
_MAX_FIELDS = 50


def _either(expected: str) -> WrapValidator:
    """One fault for a value that is none of several forms: pydantic lists what each of them lacks."""

    def check(value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            return read(value)
        except ValidationError as error:
            raise PydanticCustomError("none_of_several", "expected " + expected) from error

    return WrapValidator(check)


StopString = Annotated[str, StringConstraints(min_length=1, max_length=MAX_STOP_LENGTH)]
TokenIds = Annotated[list[int], Field(min_length=1, fail_fast=True)]


class StreamOptions(BaseModel):
    """Options of a streamed response."""

    model_config = ConfigDict(extra="forbid", strict=True)

    include_usage: bool = False


class _Request(BaseModel):
    """The fields that both endpoints have."""

    # Strict, since "5" for a number of tokens is a client's mistake, which would otherwise pass unseen.
    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(default=None, max_length=1000)
    temperature: float = Field(default=1.0, ge=0, le=100)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0, le=_MAX_SEED)
    n: int = Field(default=1, ge=1, le=MAX_SAMPLES)
    stop: Annotated[
        StopString | Annotated[list[StopString], Field(max_length=MAX_STOP_STRINGS, fail_fast=True)] | None,
        _either(f"a text of 1 to {MAX_STOP_LENGTH:,} characters, or at most {MAX_STOP_STRINGS} of them"),
    ] = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = Field(default=None, max_length=1000)
    # These three are taken with the value at which they change nothing, since many clients always send them.
    frequency_penalty: float | None = Field(default=None, ge=0, le=0)
    presence_penalty: float | None = Field(default=None, ge=0, le=0)
    logit_bias: Annotated[dict[str, Any], Field(max_length=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole_characters(cls, value: Any) -> Any:
        # Each unknown field would be a fault of its own, with what was given in it.
        if isinstance(value, dict) and len(value) > _MAX_FIELDS:
            raise ValueError(f"there are {len(value):,} fields; expected at most {_MAX_FIELDS}")
        # Half of a surrogate pair is no character: no tokenizer takes it, and no answer could quote it.
        _check_text(value)
        return value

    @field_validator("temperature", "top_p", "n", "stream", "echo", mode="before", check_fields=False)
    @classmethod
    def _usual_where_null(cls, value: Any, info: ValidationInfo) -> Any:
        # Clients write null for what they leave to the server.
        return cls.model_fields[str(info.field_name)].default if value is None else value

    def _settings(self, max_tokens: int, logprobs: int | None, *, echo: bool) -> GenerationSettings:
        # Drawn here and not by the sampler, so that the response can state it.
        seed = secrets.randbelow(_DRAWN_SEEDS) if self.seed is None else self.seed
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return GenerationSettings(
            max_tokens=max_tokens,
            sampling=TokenSampling(temperature=self.temperature, top_p=self.top_p, top_k=self.top_k, seed=seed),
            stop=tuple(dict.fromkeys(stop)),
            logprobs=logprobs,
            echo=echo,
        )


class CompletionRequest(_Request):
    """A request to continue one prompt or more, as texts or as token ids."""

    prompt: Annotated[
        str
        | TokenIds
        | Annotated[list[str], Field(min_length=1, max_length=MAX_PROMPTS, fail_fast=True)]
        | Annotated[list[TokenIds], Field(min_length=1, max_length=MAX_PROMPTS, fail_fast=True)],
        _either(f"a text, a list of token ids, or a list of 1 to {MAX_PROMPTS} of either"),
    ]
    max_tokens: int = Field(default=16, ge=0)
    logprobs: int | None = Field(default=None, ge=0, le=MAX_LOGPROBS)
    echo: bool = False
    suffix: Literal[""] | None = None
    best_of: Literal[1] | None = None

    @field_validator("max_tokens", mode="before")
    @classmethod
    def _sixteen_where_null(cls, value: Any) -> Any:
        return 16 if value is None else value

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts, one by one."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        parts: list[Any] = list(self.prompt)
        return [parts] if isinstance(parts[0], int) else parts

    def settings(self) -> GenerationSettings:
        """What it determines of a generation."""
        return self._settings(self.max_tokens, self.logprobs, echo=self.echo)


class TextPart(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[
        str | Annotated[list[TextPart], Field(max_length=1000, fail_fast=True)],
        _either("a text, or at most 1,000 parts of the type 'text'; nothing else is read"),
    ]
    name: str | None = Field(default=None, max_length=1000)

    def to_dict(self) -> dict[str, str]:
        """The message as templates take it."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        # OpenAI's newer word for the same.
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class ResponseFormat(BaseModel):
    """The form of the answer; only plain text is given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["text"]


class ChatCompletionRequest(_Request):
    """A request to answer a conversation by the model's chat template."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=10_000, fail_fast=True)]
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=MAX_LOGPROBS)
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None

    @model_validator(mode="after")
    def _alternatives_need_logprobs(self) -> ChatCompletionRequest:
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs to be true")
        return self

    @property
    def limit(self) -> int | None:
        """Tokens of the answer at most, where the client states it."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    def settings(self, room: int) -> GenerationSettings:
        """What it determines of a generation.

        Args:
            room: tokens that the context leaves for the answer.
        """
        count = (self.top_logprobs or 0) if self.logprobs else None
        return self._settings(room if self.limit is None else self.limit, count, echo=False)


def _check_text(value: Any) -> None:
    """Raise for half of a surrogate pair in any text of a JSON value."""
    # A stack and no recursion: JSON may be nested deeper than Python's stack is.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and not one.isascii() and any("\ud800" <= letter <= "\udfff" for letter in one):
            raise ValueError("a text holds half of a surrogate pair, which is no character")
