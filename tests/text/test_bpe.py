from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shoal.errors import UsageError
from shoal.text.bpe import train_bpe
from shoal.text.encoding import encode_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEXTS = ["The cat sat on the mat.", "A cat had 12 hats, the dog 12 bones.", '"It\'s cold," said the cat.'] * 20


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_bpe(TEXTS, vocabulary=320)


def pieces(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    return [tokenizer.decode([token]) for token in tokenizer(text)["input_ids"]]


@pytest.mark.parametrize("ones", range(1, 14))
def test_a_unary_number_is_cut_into_fours_whatever_the_corpus_holds(
    tokenizer: PreTrainedTokenizerFast, ones: int
) -> None:
    tail = [] if ones % 4 == 0 else ["1" * (ones % 4)]
    chunks = ["1111"] * (ones // 4) + tail
    assert pieces(tokenizer, " " + "1" * ones) == [" " + chunks[0], *chunks[1:]]


def test_decimal_numbers_take_at_most_a_token_for_two_digits(tokenizer: PreTrainedTokenizerFast) -> None:
    assert pieces(tokenizer, " 12") == [" 12"]


def test_a_prompt_with_a_colon_and_its_completion_split_between_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    (pair,) = encode_pairs(tokenizer, [("stopping at 111:", " 1 11 111", True)])
    assert [tokenizer.decode([token]) for token in pair.target] == [" 1", " 11", " 111", "<|endoftext|>"]


@pytest.mark.parametrize(
    "text", ["The cat.", "  two  spaces\n\n", "naïve 😀 text", "112 and 100 and 2021", "'s 't 11'm"]
)
def test_any_text_comes_back_as_it_was(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_end_token_stands_first_and_pads_as_well(tokenizer: PreTrainedTokenizerFast) -> None:
    assert (tokenizer.eos_token, tokenizer.eos_token_id, tokenizer.pad_token_id) == ("<|endoftext|>", 0, 0)


def test_equal_texts_give_an_equal_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    assert train_bpe(TEXTS, vocabulary=320).get_vocab() == tokenizer.get_vocab()


def test_a_vocabulary_without_room_for_the_bytes_is_refused() -> None:
    with pytest.raises(UsageError, match="too small"):
        train_bpe(TEXTS, vocabulary=200)


@pytest.mark.parametrize("unit", ["ab", "=", "\u597d", " ", "\n", "a-"])
def test_runs_without_an_end_are_learned_and_read_in_one_pass(unit: str) -> None:
    text = unit * (400_000 // len(unit))  # minutes, where the cost is the square of a run's length
    trained = train_bpe([text], vocabulary=280)
    ids = trained(text, verbose=False)["input_ids"]
    assert trained.decode(ids) == text
