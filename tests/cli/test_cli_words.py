from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.cli.main import main

pytest.importorskip("simplemma")
pytest.importorskip("HanTa")
TEXT = "She eats apples and is eating. He has eaten better ones."


def test_words_are_listed_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "words.html"
    main(["words", TEXT, "--model", "bundled:stories", "--plot", str(page)])
    printed = " ".join(capsys.readouterr().out.split())
    assert "eaten eaten eat verb VVN eaten" in printed
    assert "3 eat (verb): eats, eating, eaten" in printed
    html = page.read_text()
    assert "“eats”, “eating” and “eaten” are forms of “eat”" in html
    assert 'class="token-text"' in html


def test_a_long_text_is_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    # Longer than the name of a file may be.
    main(["words", "a cat sat. " * 40, "--json"])
    assert json.loads(capsys.readouterr().out)["counts"]["words"] == 120


def test_files_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "texts.txt"
    file.write_text(f"{TEXT}\n\nHe ate.\n")
    main(["words", str(file), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {row["document"] for row in found["words"]} == {0, 1}
    assert found["counts"]["frequent"][0]["lemma"] == "eat"
    main(["words", str(file), "--rows", "2", "--top", "1", "--no-parts-of-speech"])
    printed = capsys.readouterr().out
    assert "and 14 more\n" in printed
    assert "tag" not in printed.splitlines()[3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([" "], "the text is empty"),
        (["?!"], "no word in the text"),
        (["a cat", "--language", "xx"], "unknown language 'xx'"),
        (["a cat", "--model", "bundled:storys"], "did you mean 'stories'"),
        (["a cat", "--rows", "-1"], "give 0 or more"),
        (["nothere.jsonl"], "there is no file nothere.jsonl"),
    ],
)
def test_bad_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["words", *words])
    error = capsys.readouterr().err
    assert ending.value.code == 2
    assert error.count("\n") == 1
    assert message in error
