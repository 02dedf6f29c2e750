"""Texts of the wild through every reader: half characters, control tokens as words, marks, blank lines with blanks."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from shoal.cli.main import main
from shoal.cli.rows import read_model_rows
from shoal.cli.vectors_work import read_corpus
from shoal.corpora import read_documents, write_documents
from shoal.errors import DataError
from shoal.models import load_tokenizer
from shoal.text.encoding import plain_ids
from shoal.text.training import TokenizerKind, train_tokenizer

ROWS = ["A cat sat.", "A dog \ud83d ran.", "A bird sang."]


def jsonl(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "broken.jsonl", ROWS * 20)


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    *progress, fault = capsys.readouterr().err.splitlines()
    assert fault.startswith("shoal: ")
    assert all(line.startswith("documents: ") for line in progress)
    return fault


@pytest.mark.parametrize(
    "verb",
    [
        ["corpus", "dedupe", "FILE", "--out", "out.jsonl"],
        ["corpus", "card", "FILE"],
        ["corpus", "contamination", "FILE", "--task", "counting"],
        ["tokenizer", "train", "FILE", "--out", "made", "--size", "300"],
        ["tokens", "a text", "--model", "bundled:stories", "--corpus", "FILE"],
        ["inspect", "a text", "--model", "bundled:searches", "--corpus", "FILE"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_half_a_character_is_one_line_with_file_line_and_place(
    verb: list[str], broken: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    said = fails(capsys, *(str(broken) if word == "FILE" else word for word in verb))
    assert "broken.jsonl, line 2: character 7 is half of a surrogate pair" in said
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "made").exists()


def test_cleaning_mends_half_a_character_and_counts_it(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["corpus", "clean", str(broken), "--out", str(tmp_path / "whole.jsonl")])
    assert "20 repaired" in capsys.readouterr().err
    assert list(read_documents(tmp_path / "whole.jsonl"))[1] == "A dog \ufffd ran."


def test_a_tokenizer_is_not_trained_on_half_a_character() -> None:
    with pytest.raises(DataError, match="document 2: character 7 is half of a surrogate pair"):
        train_tokenizer(ROWS * 50, kind="bpe", vocabulary=300)


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_lines_of_blanks_part_documents_and_a_mark_is_no_letter(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("\ufeffOne\ngoes on.\r\n \t\r\nTwo.\n\u3000\n\nThree.".encode())
    assert list(read_documents(tmp_path / name)) == ["One\ngoes on.", "Two.", "Three."]


def test_rows_are_read_whatever_stands_inside_them(tmp_path: Path) -> None:
    raw = '{"text": "a\u2028b\x85c"}\r\n\r\n{"text": "<|endoftext|> is a word"}'
    (tmp_path / "a.jsonl").write_bytes(raw.encode("utf-8-sig"))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(raw.encode("utf-16")))
    expected = ["a\u2028b\x85c", "<|endoftext|> is a word"]
    assert list(read_documents(tmp_path / "a.jsonl")) == expected
    assert list(read_documents(tmp_path)) == expected * 2


def test_a_document_longer_than_many_chunks_is_read_in_linear_time(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word " * 3_000_000, encoding="utf-8")  # minutes, were each chunk copied again
    assert [len(text) for text in read_documents(tmp_path / "long.txt")] == [15_000_000]


def test_a_text_file_cannot_hold_a_document_that_mentions_what_parts_documents(tmp_path: Path) -> None:
    rows = [{"text": "one"}, {"text": "a <|endoftext|> b"}]
    with pytest.raises(DataError, match=r"document 2 mentions <\|endoftext\|>.*write .jsonl or .parquet"):
        write_documents(rows, tmp_path / "out.txt")
    assert list(tmp_path.iterdir()) == []
    assert write_documents(rows, tmp_path / "out.jsonl") == 2


def test_tokens_counts_the_texts_of_rows_and_not_their_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["one two three", "four five"]
    file = jsonl(tmp_path / "rows.jsonl", texts)
    main(["tokens", "a text", "--model", "bundled:stories", "--corpus", str(file), "--json"])
    counts = json.loads(capsys.readouterr().out)["corpus"][0]
    assert (counts["documents"], counts["words"]) == (2, 5)
    assert counts["bytes"] == sum(map(len, texts))


@pytest.mark.parametrize("spec", ["bundled:stories", "bundled:searches"])
def test_a_document_that_mentions_a_control_token_does_not_get_it(spec: str) -> None:
    tokenizer = load_tokenizer(spec)
    text = f"The word {tokenizer.eos_token} ends a text."
    (ids,) = plain_ids(tokenizer, [text])
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert tokenizer.eos_token_id in tokenizer(text)["input_ids"]  # prompts are read as they always were


@pytest.mark.parametrize("kind", ["bpe", "unigram", "sentencepiece-bpe"])
def test_the_character_that_stands_for_a_space_in_pieces_is_kept(kind: TokenizerKind) -> None:
    words = [f"{first}{second} runs" for first in "abcdefghijklm" for second in "nopqrstuvwxyz"]
    tokenizer = train_tokenizer(["A line \u2581 of blocks.", *words] * 5, kind=kind, vocabulary=305)
    for text in ("a \u2581 b", "\u2581", "x\u2581\u2581 y  z", " \u2581a "):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize("kind", ["bpe", "unigram", "sentencepiece-bpe"])
@pytest.mark.parametrize(
    "text", ["x </s> y", "<s>", "an <unk> b", "<0x41> b<0x0A>", "\ufdd0 \ufdd01", "<|endoftext|>", "a\x00b"]
)
def test_names_of_pieces_in_a_document_are_letters(kind: TokenizerKind, text: str) -> None:
    tokenizer = trained(kind)
    (ids,) = plain_ids(tokenizer, [text])
    assert not set(ids) & set(tokenizer.all_special_ids)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


@cache
def trained(kind: TokenizerKind) -> PreTrainedTokenizerFast:
    words = [f"{first}{second} runs" for first in "abcdefghijklm" for second in "nopqrstuvwxyz"]
    return train_tokenizer(["A line </s> of <0x41> blocks.", *words] * 5, kind=kind, vocabulary=305)


def test_a_control_token_that_a_tokenizer_cannot_spell_is_refused() -> None:
    from tokenizers import AddedToken, Tokenizer, models

    inner = Tokenizer(models.Unigram([("<unk>", 0.0), ("</s>", -1.0), ("a", -1.0), (" ", -1.0)], unk_id=0))
    inner.add_special_tokens([AddedToken("</s>", special=True, normalized=False)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>", unk_token="<unk>")
    with pytest.raises(DataError, match="'a </s> a' mentions </s>"):
        plain_ids(tokenizer, ["a a", "a </s> a"])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_without_a_mark_are_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("One line of text.\n\nAnother one.".encode(encoding))
    with pytest.raises(DataError, match="UTF-16 or UTF-32 without a byte-order mark"):
        list(read_documents(tmp_path / "a.txt"))


def test_rows_are_cut_into_segments_and_taught_to_vectors_as_their_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["A cat sat. A dog ran.", "A bird sang. A fish swam."]
    file = jsonl(tmp_path / "rows.jsonl", texts)
    main(["segment", str(file), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["sentences"] == ["A cat sat.", "A dog ran.", "A bird sang.", "A fish swam."]
    corpus = read_corpus([file], 1)
    assert corpus.sentence_ends.tolist() == [3, 6, 9, 12]
    assert " ".join(corpus.words[number] for number in corpus.ids) == ("a cat sat a dog ran a bird sang a fish swam")


def test_rows_that_hold_control_tokens_are_counted_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = load_tokenizer("bundled:stories")
    rows = [
        {"prompt": "Say <|endoftext|> now", "completion": " yes"},
        {"prompt": "Say", "completion": " no<|endoftext|>"},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    read = read_model_rows(tmp_path / "rows.jsonl", tokenizer)
    assert [(row.completion, row.ends) for row in read] == [(" yes", False), (" no", True)]
    assert "some hold control tokens (<|endoftext|> in 1)" in capsys.readouterr().err
    (tmp_path / "rows.jsonl").write_text(json.dumps(rows[1]) + "\n", encoding="utf-8")
    read_model_rows(tmp_path / "rows.jsonl", tokenizer)
    assert capsys.readouterr().err == ""
