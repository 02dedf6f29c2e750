"""``shoal tokenizer train`` as a person meets it."""

import json

import pytest
from transformers import AutoTokenizer

from shoal.cli.main import main


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("corpus") / "s.txt"
    main(["stories", "--count", "60", "--seed", "1", "--out", str(file)])
    return str(file)


def test_a_tokenizer_of_a_given_size_is_written(corpus, tmp_path, capsys):
    main(["tokenizer", "train", corpus, "--kind", "unigram", "--size", "400", "--out", str(tmp_path / "t")])
    assert "unigram tokenizer of 400 tokens" in capsys.readouterr().out
    assert len(AutoTokenizer.from_pretrained(tmp_path / "t")) == 400


def test_the_best_size_is_found_and_shown(corpus, tmp_path, capsys):
    words = ["tokenizer", "train", corpus, "--sizes", "300", "500", "--out", str(tmp_path / "t")]
    main([*words, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [score["size"] for score in found["choice"]["scores"]] == [300, 500]
    assert found["size"] == found["choice"]["size"]
    main(words)
    assert "bits per byte" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["CORPUS", "--size", "many"], "many"),
        (["CORPUS", "--size", "100000"], "tokens at most, not the requested 100000"),
        (["CORPUS", "--size", "20"], "too small"),
        (["CORPUS", "--size", "300", "--sizes", "300", "400"], "give one of them"),
        (["CORPUS", "--kind", "wordpiece"], "wordpiece"),
        (["missing.txt"], "there is no missing.txt"),
        (["ONE"], "1 documents are too few"),
        (["EMPTY"], "holds no text"),
        (["BINARY", "--size", "300"], "save the file as UTF-8"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(corpus, words, said, capsys, tmp_path):
    (tmp_path / "EMPTY").write_text("\n \n")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "ONE").write_text("One day.")
    paths = {name: str(tmp_path / name) for name in ("EMPTY", "BINARY", "ONE")} | {"CORPUS": corpus}
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(["tokenizer", "train", *(paths.get(word, word) for word in words), "--out", str(tmp_path / "t")])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "t").exists()
