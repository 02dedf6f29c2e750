"""``shoal tokens`` as a person meets it."""

import json

import pytest

from shoal.cli.main import main


def run(words, capsys):
    main(words)
    return capsys.readouterr().out


def test_tokens_are_printed_with_their_ids(capsys):
    out = run(["tokens", "One day", "--model", "bundled:searches"], capsys)
    assert "2 tokens" in out
    assert "'Ġday'" in out
    assert "round trip: the decoded text equals the text" in out


def test_json_holds_readings_comparisons_and_counts(capsys, tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("One day.\n\nA cat sat.\n")
    words = ["tokens", "One day", "--model", "bundled:searches", "--model", "random:bundled:searches", "--json"]
    found = json.loads(run([*words, "--corpus", str(corpus)], capsys))
    assert [reading["tokens"] for reading in found["readings"]] == [2, 2]
    assert found["comparisons"][0]["agreement"] == 1
    assert [count["documents"] for count in found["corpus"]] == [2, 2]


def test_a_page_is_written(capsys, tmp_path):
    page = tmp_path / "tokens.html"
    run(["tokens", "One day", "--model", "bundled:searches", "--plot", str(page)], capsys)
    assert page.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.html"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tokens", "--model", "bundled:searches"], "nothing to read"),
        (["tokens", "a", "--model", "bundled:storys"], "did you mean 'stories'"),
        (["tokens", "--model", "bundled:searches", "--corpus", "EMPTY"], "holds no text"),
        (["tokens", "--model", "bundled:searches", "--corpus", "BINARY"], "save the file as UTF-8"),
        (["tokens", "--model", "bundled:searches", "--corpus", "missing.txt"], "there is no missing.txt"),
        (["tokens", "--model", "bundled:searches", "--corpus", "EMPTY", "--plot", "x.html"], "give the text too"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(words, said, capsys, tmp_path):
    (tmp_path / "EMPTY").write_text("\n \n")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    words = [str(tmp_path / word) if word in {"EMPTY", "BINARY"} else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(words)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert said in error
