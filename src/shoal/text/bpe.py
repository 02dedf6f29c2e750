"""Byte-level byte-pair encoding, trained on a corpus, in which a number takes few tokens.

The text is cut before merges are learned (Sennrich et al. 2016, arXiv:1508.07909; bytes as in GPT-2), so that no
token crosses a cut. Runs of the digit 1 are cut into fours, from the left: the unary number 11111 with the space
before it is ` 1111`, `1`, so unary numbers have a token cycle of period 4. Other digits are cut into pairs. A word
takes the space before it; punctuation is separate from words and numbers, so a prompt that ends with a colon and a
completion that begins with a space split between tokens. Runs of more than 128 letters, marks or blanks are cut there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedTokenizerFast

END_TOKEN = "<|endoftext|>"
UNARY_CHUNK = 4
LONGEST_RUN = 128
"""Longer runs of letters, marks or blanks are cut: to learn the merges of a run takes the square of its length."""

_CUTS = "|".join(
    (
        # Ones before another digit are part of a decimal number (11 of 1120).
        rf" ?1{{1,{UNARY_CHUNK}}}(?![02-9])",
        r" ?\p{N}{1,2}",
        r"'(?:s|t|d|m|re|ve|ll)(?!\p{L})",
        rf" ?\p{{L}}{{1,{LONGEST_RUN}}}",
        rf" ?[^\s\p{{L}}\p{{N}}]{{1,{LONGEST_RUN}}}",
        # As in GPT-2, a run of blanks leaves its last one to the word behind it.
        rf"\s{{1,{LONGEST_RUN}}}(?!\S)",
        rf"\s{{1,{LONGEST_RUN}}}",
    )
)
_SMALLEST = 256 + 1 + 2 * UNARY_CHUNK


def train_bpe(texts: Iterable[str], *, vocabulary: int, context: int = 2048) -> PreTrainedTokenizerFast:
    """Learn a tokenizer of at most ``vocabulary`` tokens, the 256 bytes and the end token among them.

    The end token stands first (id 0), then the bytes, then the merges in the order in which they were learned; equal
    texts in equal order give an equal tokenizer. Unary numbers get their chunks whatever the corpus holds.

    Args:
        texts: the documents, without end tokens.
        vocabulary: the largest number of tokens.
        context: the longest text in tokens of the model that it is for.

    Raises:
        UsageError: a vocabulary that has no room for the bytes and the chunks of unary numbers.
    """
    if vocabulary < _SMALLEST:
        raise UsageError(f"a vocabulary of {vocabulary} tokens is too small; the bytes alone need {_SMALLEST}")
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CUTS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_TOKEN],
        # The library gives its alphabet in another order in each process, and ids follow the order.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_with_unary_numbers(texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_TOKEN,
        pad_token=END_TOKEN,
        model_max_length=context,
        # Cleaning would take out the space before a full stop on decoding, which the text may have had.
        clean_up_tokenization_spaces=False,
    )


def _with_unary_numbers(texts: Iterable[str]) -> Iterable[str]:
    """The texts, and enough lone unary numbers that the merges of their chunks are learned first."""
    count = 0
    for text in texts:
        count += 1 + len(text) // 4
        yield text
    # At least a hundredth of the corpus' words, so that their merges come before those of common words.
    chunks = [" " * space + "1" * ones for space in (0, 1) for ones in range(1, UNARY_CHUNK + 1)]
    for chunk in chunks:
        yield from [chunk] * (count // 100 + 2)
