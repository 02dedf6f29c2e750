"""What a client gets, in the form of OpenAI's protocol."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.models.generation import TextStream
from shoal.serving.logprobs import token_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.serving.result import GeneratedText, TokenLogProb
    from shoal.serving.running import Piece
    from shoal.serving.settings import GenerationSettings


@dataclass(slots=True, kw_only=True)
class ResponseForm(ABC):
    """The form of the responses to one request: whole, or in chunks. Subclasses write out one endpoint each."""

    model: str
    fingerprint: str
    settings: GenerationSettings
    tokenizer: PreTrainedTokenizerFast
    prompts: Sequence[Sequence[int]] = ()
    """Ids of the prompt of each choice, behind which its tokens stand; none where no offsets are wanted."""

    created: int = field(default_factory=lambda: int(time.time()))
    id: str = ""

    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]
    prefix: ClassVar[str]

    def __post_init__(self) -> None:
        self.id = f"{self.prefix}-{uuid.uuid4().hex}"

    def whole(self, results: Sequence[GeneratedText], prompts: Sequence[str]) -> dict[str, Any]:
        """The response of a request that is not streamed.

        Args:
            results: of each choice.
            prompts: the text of each choice's prompt.
        """
        choices = [self.choice(index, *pair) for index, pair in enumerate(zip(results, prompts, strict=True))]
        return {
            **self._head(self.whole_object),
            "choices": choices,
            "usage": usage(results),
            # Every setting, so that the answer can be had again: the seed above all, where the client gave none.
            "settings": self.settings.to_dict(),
        }

    def chunk(self, choices: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """A chunk of a streamed response.

        Args:
            choices: what is new.
            more: further fields.
        """
        return {**self._head(self.chunk_object), "choices": list(choices), **more}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    @abstractmethod
    def choice(self, index: int, result: GeneratedText, prompt: str) -> dict[str, Any]:
        """One whole choice.

        Args:
            index: its number.
            result: what was generated.
            prompt: the text of its prompt.
        """

    @abstractmethod
    def opening(self, index: int) -> dict[str, Any] | None:
        """What a stream begins with for a choice, if anything.

        Args:
            index: the number of the choice.
        """

    @abstractmethod
    def piece(self, index: int, piece: Piece, prompt: str) -> dict[str, Any]:
        """What is new of a choice in a stream; its pieces are given in their order.

        Args:
            index: the number of the choice.
            piece: of the generation.
            prompt: the prompt's text where the piece is the first and the prompt is echoed, else nothing.
        """


class CompletionForm(ResponseForm):
    """Responses of /v1/completions."""

    whole_object = "text_completion"
    chunk_object = "text_completion"
    prefix = "cmpl"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._offsets: dict[int, _TokenOffsets] = {}

    def choice(self, index: int, result: GeneratedText, prompt: str) -> dict[str, Any]:
        """See `ResponseForm.choice`."""
        tokens = [*result.prompt_logprobs, *result.logprobs]
        return {
            "index": index,
            "text": (prompt if self.settings.echo else "") + result.text,
            "logprobs": None if self.settings.logprobs is None else self._logprobs(tokens, self._begin(index)),
            "finish_reason": result.finish_reason,
        }

    def opening(self, index: int) -> None:
        """Nothing."""

    def piece(self, index: int, piece: Piece, prompt: str) -> dict[str, Any]:
        """See `ResponseForm.piece`."""
        logprobs = None
        if self.settings.logprobs is not None:
            # By the tokens and not by the text that was sent: text may be held back that a stop string can begin with.
            if index not in self._offsets:
                self._offsets[index] = self._begin(index)
            logprobs = self._logprobs(piece.logprobs, self._offsets[index])
        return {
            "index": index,
            "text": prompt + piece.text,
            "logprobs": logprobs,
            "finish_reason": None if piece.result is None else piece.result.finish_reason,
        }

    def _begin(self, index: int) -> _TokenOffsets:
        # An echoed prompt stands among the tokens itself.
        return _TokenOffsets(self.tokenizer, () if self.settings.echo else self.prompts[index])

    def _logprobs(self, tokens: Sequence[TokenLogProb], places: _TokenOffsets) -> dict[str, Any]:
        return {
            "tokens": [token.text for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [_top(token) for token in tokens],
            "text_offset": [places.take(token.id) for token in tokens],
        }


class _TokenOffsets:
    """Where each token's text begins in the text of a choice.

    By the stream and not by each token's text: bytes of one character are spread over tokens, and have no text alone.

    Args:
        tokenizer: of the model.
        before: ids of the prompt; SentencePiece drops the space of a token at the beginning of a text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, before: Sequence[int]) -> None:
        self._stream, self._next = TextStream(tokenizer, before), 0

    def take(self, id_: int) -> int:
        """The place of the next token in characters."""
        place = self._next
        self._next += len(self._stream.push(id_))
        return place


def _top(token: TokenLogProb) -> dict[str, float] | None:
    """The most likely tokens by their texts; the token itself stands among them, as in OpenAI's answers."""
    if token.logprob is None:
        return None
    found: dict[str, float] = {}
    for _, text, logprob in token.top:
        # Of two tokens of one text the likelier one stands.
        found.setdefault(text, logprob)
    return {token.text: token.logprob, **found}


class ChatForm(ResponseForm):
    """Responses of /v1/chat/completions."""

    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"
    prefix = "chatcmpl"

    def choice(self, index: int, result: GeneratedText, prompt: str) -> dict[str, Any]:
        """See `ResponseForm.choice`; a conversation is not echoed."""
        del prompt
        return {
            "index": index,
            "message": {"role": "assistant", "content": result.text, "refusal": None},
            "logprobs": self._logprobs(result.logprobs),
            "finish_reason": result.finish_reason,
        }

    def opening(self, index: int) -> dict[str, Any]:
        """The role."""
        delta = {"role": "assistant", "content": ""}
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}

    def piece(self, index: int, piece: Piece, prompt: str) -> dict[str, Any]:
        """See `ResponseForm.piece`."""
        del prompt
        return {
            "index": index,
            "delta": {"content": piece.text},
            "logprobs": self._logprobs(piece.logprobs),
            "finish_reason": None if piece.result is None else piece.result.finish_reason,
        }

    def _logprobs(self, tokens: Sequence[TokenLogProb]) -> dict[str, Any] | None:
        if self.settings.logprobs is None:
            return None
        content = [
            {
                **self._with_bytes(token.id, token.text, token.logprob),
                "top_logprobs": [self._with_bytes(*one) for one in token.top],
            }
            for token in tokens
        ]
        return {"content": content, "refusal": None}

    def _with_bytes(self, id_: int, text: str, logprob: float | None) -> dict[str, Any]:
        return {"token": text, "logprob": logprob, "bytes": token_bytes(self.tokenizer, id_)}


def usage(results: Sequence[GeneratedText]) -> dict[str, int]:
    """The tokens of a response; a prompt counts once, however many samples it has.

    Args:
        results: of each choice.
    """
    prompts = sum(result.prompt_tokens for result in results if result.sample == 0)
    completions = sum(len(result.ids) for result in results)
    return {"prompt_tokens": prompts, "completion_tokens": completions, "total_tokens": prompts + completions}
