from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from shoal.cli.main import main

TEXT = "One day, Tim saw a big dog. The dog was kind."


def test_a_text_is_measured_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["perplexity", TEXT, "--model", "bundled:stories"])
    printed = capsys.readouterr().out
    main(["perplexity", TEXT, "--model", "bundled:stories", "--json"])
    found = json.loads(capsys.readouterr().out)
    units = {unit["unit"]: unit for unit in found["models"][0]["units"]}
    assert f"per token {units['token']['perplexity']:12.5g}" in printed
    assert units["word"]["count"] == 11
    assert "most surprising tokens" in printed
    assert found["differences"] == []


def test_files_are_read_document_by_document_and_models_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("\n\n".join([TEXT, "He ran home."] * 4))
    page = tmp_path / "page.html"
    main(["perplexity", str(file), *["--model", "bundled:stories", "--model", "bundled:searches", "--plot"], str(page)])
    printed = capsys.readouterr().out
    assert printed.count("8 documents:") == 2
    assert "bundled:stories predicts better" in printed
    assert "bits per byte  interval" in printed
    html = page.read_text()
    assert html.startswith("<!doctype html>")
    assert "bundled:stories predicts the text best" in html
    assert html.count('class="token-text"') == 16


def test_rows_are_read_by_their_column_and_standard_input_without_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"body": TEXT}) + "\n")
    words = ["--model", "bundled:stories", "--json"]
    main(["perplexity", str(rows), "--column", "body", *words])
    by_rows = json.loads(capsys.readouterr().out)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    main(["perplexity", *words])
    assert json.loads(capsys.readouterr().out)["models"] == by_rows["models"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["", "--model", "bundled:stories"], "the text is empty"),
        (["nothere.txt", "--model", "bundled:stories"], "there is no file nothere.txt"),
        ([TEXT, "--model", "bundled:storys"], "did you mean 'stories'"),
        ([TEXT, "--model", "bundled:stories", "--stride", "0"], "the stride is 0"),
        ([TEXT, "--model", "bundled:stories", "--plot", "no/such/folder.html"], "there is no folder"),
        ([TEXT], "--model"),
    ],
)
def test_bad_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["perplexity", *words])
    error = capsys.readouterr().err
    assert ending.value.code == 2
    assert error.count("\n") == 1
    assert message in error
