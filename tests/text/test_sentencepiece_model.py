"""The fast tokenizer gives the ids that SentencePiece gives."""

from __future__ import annotations

import random
import struct

import pytest
import sentencepiece

from shoal.errors import CorruptModelError
from shoal.text.encoding import encode_pairs
from shoal.text.sentencepiece_model import Role, load_sentencepiece_tokenizer, read_pieces

MODELS = ["stories260K/tok512.model", "babyllama105/tok105.model"]

ODD_TEXTS = [
    "",
    " ",
    "   ",
    "\n",
    " one",
    "  one  two   three ",
    "one\n\ntwo\tthree\r\n",
    "1 11 111 1111 11111 1111111111111",
    "0123456789 10,000 3.14",
    "aaaaaaaaa hahahahaha oooooooo ......",
    "é à ü ñ 漢字 🙂 \x00 \u200a ™ “quoted”",
    "▁ _▁_",
    "don't I'll she's",
]


def stories(data_folder):
    text = (data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt").read_text(encoding="utf-8")
    return text.split("<|endoftext|>")


@pytest.mark.parametrize("name", MODELS)
def test_the_ids_are_those_of_sentencepiece(data_folder, name):
    generator = random.Random(0)
    noise = ["".join(generator.choice("abcehilnost  .,\n1TO▁é🙂") for _ in range(60)) for _ in range(500)]
    reference = sentencepiece.SentencePieceProcessor(model_file=str(data_folder / name))
    tokenizer = load_sentencepiece_tokenizer(data_folder / name)

    for text in [*stories(data_folder)[:300], *ODD_TEXTS, *noise]:
        assert tokenizer(text)["input_ids"] == [1, *reference.encode(text)], repr(text)


def test_it_begins_with_the_beginning_token_by_its_own_policy(data_folder):
    tokenizer = load_sentencepiece_tokenizer(data_folder / MODELS[0])

    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (1, 2)
    assert tokenizer("Once")["input_ids"] == [1, 403]
    assert tokenizer("Once", add_special_tokens=False)["input_ids"] == [403]


def test_text_comes_back(data_folder):
    tokenizer = load_sentencepiece_tokenizer(data_folder / MODELS[0])
    text = "Once upon a time,\nthere were 12 cafés 🙂."

    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


def test_both_tokenizer_files_of_a_model_agree(data_folder):
    by_model = load_sentencepiece_tokenizer(data_folder / "stories260K" / "tok512.model")
    by_bin = load_sentencepiece_tokenizer(data_folder / "stories260K" / "tok512.bin")

    assert by_bin.get_vocab() == by_model.get_vocab()
    for story in stories(data_folder)[:100]:
        text = " ".join(story.split(" ")).strip()
        if "  " not in text:
            assert by_bin(text)["input_ids"] == by_model(text)["input_ids"]


def test_a_prompt_and_its_completion_are_cut_where_they_meet(data_folder):
    tokenizer = load_sentencepiece_tokenizer(data_folder / MODELS[0])

    (pair,) = encode_pairs(tokenizer, [("Once upon", " a time", True)])

    assert tokenizer.decode(pair.prompt, skip_special_tokens=True) == "Once upon"
    assert pair.target == (*tokenizer("a time", add_special_tokens=False)["input_ids"], 2)


def train(tmp_path, **options):
    """A SentencePiece model of a few sentences."""
    prefix = tmp_path / "trained"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat sat on the mat", "a dog sat on the log", "THE END ①②"] * 20),
        model_prefix=str(prefix),
        vocab_size=48,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    return prefix.with_suffix(".model")


@pytest.mark.parametrize(
    "options",
    [
        {"normalization_rule_name": "nmt_nfkc_cf"},
        {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        {"add_dummy_prefix": False},
        {"add_dummy_prefix": False, "remove_extra_whitespaces": False},
    ],
)
def test_how_text_is_prepared_follows_the_file(tmp_path, options):
    path = train(tmp_path, model_type="bpe", **options)
    reference = sentencepiece.SentencePieceProcessor(model_file=str(path))
    tokenizer = load_sentencepiece_tokenizer(path)

    for text in ["the cat", "  The  END ", "sat <cat> on ①▁ ", "dog", "①② mat\nlog"]:
        assert tokenizer(text)["input_ids"] == [1, *reference.encode(text)], repr(text)


def test_a_vocabulary_of_another_kind_is_refused(tmp_path):
    with pytest.raises(CorruptModelError, match="not a BPE vocabulary"):
        read_pieces(train(tmp_path, model_type="unigram"))


@pytest.mark.parametrize("name", ["stories260K/tok512.model", "stories260K/tok512.bin"])
@pytest.mark.parametrize("keep", [0, 5, 1000, 1001, 1002, 1003, -1])
def test_a_file_that_is_cut_short_is_corrupt(data_folder, tmp_path, name, keep):
    path = tmp_path / name.split("/")[1]
    path.write_bytes((data_folder / name).read_bytes()[:keep])

    with pytest.raises(CorruptModelError, match=path.name):
        load_sentencepiece_tokenizer(path)


def test_a_broken_table_of_normal_forms_is_one_line(tmp_path):
    """The library that reads the table raises an error of no kind of its own."""
    path = train(tmp_path, model_type="bpe", normalization_rule_name="nmt_nfkc")
    raw = path.read_bytes()
    table = read_pieces(path).character_map
    assert raw.count(table) == 1
    path.write_bytes(raw.replace(table, b"\xff" * len(table)))
    with pytest.raises(CorruptModelError, match=r"trained\.model is not a whole tokenizer file: .*charsmap"):
        load_sentencepiece_tokenizer(path)


def test_symbols_that_are_cut_out_before_all_else_are_refused(tmp_path):
    with pytest.raises(CorruptModelError, match="user-defined"):
        read_pieces(train(tmp_path, model_type="bpe", user_defined_symbols=["<cat>"]))


def test_spaces_at_the_end_of_pieces_are_refused(tmp_path):
    with pytest.raises(CorruptModelError, match="spaces at the end of pieces"):
        read_pieces(train(tmp_path, model_type="bpe", treat_whitespace_as_suffix=True))


def test_the_special_tokens_must_be_there(tmp_path):
    path = train(tmp_path, model_type="bpe", bos_piece="[begin]")

    with pytest.raises(CorruptModelError, match="expected <unk>, <s> and </s>"):
        load_sentencepiece_tokenizer(path)


def test_pieces_of_a_llama2c_file_have_their_roles(tmp_path):
    texts = ["<unk>", "\n<s>\n", "\n</s>\n", "<0x0A>", " the"]
    path = tmp_path / "tok5.bin"
    path.write_bytes(struct.pack("<i", 7) + b"".join(struct.pack("<fi", 0.5, len(t)) + t.encode() for t in texts))

    pieces = read_pieces(path).pieces

    assert [piece.text for piece in pieces] == ["<unk>", "<s>", "</s>", "<0x0A>", "▁the"]
    assert [piece.role for piece in pieces] == [Role.UNKNOWN, Role.CONTROL, Role.CONTROL, Role.BYTE, Role.NORMAL]
    assert pieces[4].score == 0.5
