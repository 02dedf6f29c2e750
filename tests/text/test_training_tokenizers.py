"""Tokenizers learned on a corpus: nothing is lost, numbers stay short, and AutoTokenizer reads them."""

from __future__ import annotations

import json

import pytest
from transformers import AutoTokenizer

from shoal.corpora import read_stories
from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.text.training import KINDS, save_tokenizer, train_tokenizer

SIZE = 600
STRANGE = "  Wow!\n\n\tcafé ☃ 数\u200d x  y 1111111 and 1984, it's \u201cso\u201d <s> </s>"


@pytest.fixture(scope="module")
def stories(data_folder):
    return read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")[:500]


@pytest.fixture(scope="module")
def made(stories):
    return {kind: train_tokenizer(stories[:400], kind=kind, vocabulary=SIZE) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_the_size_that_was_asked_for(made, kind):
    assert len(made[kind]) == SIZE
    assert made[kind].eos_token_id is not None


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_gives_unseen_text_back(made, stories, kind):
    for text in [*stories[400:], STRANGE.replace("<s> </s>", "")]:
        ids = made[kind](text, add_special_tokens=False)["input_ids"]
        assert made[kind].decode(ids, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_stay_a_few_tokens(made, kind):
    for ones in range(1, 60):
        ids = made[kind](f"up to {'1' * ones}", add_special_tokens=False)["input_ids"]
        before = made[kind]("up to", add_special_tokens=False)["input_ids"]
        assert len(ids) - len(before) <= ones / 4 + 2
    for number in (7, 42, 190, 1984, 12345):
        ids = made[kind](f"up to {number}", add_special_tokens=False)["input_ids"]
        assert len(ids) - len(before) <= len(str(number)) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_by_auto_tokenizer(made, stories, kind, tmp_path):
    save_tokenizer(made[kind], tmp_path / "t")
    read = AutoTokenizer.from_pretrained(tmp_path / "t")
    assert (tmp_path / "t" / "tokenizer.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert read(stories[400:420])["input_ids"] == made[kind](stories[400:420])["input_ids"]
    assert (read.eos_token, len(read)) == (made[kind].eos_token, SIZE)


def test_equal_texts_give_equal_tokenizers(made, stories):
    for kind in KINDS:
        again = train_tokenizer(stories[:400], kind=kind, vocabulary=SIZE)
        assert json.loads(again.backend_tokenizer.to_str()) == json.loads(made[kind].backend_tokenizer.to_str())


def test_unigram_and_the_two_kinds_of_bpe_cut_differently(made, stories):
    cuts = {kind: tuple(made[kind].tokenize(stories[401])) for kind in KINDS}
    assert len(set(cuts.values())) == 3
    assert all(len(cut) < 0.7 * len(stories[401]) for cut in cuts.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_larger_than_the_data_names_what_the_data_give(kind):
    with pytest.raises(UsageError, match=r"gives \d+ tokens at most, not the requested 5000; take \d+"):
        train_tokenizer(["One day a cat sat on the mat and a dog ran."], kind=kind, vocabulary=5000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [[], ["", " \n "]])
def test_an_empty_corpus_is_an_error(kind, texts):
    with pytest.raises(DataError, match="holds no text"):
        train_tokenizer(texts, kind=kind, vocabulary=SIZE)


def test_tiny_vocabularies_and_unknown_kinds_are_errors():
    for kind in KINDS:
        with pytest.raises(UsageError, match="too small"):
            train_tokenizer(["a b"], kind=kind, vocabulary=100)
    with pytest.raises(UnknownNameError, match="did you mean 'unigram'"):
        train_tokenizer(["a b"], kind="unigrams", vocabulary=SIZE)


def test_a_folder_with_other_files_is_left_alone(made, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(UsageError, match="holds other files"):
        save_tokenizer(made["bpe"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_tokenizer_is_written_over_an_older_one(made, tmp_path):
    save_tokenizer(made["bpe"], tmp_path / "t")
    save_tokenizer(made["unigram"], tmp_path / "t")
    assert AutoTokenizer.from_pretrained(tmp_path / "t").eos_token == "</s>"
