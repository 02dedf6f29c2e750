"""One generation while it runs: what has been chosen, which text is known, and whether it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.models.generation import TextStream, TokenChooser
from shoal.serving.logprobs import LogProbs
from shoal.serving.result import GeneratedText
from shoal.serving.stop_strings import StopMatcher
from shoal.text import control_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from transformers import PreTrainedTokenizerFast

    from shoal.models.generation import Reading
    from shoal.serving.result import FinishReason, TokenLogProb
    from shoal.serving.settings import GenerationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What became known of a generation in one step."""

    text: str = ""
    """May be empty: a character is not whole, or a stop string may have begun."""

    logprobs: tuple[TokenLogProb, ...] = ()

    result: GeneratedText | None = None
    """The whole, where this was the last step."""

    error: Exception | None = None
    """Why there is no result."""


def ignore_pieces(piece: Piece) -> None:
    """The default of a caller that wants results alone."""


class RunningGeneration:
    """One generation.

    Args:
        prompt: ids of the prompt.
        settings: what the caller determined.
        tokenizer: of the model.
        end_ids: tokens that end a text.
        sample: its number among the continuations of the prompt.
        on_piece: called in each step with what became known.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        settings: GenerationSettings,
        tokenizer: PreTrainedTokenizerFast,
        end_ids: frozenset[int],
        *,
        sample: int = 0,
        on_piece: Callable[[Piece], None] = ignore_pieces,
    ) -> None:
        self.prompt = tuple(prompt)
        self.settings = settings
        self.result: GeneratedText | None = None
        self.error: Exception | None = None
        self.cancelled = False
        """Set by a caller that has gone away; the engine then drops the generation."""
        self._tokenizer = tokenizer
        # A control token has no text in which it could be found as a string.
        control = control_tokens(tokenizer) if settings.stop else {}
        self._end_ids = end_ids | {control[stop] for stop in settings.stop if stop in control}
        self._sample = sample
        self._on_piece = on_piece
        self._chooser = TokenChooser(settings.sampling, prompt, sample)
        self._stream = TextStream(tokenizer, prompt)
        self._matcher = StopMatcher(settings.stop)
        self._logprobs = None if settings.logprobs is None else LogProbs(tokenizer, settings.logprobs)
        self._ids: list[int] = []
        self._texts: list[str] = []
        self._found: list[TokenLogProb] = []
        self._of_prompt: tuple[TokenLogProb, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more is to be computed."""
        return self.result is not None or self.error is not None or self.cancelled

    def take_prompt(self, reading: Reading) -> None:
        """The prompt has been read.

        Args:
            reading: of it, finished.
        """
        if self.settings.echo and self._logprobs is not None:
            self._of_prompt = tuple(self._logprobs.of_prompt(reading))
        if self.settings.max_tokens == 0:
            self._finish("length", None, Piece(logprobs=self._of_prompt))
        elif self._of_prompt:
            self._on_piece(Piece(logprobs=self._of_prompt))

    def take_logits(self, logits_V: torch.Tensor) -> int:
        """Choose the next token.

        Args:
            logits_V: of the last position.

        Returns:
            The token; where it was the last one, `over` holds.

        Raises:
            ModelError: the logits are not numbers.
        """
        id_ = self._chooser.choose(logits_V)
        self._ids.append(id_)
        logprobs = () if self._logprobs is None else (self._logprobs.of_token(id_, logits_V),)
        self._found += logprobs
        if id_ in self._end_ids:
            # Bytes of an unfinished character come out here, and may complete a stop string even now.
            text = self._matcher.push(self._stream.flush())
            stop = self._matcher.found or str(self._tokenizer.decode([id_]))
            self._finish("stop", stop, Piece(text=text, logprobs=logprobs))
            return id_
        text = self._matcher.push(self._stream.push(id_))
        if self._matcher.found is not None:
            self._finish("stop", self._matcher.found, Piece(text=text, logprobs=logprobs))
        elif len(self._ids) == self.settings.max_tokens:
            # The last token may have ended within a character, or completed a stop string with it, which is the better
            # reason.
            text += self._matcher.push(self._stream.flush())
            found = self._matcher.found
            self._finish("length" if found is None else "stop", found, Piece(text=text, logprobs=logprobs))
        else:
            self._texts.append(text)
            self._on_piece(Piece(text=text, logprobs=logprobs))
        return id_

    def fail(self, error: Exception) -> None:
        """End without a result.

        Args:
            error: why.
        """
        self.error = error
        self._on_piece(Piece(error=error))

    def _finish(self, reason: FinishReason, stop: str | None, last: Piece) -> None:
        # What was held back as the beginning of a stop string is text after all.
        text = last.text + self._matcher.flush()
        self.result = GeneratedText(
            text="".join(self._texts) + text,
            ids=tuple(self._ids),
            finish_reason=reason,
            stop=stop,
            prompt_tokens=len(self.prompt),
            settings=self.settings,
            sample=self._sample,
            prompt_logprobs=self._of_prompt,
            logprobs=tuple(self._found),
        )
        self._on_piece(Piece(text=text, logprobs=last.logprobs, result=self.result))
