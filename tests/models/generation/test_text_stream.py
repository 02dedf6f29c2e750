"""Text that comes token by token is the text of all tokens together, whatever stands before it."""

from __future__ import annotations

import random

import pytest

from shoal.models.generation import TextStream
from shoal.text import decode_continuation
from tiny_models import byte_tokenizer


def byte_fallback():
    """As SentencePiece writes texts: a space is a mark, and characters that it does not know are bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcd"]
    vocabulary = {name: place for place, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


KINDS = {"byte-level": byte_tokenizer, "byte fallback": byte_fallback}
TEXTS = {
    "letters": "a bc  d",
    "two bytes": "éßéßéßéß",
    "three bytes": "中文字符中文字符",
    "four bytes": "😀😀😀😀😀",
    "bytes of every number": "a é中😀é中😀 b中éa😀😀d",
    "joined signs": "👩\u200d👩\u200d👧 e\u0301\u0302 \u200f",
    "line ends": "a\r\nb\n\nc\td\x00",
}


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def pieces(tokenizer, ids, prompt=()):
    stream = TextStream(tokenizer, prompt)
    return [*(stream.push(id_) for id_ in ids), stream.flush()]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_are_the_text_behind_any_beginning(kind, text):
    tokenizer = KINDS[kind]()
    ids, seen = ids_of(tokenizer, TEXTS[text]), 0
    for cut in range(len(ids)):
        if "\ufffd" not in tokenizer.decode(ids[:cut]):
            seen += 1
            expected = decode_continuation(tokenizer, ids[:cut], ids[cut:])
            assert "".join(pieces(tokenizer, ids[cut:], ids[:cut])) == expected
    # One for each character, and the beginning of all.
    assert seen >= len(TEXTS[text])


@pytest.mark.parametrize("kind", KINDS)
def test_no_piece_holds_a_part_of_a_character(kind):
    tokenizer = KINDS[kind]()
    *first, rest = pieces(tokenizer, ids_of(tokenizer, "é中😀" * 5))
    assert [piece for piece in first if piece] == list("é中😀" * 5)
    assert rest == ""


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_of_an_unfinished_character_come_at_the_end_alone(kind):
    tokenizer = KINDS[kind]()
    ids = ids_of(tokenizer, "ab😀")[:-1]
    *first, rest = pieces(tokenizer, ids)
    assert ("".join(first), set(rest)) == ("ab", {"\ufffd"})


def test_a_character_that_the_prompt_began_is_not_made_up():
    """The prompt's bytes have been shown already, so that the character can be shown no more."""
    tokenizer = byte_tokenizer()
    ids = ids_of(tokenizer, "a中b")
    assert set("".join(pieces(tokenizer, ids[2:], ids[:2]))) == {"\ufffd", "b"}


def test_bytes_that_are_no_text_are_written_as_the_tokenizer_writes_them():
    tokenizer, generator = byte_tokenizer(), random.Random(5)
    for _ in range(50):
        ids = generator.choices(range(256), k=40)
        assert "".join(pieces(tokenizer, ids)) == tokenizer.decode(ids)


@pytest.mark.parametrize(("skip", "expected"), [(True, "ab"), (False, "a<end>b")])
def test_control_tokens_are_left_out_where_that_is_wanted(skip, expected):
    tokenizer = byte_tokenizer()
    stream = TextStream(tokenizer, skip_special_tokens=skip)
    assert "".join(stream.push(id_) for id_ in ids_of(tokenizer, "a<end>b")) == expected
