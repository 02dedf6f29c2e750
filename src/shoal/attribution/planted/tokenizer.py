"""The tokenizer of planted models: a token for each sign with the blank before it, and for each word of a task."""

from __future__ import annotations

import re
import string
from itertools import accumulate
from typing import TYPE_CHECKING

from shoal.tasks import make_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Regex
    from transformers import PreTrainedTokenizerFast

_END = "<|endoftext|>"
_BLANK = "\u0120"
"""How byte-level tokenizers write the blank."""


def sign_tokenizer(task: str, *, context: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer in which items of a list are tokens, and so are the words of the task's prompts.

    A program over signs is then learned in few steps: `` k`` is one token, and so is ``reverse``. Any text can be read.

    Args:
        task: by name; its examples show the words.
        context: the longest text in tokens of the model that it is for.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    merges = [(_BLANK, sign) for sign in string.ascii_lowercase + string.digits + "()[]{}<>"]
    for word in _words([example.prompt for example in make_task(task).examples]):
        # From the left, as the merges of a trained tokenizer could stand: a pair is merged in the order of this list.
        signs = word.replace(" ", _BLANK)
        first = 2 if signs.startswith(_BLANK) else 1
        starts = list(accumulate([signs[:first], *signs[first:]]))
        merges += [
            (start, sign) for start, sign in zip(starts, signs[first:], strict=False) if (start, sign) not in merges
        ]
    # Sorted, as the library gives its alphabet in another order in each process.
    tokens = [_END, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in merges)]
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # No merge may cross into a completion, or eat into a word of letters.
            pre_tokenizers.Split(_cuts(), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=_END,
        pad_token=_END,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def _cuts() -> Regex:
    from tokenizers import Regex

    return Regex(r" ?[A-Za-z]+| ?\S|\s")


def _words(prompts: Sequence[str]) -> list[str]:
    """The words of three letters or more of the prompts, with the blank before them, in their order."""
    return list(dict.fromkeys(word for prompt in prompts for word in re.findall(r" ?[A-Za-z]{3,}", prompt)))
