"""A plain tokenizer gives what the wrapper of transformers gives."""

from __future__ import annotations

import json
import random

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from shoal.models import bundled_folder
from shoal.text.encoding import decode_continuation, describe_policy, encode_pairs
from shoal.text.plain_tokenizer import read_plain_tokenizer

TEXTS = ["one two three four five", "the café of naïve señoras", "one  two\n\nthree\n four"] * 20
LETTERS = "abcdefghij 0123456789\n\t.,:;'!?éñ漢字🐟\u200b\u0301"
BITS = [*LETTERS, "<end>", "<begin>", "<|endoftext|>", "  ", " one", " two", "1111"]


def trained(*, opening: bool, sentences: bool) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>") if sentences else models.BPE())
    names = ["<unk>", "<end>", "<begin>"]
    if sentences:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Strip(" ", 1, 0)])
        trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=names, show_progress=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=330, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if opening:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<begin> $A", special_tokens=[("<begin>", tokenizer.token_to_id("<begin>"))]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", bos_token="<begin>")


@pytest.fixture(params=["bytes", "bytes opened", "sentences", "sentences opened", "bundled", "saved again"])
def folder(request, tmp_path):
    if request.param == "bundled":
        return bundled_folder("searches")
    if request.param == "saved again":
        AutoTokenizer.from_pretrained(bundled_folder("searches"), local_files_only=True).save_pretrained(tmp_path)
        return tmp_path
    trained(opening="opened" in request.param, sentences="sentences" in request.param).save_pretrained(tmp_path)
    return tmp_path


def random_text(chance: random.Random) -> str:
    return "".join(chance.choice(BITS) for _ in range(chance.randint(0, 30)))


def test_it_gives_the_ids_offsets_and_texts_of_the_wrapper(folder):
    plain, wrapped = read_plain_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    chance = random.Random(0)
    texts = [random_text(chance) for _ in range(400)]

    for special in (False, True):
        ours = plain(texts, add_special_tokens=special, return_offsets_mapping=True)
        theirs = wrapped(texts, add_special_tokens=special, return_offsets_mapping=True)
        assert ours["input_ids"] == theirs["input_ids"]
        assert ours["offset_mapping"] == theirs["offset_mapping"]
        for ids in ours["input_ids"]:
            assert plain.convert_ids_to_tokens(ids) == wrapped.convert_ids_to_tokens(ids)
            for skip in (False, True):
                assert plain.decode(ids, skip_special_tokens=skip) == wrapped.decode(ids, skip_special_tokens=skip)
    assert (plain.eos_token, plain.eos_token_id) == (wrapped.eos_token, wrapped.eos_token_id)
    assert plain.get_vocab() == wrapped.get_vocab()
    assert plain("one")["input_ids"] == wrapped("one")["input_ids"]


def test_prompts_and_completions_are_encoded_alike(folder):
    plain, wrapped = read_plain_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    pairs = [("one two", " three", True), ("four", " five", False)]

    assert encode_pairs(plain, pairs) == encode_pairs(wrapped, pairs)
    assert describe_policy(plain) == describe_policy(wrapped)
    (first, _) = encode_pairs(plain, pairs)
    assert decode_continuation(plain, first.prompt, first.target) == decode_continuation(
        wrapped, first.prompt, first.target
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"add_bos_token": True},
        {"clean_up_tokenization_spaces": True},
        {"eos_token": "<other>"},
        {"eos_token": {"content": "<end>", "lstrip": True}},
        {"tokenizer_class": "GPT2Tokenizer"},
        {"extra_special_tokens": ["<more>"]},
        {"split_special_tokens": True},
    ],
)
def test_a_tokenizer_that_the_wrapper_would_change_is_not_plain(tmp_path, changes):
    trained(opening=False, sentences=False).save_pretrained(tmp_path)
    assert read_plain_tokenizer(tmp_path) is not None
    path = tmp_path / "tokenizer_config.json"

    path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    assert read_plain_tokenizer(tmp_path) is None


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [None, "{", "[]", "\x00"])
def test_files_that_are_not_whole_are_not_plain(tmp_path, name, content):
    trained(opening=False, sentences=False).save_pretrained(tmp_path)
    path = tmp_path / name
    path.unlink() if content is None else path.write_text(content)

    assert read_plain_tokenizer(tmp_path) is None


def test_truncation_and_padding_in_the_file_are_put_aside(tmp_path):
    trained(opening=False, sentences=False).save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    table = json.loads(path.read_text())
    table["truncation"] = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    path.write_text(json.dumps(table))
    wrapped = AutoTokenizer.from_pretrained(tmp_path)

    ids = read_plain_tokenizer(tmp_path)("one two three four", add_special_tokens=False)["input_ids"]

    assert ids == wrapped("one two three four", add_special_tokens=False)["input_ids"]
    assert len(ids) > 2
