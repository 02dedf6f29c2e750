"""Requests as token ids, encoded as lm-evaluation-harness 0.4.13 encodes them, so that log-likelihoods can be equal.

White space at the end of a context goes to the continuation; the two are encoded together, and the continuation gets
what follows as many ids as the context has by itself. Nothing before a text is the token that begins or ends a
document. What does not fit into the model loses its beginning, and that is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, TooLongError, UsageError
from shoal.evaluation.batching import model_limits
from shoal.evaluation.prefix_trees import TokenRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.text import PlainTokenizer

# As lm-evaluation-harness takes it.
_CONTEXT = 2048
"""Taken where a model names no longest context."""

_TEXTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request as the model reads it."""

    request: TokenRequest
    cut: bool
    """Whether its beginning was left out."""


class RequestEncoder:
    """Encodes for one model.

    Args:
        model: whose context and vocabulary must hold the requests.
        tokenizer: the model's.
        max_length: the longest that is read, the model's context at most; None takes that, or 2,048 where the model
            names none.

    Raises:
        UsageError: the length is below 1.
        DataError: the tokenizer has no token that begins or ends a text.
    """

    def __init__(
        self,
        model: PreTrainedModel | FastModel,
        tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
        *,
        max_length: int | None = None,
    ) -> None:
        context, self._vocabulary = model_limits(model)
        if max_length is not None and max_length < 1:
            raise UsageError(f"max_length is {max_length}; give the tokens that are read at most, at least 1")
        limits = [limit for limit in (max_length, context) if limit is not None]
        self.max_length = min(limits, default=_CONTEXT)
        self._tokenizer: Any = tokenizer
        self.prefix_id = _prefix_token(tokenizer)
        self._prefix_text: str = tokenizer.decode([self.prefix_id])

    def texts(self, texts: Iterable[str], *, special: bool = True) -> dict[str, list[int]]:
        """The ids of different texts.

        Args:
            texts: any; each is encoded once.
            special: add what the tokenizer puts around a text, unless it begins with that already.
        """
        ids: dict[str, list[int]] = {}
        groups: dict[bool, list[str]] = {True: [], False: []}
        for text in dict.fromkeys(texts):
            # A template may write the beginning token itself; the tokenizer must not add a second.
            begun = bool(self._prefix_text) and text.startswith(self._prefix_text)
            groups[special and not begun].append(text)
        for around, group in groups.items():
            for start in range(0, len(group), _TEXTS_AT_ONCE):
                part = group[start : start + _TEXTS_AT_ONCE]
                rows = self._tokenizer(part, add_special_tokens=around, return_attention_mask=False, verbose=False)
                ids.update(zip(part, rows["input_ids"], strict=True))
        return ids

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[EncodedRequest]:
        """Requests of (context, continuation) pairs.

        Args:
            pairs: the context may be empty.

        Raises:
            DataError: a continuation has no tokens of its own, or an id is not in the model's vocabulary.
            TooLongError: a continuation alone is longer than the model's context.
        """
        moved = [_with_spaces_moved(context, text) for context, text in pairs]
        behind_nothing = self.texts((text for context, text in moved if not context), special=False)
        together = self.texts(part for context, text in moved if context for part in (context, context + text))
        encoded = []
        for (context, text), (_, original) in zip(moved, pairs, strict=True):
            if context:
                before = together[context]
                after = together[context + text][len(before) :]
            else:
                after = behind_nothing[text]
                before = [self.prefix_id]
                # The tokenizer has put it there already; it is context and not scored.
                if after[:1] == before:
                    before, after = after[:1], after[1:]
            encoded.append(self._checked(before, after, original))
        return encoded

    def spans(self, pairs: Sequence[tuple[str, str]]) -> list[EncodedRequest]:
        """Requests of (context, continuation) pairs of which every token is scored that reaches into the continuation.

        The first token of a text is not, where the tokenizer puts none before it: nothing predicts it. BabyLM's
        evaluation scores so (`evaluation_pipeline/sentence_zero_shot` of 2025).

        Args:
            pairs: the context may be empty.
        """
        rows = self._tokenizer(
            [context + text for context, text in pairs],
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        found = []
        for (context, text), ids, offsets in zip(pairs, rows["input_ids"], rows["offset_mapping"], strict=True):
            first = next((place for place, (_, stop) in enumerate(offsets) if stop > len(context)), len(ids))
            # One token at least is read before the first that is scored.
            boundary = max(1, first)
            found.append(self._checked(ids[:boundary], ids[boundary:], text))
        return found

    def windows(self, text: str) -> list[EncodedRequest]:
        """A text of any length as windows that score each token once, with as much context as the model has.

        Args:
            text: to be scored whole.
        """
        ids = self.texts([text])[text]
        size = self.max_length
        if not ids:
            raise DataError(f"the text {text[:40]!r} has no tokens; there is nothing to score")
        found = [self._checked([self.prefix_id], ids[:size], text)]
        for start in range(size, len(ids), size):
            stop = min(start + size, len(ids))
            # The window reads as many ids as the model holds; those scored before are its context.
            found.append(self._checked(ids[stop - size - 1 : start], ids[start:stop], text))
        return found

    def prompts(self, texts: Sequence[str], room: int) -> list[EncodedRequest]:
        """Prompts of generations, which leave room for what is generated.

        Args:
            texts: the prompts.
            room: tokens that are generated at most.

        Raises:
            TooLongError: the model's context has no room.
        """
        if room >= self.max_length:
            raise TooLongError(
                f"{room} tokens are to be generated and the model reads at most {self.max_length}; lower max_gen_toks "
                "or take a model with a longer context"
            )
        ids, kept = self.texts(texts), self.max_length - room
        found = []
        for text in texts:
            if not ids[text]:
                raise DataError(f"the prompt {text[:40]!r} has no tokens")
            self._check_ids(ids[text], text)
            row = tuple(ids[text][-kept:])
            found.append(EncodedRequest(TokenRequest(row, len(row)), cut=len(ids[text]) > kept))
        return found

    def _checked(self, before: Sequence[int], after: Sequence[int], text: str) -> EncodedRequest:
        if not after:
            raise DataError(
                f"the continuation {text[:40]!r} has no tokens of its own behind its context; there is nothing to score"
            )
        if len(after) > self.max_length:
            raise TooLongError(
                f"the continuation {text[:40]!r} takes {len(after)} tokens and the model reads at most "
                f"{self.max_length}; shorten it or take a model with a longer context"
            )
        whole = (*before, *after)
        self._check_ids(whole, text)
        # One more than the context: the last token is predicted and not read.
        ids = whole[-(self.max_length + 1) :]
        return EncodedRequest(TokenRequest(ids, len(ids) - len(after)), cut=len(ids) < len(whole))

    def _check_ids(self, ids: Sequence[int], text: str) -> None:
        if max(ids) >= self._vocabulary or min(ids) < 0:
            raise DataError(
                f"{text[:40]!r} has the token id {max(ids)}, and the model knows {self._vocabulary} tokens; use the "
                "model's own tokenizer"
            )


def _with_spaces_moved(context: str, text: str) -> tuple[str, str]:
    bare = context.rstrip()
    return bare, context[len(bare) :] + text


def _prefix_token(tokenizer: PreTrainedTokenizerFast | PlainTokenizer) -> int:
    for name in (getattr(tokenizer, "bos_token", None), tokenizer.eos_token):
        if name is not None:
            return int(tokenizer.get_vocab()[name])
    raise DataError("the tokenizer has no token that begins or ends a text; set tokenizer.bos_token or eos_token")
