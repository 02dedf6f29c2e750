"""A tokenizer of some forty tokens, built in code: bytes, merged tokens, and special tokens in all arrangements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END = "<end>"
PAD = "<pad>"
BEGIN = "<begin>"

# The space, the newline and the two bytes of "é", as byte-level tokenizers write them.
_CHARACTERS = [*"1abcdefgh", *"ABCDEFGH", *"0:.?", "Ġ", "Ċ", "Ã", "©"]
_MERGES = [
    ("1", "1"),
    ("11", "11"),
    ("Ġ", "1"),
    ("Ġ", "11"),
    ("a", "b"),
    ("c", "d"),
    ("Ġ", "ab"),
    ("Ġ", "c"),
    ("Ġ", "A"),
    ("Ã", "©"),
]


def tiny_tokenizer(
    *,
    pad: Literal["own", "end"] = "own",
    begins: bool = False,
    closes: bool = False,
    prefix_space: bool = False,
    padding_side: Literal["left", "right"] = "right",
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer whose alphabet is ``1``, ``0``, ``a`` to ``h``, ``A`` to ``H``, ``é`` and ``: . ?``.

    Args:
        pad: whether padding has a token of its own or the end token serves for it, as it does with GPT-2.
        begins: whether the tokenizer puts ``<begin>`` before every text.
        closes: whether the tokenizer puts ``<end>`` behind every text.
        prefix_space: whether a text is read as though a space stood before it; a completion that is encoded apart
            from its prompt then gets other tokens.
        padding_side: what ``tokenizer(..., padding=True)`` does.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    # The end token does not come last and the pad token is not 0, so that code which counts on either is found out.
    names = [*_CHARACTERS, END, *("".join(pair) for pair in _MERGES), PAD, BEGIN]
    ids = {name: place for place, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=_MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    # Where the end token pads, its text is found whole all the same: the alphabet could not spell it.
    tokenizer.add_special_tokens([PAD])
    if begins or closes:
        single = f"{BEGIN} " * begins + "$A" + f" {END}" * closes
        special = [(name, ids[name]) for name in (BEGIN, END)]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=special)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD if pad == "own" else END,
        bos_token=BEGIN,
        padding_side=padding_side,
        clean_up_tokenization_spaces=False,
    )
