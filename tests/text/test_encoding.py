from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shoal.errors import BoundaryError, DataError
from shoal.text.encoding import decode_continuation, describe_policy, encode_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEXTS = ["one two three four five", "the café of naïve señoras", "one  two\n\nthree\n four"] * 20


def byte_level(*, trim_offsets: bool = False, **special: str) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=330, special_tokens=["<end>", "<begin>"], initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **({"eos_token": "<end>"} | special))


def sentence_piece() -> PreTrainedTokenizerFast:
    """A tokenizer of Llama's kind: spaces as ▁, one put before the text, a beginning token."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        [word for text in TEXTS for word in text.split(" ")],
        trainers.BpeTrainer(vocab_size=120, special_tokens=special, show_progress=False),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


@pytest.mark.parametrize("make", [byte_level, sentence_piece])
@pytest.mark.parametrize(("prompt", "completion"), [("one two", " three four"), ("the café", " of naïve")])
def test_prompt_and_target_together_are_the_joint_encoding(make, prompt, completion):
    tokenizer = make()

    (pair,) = encode_pairs(tokenizer, [(prompt, completion, True)])

    joint = tokenizer(prompt + completion, add_special_tokens=False)["input_ids"]
    opening = [tokenizer.bos_token_id] if make is sentence_piece else []
    assert list(pair.ids) == [*opening, *joint, tokenizer.eos_token_id]
    assert tokenizer.decode(pair.prompt, skip_special_tokens=True) == prompt
    assert decode_continuation(tokenizer, pair.prompt, pair.target) == completion


def test_nothing_is_appended_to_a_completion_that_does_not_end():
    tokenizer = sentence_piece()

    (pair,) = encode_pairs(tokenizer, [("one", " two", False)])

    assert tokenizer.eos_token_id not in pair.ids


@pytest.mark.parametrize("trim_offsets", [False, True])
@pytest.mark.parametrize(("prompt", "completion"), [("one ", "two"), ("on", "e two"), ("one\n", "\nthree")])
def test_a_token_on_both_sides_of_the_boundary_is_refused(trim_offsets, prompt, completion):
    tokenizer = byte_level(trim_offsets=trim_offsets)
    if prompt.endswith("\n"):
        tokenizer.add_tokens(["\n\n"])

    with pytest.raises(BoundaryError, match="let the two sides split between tokens"):
        encode_pairs(tokenizer, [(prompt, completion, True)])


def test_trimmed_offsets_do_not_move_the_boundary():
    pairs = [("one", " two", True), ("the café", " of", True), ("one  two\n", "three", False)]

    assert encode_pairs(byte_level(trim_offsets=True), pairs) == encode_pairs(byte_level(), pairs)


def test_a_tokenizer_that_drops_white_space_has_a_clear_boundary():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1, "<end>": 2, "?": 3}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", unk_token="?")

    (pair,) = encode_pairs(fast, [("one ", "two", True)])

    assert (pair.prompt, pair.target) == ((0,), (1, 2))


def test_a_prompt_may_be_empty_where_a_beginning_token_opens_it():
    (pair,) = encode_pairs(sentence_piece(), [("", "one", True)])

    assert pair.boundary == 1
    with pytest.raises(DataError, match="adds no beginning token"):
        encode_pairs(byte_level(), [("", "one", True)])


def test_a_completion_may_be_empty_only_where_it_ends():
    tokenizer = byte_level()

    (pair,) = encode_pairs(tokenizer, [("one", "", True)])

    assert pair.target == (tokenizer.eos_token_id,)
    with pytest.raises(DataError, match="is empty and does not end"):
        encode_pairs(tokenizer, [("one", "", False)])


def test_a_character_spread_over_tokens_is_decoded_whole():
    tokenizer = byte_level()
    (pair,) = encode_pairs(tokenizer, [("one", " ☃ two", True)])

    assert len(pair.target) > 4
    assert decode_continuation(tokenizer, pair.prompt, pair.target) == " ☃ two"


def test_the_policy_says_what_opens_and_ends_a_text():
    assert describe_policy(sentence_piece()) == "opened by '<s>', ended by '</s>', encoded jointly"
    assert describe_policy(byte_level()) == "opened by nothing, ended by '<end>', encoded jointly"


def test_no_pairs_are_no_error():
    assert encode_pairs(byte_level(), []) == []


@pytest.mark.parametrize("ends", [True, False])
def test_a_completion_that_holds_the_end_token_is_refused(ends):
    with pytest.raises(DataError, match="holds the end token '<end>'"):
        encode_pairs(byte_level(), [("one", " two<end> three", ends)])


def test_a_prompt_may_hold_the_end_token():
    tokenizer = byte_level()
    (pair,) = encode_pairs(tokenizer, [("one<end>", " two", True)])
    assert tokenizer.eos_token_id in pair.prompt
    assert pair.target.count(tokenizer.eos_token_id) == 1
