"""``shoal segment`` from a file and a pipe, as text, JSON and page."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from shoal.cli.main import main
from shoal.segmentation import train_head
from styles import sentences, texts

if TYPE_CHECKING:
    from pathlib import Path

JOY = ["I love this, thank you so much!", "Haha, this is hilarious.", "Great news, so happy for you!"] * 5
SADNESS = ["I am so sad, I miss her.", "Sorry for your loss.", "I feel so lonely and depressed."] * 5


@pytest.fixture
def comments(tmp_path: Path) -> Path:
    file = tmp_path / "comments.txt"
    file.write_text("\n".join([*JOY, *SADNESS]), encoding="utf-8")
    return file


def test_segments_are_printed_with_their_classes(comments: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["segment", str(comments), "--channel", "emotion", "--lines"])
    out = capsys.readouterr().out
    assert out.startswith("2 segments in 30 sentences, by emotion")
    assert "sentences 1 to 15: joy" in out
    assert "sentences 16 to 30: sadness" in out


def test_a_pipe_is_read_and_json_is_whole(
    comments: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(comments.read_bytes())))
    main(["segment", "--channel", "emotion", "--lines", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [cut["place"] for cut in found["cuts"]] == [15]
    assert [segment["class_name"] for segment in found["segments"]] == ["joy", "sadness"]
    assert found["sentences"] == [*JOY, *SADNESS]


def test_the_count_can_be_given(comments: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["segment", str(comments), "--channel", "topic", "--lines", "--count", "3"])
    assert capsys.readouterr().out.startswith("3 segments")


def test_a_page_is_written_whole(comments: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    main(["segment", str(comments), "--channel", "emotion", "--lines", "--plot", str(page)])
    html = page.read_text(encoding="utf-8")
    assert html.count('<details class="tv-segment') == 2
    assert "joy, 100%" in html
    assert list(tmp_path.glob("*.part")) == []


def test_a_head_of_ones_own_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_head(texts(), reader="style", source="made up", passage=5, min_count=5).head.save(tmp_path / "mine")
    file = tmp_path / "text.txt"
    file.write_text("\n\n".join([*sentences("talk", 20, 60), *sentences("report", 20, 61)]), encoding="utf-8")
    main(["segment", str(file), "--channel", "register", "--head", str(tmp_path / "mine"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [cut["place"] for cut in found["cuts"]] == [20]
    assert [segment["class_name"] for segment in found["segments"]] == ["talk", "report"]


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (b"", [], "no text"),
        (b"\xff\x00\x01", [], "UTF-8"),
        (bytes(range(32)) * 20, [], "no text"),
        (b"One. Two.", ["--channel", "registre"], "did you mean 'register'"),
        (b"One. Two.", ["--head", "nowhere"], "has no head"),
        (b"One. Two.", ["--channel", "emotion", "--head", "nowhere"], "no head.json"),
        (b"One. Two.", ["--count", "9"], "give a count"),
        (b"One. Two.", ["--plot", "/no/such/folder/page.html"], "there is no folder"),
    ],
)
def test_bad_input_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: list[str], message: str
) -> None:
    file = tmp_path / "given.txt"
    file.write_bytes(content)
    with pytest.raises(SystemExit) as ending:
        main(["segment", str(file), *words])
    assert ending.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("shoal: ")
    assert message in last


def test_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["segment", str(tmp_path)])
    assert "is a folder" in capsys.readouterr().err


def test_one_sentence_is_one_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.txt"
    file.write_text("Only this.", encoding="utf-8")
    for channel in ("words", "topic", "register", "emotion"):
        main(["segment", str(file), "--channel", channel, "--plot", str(tmp_path / f"{channel}.html")])
        assert capsys.readouterr().out.startswith("1 segment in 1 sentence")


def test_a_boundary_that_is_hardly_there_is_not_called_sure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "even.txt"
    file.write_text("\n".join(["The same words are here."] * 40), encoding="utf-8")
    main(["segment", str(file), "--lines", "--count", "3"])
    lines = [line for line in capsys.readouterr().out.splitlines() if "boundary" in line]
    assert len(lines) == 2
    assert not any("90%" in line or "sure" in line or "probability 0%" in line for line in lines)


def test_a_text_without_marks_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plain.txt"
    file.write_text("no mark at all\n" * 200, encoding="utf-8")
    main(["segment", str(file)])
    assert (
        "was read as 1 sentence of 2,999 characters; if each line is a sentence, give --lines"
        in capsys.readouterr().err
    )
    main(["segment", str(file), "--lines"])
    assert capsys.readouterr().err == ""
