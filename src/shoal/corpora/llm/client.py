"""The client of an OpenAI-compatible endpoint, with retries and exponential back-off."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.errors import EndpointError, MissingExtraError, UsageError
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_VARIABLE = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's answer to one prompt."""

    text: str
    tokens_in: int
    tokens_out: int
    """As the endpoint counts them; 0 where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model answers, and how often a request is tried."""

    url: str
    """As in ``http://localhost:8080/v1``."""

    model: str
    timeout: float = 60.0
    """Seconds that an answer may take."""

    max_attempts: int = 5
    """Requests for one prompt before giving up."""

    backoff: float = 1.0
    """Seconds before the second attempt; each further wait is twice as long, and up to half of it more by chance, so
    that workers that were refused together do not come back together."""

    max_tokens: int = 600
    """Of an answer."""

    temperature: float = 1.0

    retry_temperature: float | None = None
    """Of a request that is repeated because its answer was of no use; None leaves it as it was."""

    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    """The JSON schema that answers are held to, at an endpoint that can (``response_format``)."""

    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    """Waits for a number of seconds; tests give their own."""

    def client(self) -> Any:
        """A client for this address.

        Raises:
            MissingExtraError: the ``openai`` package is not installed.
            UsageError: the address is no http address.
        """
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("judge", "asking a model at an endpoint") from error
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"{self.url!r} is no endpoint; give an address as in http://localhost:8080/v1")
        key = os.environ.get(KEY_VARIABLE) or "none"  # local servers need none, and the library refuses an empty one
        # Retries are ours: the library's own do not cover answers without text or of no use.
        return openai.OpenAI(base_url=self.url, api_key=key, timeout=self.timeout, max_retries=0)

    def complete(self, client: Any, prompt: str, check: Callable[[str], object] | None = None) -> Reply:
        """The model's answer to one prompt.

        Args:
            client: as `client` gives it.
            prompt: the user's message.
            check: raises UselessAnswerError where a text is of no use; the request is then repeated at once.

        Raises:
            UselessAnswerError: the last answer was of no use.
            EndpointError: the endpoint refuses the request, or every attempt failed.
        """
        failure, temperature, useless = "", self.temperature, None
        for attempt in range(self.max_attempts):
            if attempt and useless is None:
                self.sleep(self.backoff * 2 ** (attempt - 1) * random.uniform(1, 1.5))
            useless = None
            try:
                answer = self._complete_once(client, prompt, temperature)
                if check is not None:
                    check(answer.text)
            except UselessAnswerError as fault:
                useless = fault
                temperature = temperature if self.retry_temperature is None else self.retry_temperature
            except _TryAgainError as fault:
                failure = str(fault)
            else:
                return answer
        if useless is not None:
            raise useless
        raise EndpointError(
            f"{self.url} gave no usable answer in {self.max_attempts} tries ({failure}); see whether it runs, or give "
            "it a longer timeout, and give the same command again"
        )

    def _complete_once(self, client: Any, prompt: str, temperature: float) -> Reply:
        import openai

        try:
            reply = client.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=self.max_tokens,
                temperature=temperature,
                **self._response_format(),
            )
        except openai.APITimeoutError as error:
            raise _TryAgainError(f"no answer within {self.timeout:g} s") from error
        except openai.APIStatusError as error:
            if error.status_code in (408, 409, 429) or error.status_code >= 500:  # time-out, conflict, rate limit
                raise _TryAgainError(f"status {error.status_code}") from error
            reason = in_one_line(error.message, limit=120)
            raise EndpointError(
                f"{self.url} refuses the request with status {error.status_code} ({reason}); "
                f"check the model's name {self.model!r} and the key in {KEY_VARIABLE}"
                f"{'; perhaps it cannot hold answers to a JSON schema' if self.schema else ''}"
            ) from error
        except (openai.APIConnectionError, openai.APIError, ValueError) as error:
            raise _TryAgainError(in_one_line(error, limit=120)) from error
        return _completion(reply)

    def _response_format(self) -> dict[str, Any]:
        if self.schema is None:
            return {}
        form = {"name": "answer", "strict": True, "schema": dict(self.schema)}
        return {"response_format": {"type": "json_schema", "json_schema": form}}


class UselessAnswerError(Exception):
    """An answer that cannot be used; the message says why."""


class _TryAgainError(Exception):
    """A failure that may pass."""


def _completion(reply: Any) -> Reply:
    """The text of a reply; one without text counts as a failure."""
    choices = getattr(reply, "choices", None)
    text = getattr(getattr(choices[0], "message", None), "content", None) if choices else None
    if not isinstance(text, str) or not text.strip():
        raise _TryAgainError("an answer without text")
    usage = getattr(reply, "usage", None)
    # A server that ends an answer within a character may write half of its surrogate pair, which no record can hold.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Reply(
        text=whole.strip(),
        tokens_in=getattr(usage, "prompt_tokens", None) or 0,
        tokens_out=getattr(usage, "completion_tokens", None) or 0,
    )
