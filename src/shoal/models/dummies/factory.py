"""Dummies made by name and given the answers, and the tokenizer of some forty tokens that they speak with.

The tokenizer is built in code: bytes, merged tokens, and special tokens in all arrangements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

# The families register themselves by name when they are imported.
from shoal.models.dummies import choice_preferences, logit_errors, token_errors  # noqa: F401
from shoal.models.dummies.base import Dummy, Lexicon, Parameter, dummy_by_name
from shoal.models.dummies.context_tree import ContextTree, confident
from shoal.text import encode_pairs, end_token_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.models.dummies.network import DummyForCausalLM
    from shoal.text import EncodedPair

# Models often have a few more tokens than their tokenizer, so that a width comes out even.
_UNUSED = 7


def make_dummy(
    name: str,
    *,
    pairs: Sequence[tuple[str, str, bool]] = (),
    tokenizer: PreTrainedTokenizerFast | None = None,
    seed: int = 0,
    twins: int = 1,
    **parameters: Parameter,
) -> tuple[DummyForCausalLM, PreTrainedTokenizerFast]:
    """A dummy and its tokenizer.

    Without pairs it knows no answer and predicts "?" everywhere, until `set_answers` gives it pairs: so a model spec
    (``oracle?p=0.3``) can name a dummy before its task is known.

    Args:
        name: one of `dummy_names`.
        pairs: (prompt, completion, ends) of the items that it will get.
        tokenizer: any fast tokenizer; by default `tiny_tokenizer`.
        seed: for what it decides at random.
        twins: how often each token stands in the vocabulary, with equal logits.
        parameters: the dummy's own, as values or as text.

    Raises:
        UnknownNameError: the name or a parameter is not known.
        UsageError: a parameter cannot be used.
    """
    from shoal.models.dummies.network import DummyConfig, DummyForCausalLM

    dummy = dummy_by_name(name, {**parameters, "seed": seed})
    tokenizer = tiny_tokenizer() if tokenizer is None else tokenizer
    config = DummyConfig(
        vocab_size=(len(tokenizer) + _UNUSED) * twins,
        twins=twins,
        absolute_positions=dummy.absolute_positions,
        counts_calls=dummy.counts_calls,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    model = DummyForCausalLM(config).eval()
    model.dummy = dummy
    set_answers(model, tokenizer, pairs)
    return model, tokenizer


def set_answers(
    model: DummyForCausalLM, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str, bool]]
) -> None:
    """Give a dummy the examples that it will get, with their answers; earlier ones are forgotten.

    Args:
        model: what `make_dummy` gave.
        tokenizer: its tokenizer.
        pairs: (prompt, completion, ends) of each example.

    Raises:
        BoundaryError: a token covers the end of a prompt and the start of its completion.
    """
    items = encode_pairs(tokenizer, list(pairs))
    lexicon = _lexicon(tokenizer, items)
    tree = ContextTree(tokens=len(tokenizer) + _UNUSED, unknown=confident(lexicon.unknown, 0))
    model.dummy.write(tree, items, lexicon)
    model.set_tree(tree)


def dummy_names() -> tuple[str, ...]:
    """The names that `make_dummy` knows."""
    return tuple(sorted(Dummy.known))


def _lexicon(tokenizer: PreTrainedTokenizerFast, items: Sequence[EncodedPair]) -> Lexicon:
    special = set(tokenizer.all_special_ids)
    end = end_token_id(tokenizer)
    pad = tokenizer.pad_token_id
    return Lexicon(
        tokenizer=tokenizer,
        vocabulary=tokenizer.get_vocab(),
        end=end,
        pad=end if pad is None else int(pad),
        unknown=_unknown(tokenizer, end),
        ordinary=tuple(sorted({token for item in items for token in item.ids} - special)),
    )


def _unknown(tokenizer: PreTrainedTokenizerFast, end: int) -> int:
    """The token that stands for a text of which nothing is known: a question mark where there is one."""
    try:
        ids = tokenizer("?", add_special_tokens=False)["input_ids"]
    except Exception:  # noqa: BLE001 (the library raises nothing narrower where a text has no token)
        ids = []
    return int(ids[-1]) if ids else end


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
    every_byte: bool = False,
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer whose alphabet is ``1``, ``0``, ``a`` to ``h``, ``A`` to ``H``, ``é`` and ``: . ?``.

    Args:
        pad: whether padding has a token of its own or the end token serves for it, as it does with GPT-2.
        begins: whether the tokenizer puts ``<begin>`` before every text.
        closes: whether the tokenizer puts ``<end>`` behind every text.
        prefix_space: whether a text is read as though a space stood before it; a completion that is encoded apart
            from its prompt then gets other tokens.
        padding_side: what ``tokenizer(..., padding=True)`` does.
        every_byte: whether it can spell any text, with some 250 tokens.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    # The end token does not come last and the pad token is not 0, so that code which counts on either is found out.
    names = [*_CHARACTERS, END, *("".join(pair) for pair in _MERGES), PAD, BEGIN]
    if every_byte:
        names += sorted(set(pre_tokenizers.ByteLevel.alphabet()) - set(names))
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
