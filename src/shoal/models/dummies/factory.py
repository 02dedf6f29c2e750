"""A dummy made by name, and taught the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

# The families register themselves by name when they are imported.
from shoal.models.dummies import accuracy, ending, logits, slips, spelling  # noqa: F401
from shoal.models.dummies.base import Dummy, Lexicon, Parameter, dummy_by_name
from shoal.models.dummies.context_tree import ContextTree, clear
from shoal.models.dummies.tokenizer import tiny_tokenizer
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

    Without pairs it knows no answer and says "?" to everything, until `set_answers` tells it the pairs: so a model spec
    (``oracle?p=0.3``) can name a dummy before its task is known.

    Args:
        name: one of `dummy_names`.
        pairs: (prompt, completion, ends) of the items that it is to be asked.
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
    """Tell a dummy what it will be asked and what is right; what it was told before is forgotten.

    Raises:
        BoundaryError: a token covers the end of a prompt and the start of its completion.
    """
    items = encode_pairs(tokenizer, list(pairs))
    lexicon = _lexicon(tokenizer, items)
    script = ContextTree(tokens=len(tokenizer) + _UNUSED, lost=clear(lexicon.lost, 0))
    model.dummy.write(script, items, lexicon)
    model.learn(script)


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
        lost=_lost(tokenizer, end),
        ordinary=tuple(sorted({token for item in items for token in item.ids} - special)),
    )


def _lost(tokenizer: PreTrainedTokenizerFast, end: int) -> int:
    """The token that stands for a text of which nothing is known: a question mark where there is one."""
    try:
        ids = tokenizer("?", add_special_tokens=False)["input_ids"]
    except Exception:  # noqa: BLE001 (the library raises nothing narrower where a text has no token)
        ids = []
    return int(ids[-1]) if ids else end
