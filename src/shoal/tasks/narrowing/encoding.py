"""Examples as token ids, by whatever tokenizer was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.text import check_coverage, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.task import Example

Ids = tuple[int, ...]
Tokenizer = Any
"""A ``transformers`` tokenizer, a ``tokenizers.Tokenizer``, or a callable from a text to its token ids."""

END = -1
"""Stands for the end token behind the ids of a completion that ends; no tokenizer has it."""


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """The token ids of one example."""

    prompt: Ids
    completion: Ids
    ends: bool

    @property
    def target(self) -> Ids:
        """The completion with the end behind it, where it ends."""
        return (*self.completion, END) if self.ends else self.completion


def encode(tokenizer: Tokenizer | None, examples: Sequence[Example]) -> list[EncodedExample]:
    """Encode the examples.

    A tokenizer of ``transformers`` encodes prompt and completion jointly, as training and evaluation do; any other
    encodes the two apart. Without a tokenizer the tokens are characters.

    Args:
        tokenizer: of ``transformers`` or ``tokenizers``, a callable from a text to its ids, or None.
        examples: what to encode.

    Raises:
        BoundaryError: jointly encoded, one token covers the end of a prompt and the start of its completion.
    """
    # Recognised by its methods, so that transformers need not be imported.
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        triples = [(example.prompt, example.completion, example.ends) for example in examples]
        pairs = zip(encode_pairs(tokenizer, triples), examples, strict=True)
        return [
            # The target ends in the tokenizer's own end token, in place of which `EncodedExample.target` has `END`.
            EncodedExample(pair.prompt, pair.target[:-1] if example.ends else pair.target, example.ends)
            for pair, example in pairs
        ]
    if tokenizer is not None and hasattr(tokenizer, "encode_batch"):
        check_coverage(tokenizer, [text for example in examples for text in (example.prompt, example.completion)])
    to_ids = _to_ids(tokenizer)
    prompts = to_ids([example.prompt for example in examples])
    completions = to_ids([example.completion for example in examples])
    return [
        EncodedExample(prompt, completion, example.ends)
        for prompt, completion, example in zip(prompts, completions, examples, strict=True)
    ]


def tokenizer_name(tokenizer: Tokenizer | None) -> str:
    """The name of the tokens in the report."""
    if tokenizer is None:
        return "characters"
    return str(getattr(tokenizer, "name_or_path", None) or type(tokenizer).__name__)


def _to_ids(tokenizer: Tokenizer | None) -> Callable[[Sequence[str]], list[Ids]]:
    """The function from texts to ids."""
    if tokenizer is None:
        return lambda texts: [tuple(map(ord, text)) for text in texts]
    if hasattr(tokenizer, "encode_batch"):
        return lambda texts: [tuple(text.ids) for text in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return lambda texts: [tuple(tokenizer(text)) for text in texts]
