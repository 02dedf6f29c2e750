"""What reaches a terminal: nothing that it would obey, nothing that it lacks, and every file whole if nobody reads."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shoal.cli.main import main
from shoal.cli.terminal import print_notice, shown, terminal

ROOT = Path(__file__).parents[2]
SHIFT = [str(value % 7 + (5 if value > 200 else 0)) for value in range(400)]


def shoal(*words: str, encoding: str = "utf-8", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a verb in a process of its own, whose output has an encoding."""
    own = {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT / "src"), **environment}
    command = [sys.executable, "-c", "from shoal.cli.main import main; main()", *words]
    return subprocess.run(command, capture_output=True, env={**os.environ, **own}, check=False)


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.txt"
    path.write_text("\n".join(SHIFT))
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("plain\tand\n[red]markup[/red]", "utf-8", "plain\tand\n[red]markup[/red]"),
        ("\x1b[31mred", "utf-8", "\\u001b[31mred"),
        ("over\rwritten\x07\x08\x7f", "utf-8", "over\\u000dwritten\\u0007\\u0008\\u007f"),
        ("\x9b31m", "utf-8", "\\u009b31m"),
        ("a\u202eb\u2066c", "utf-8", "a\\u202eb\\u2066c"),
        ("half \ud83d", "utf-8", "half \\ud83d"),
        ("caf\u00e9 \u2603 \U0001f600", "utf-8", "caf\u00e9 \u2603 \U0001f600"),
        ("caf\u00e9 \u2603 \U0001f600", "ascii", "caf\\u00e9 \\u2603 \\ud83d\\ude00"),
        ("caf\u00e9 \u2603", "cp1252", "caf\u00e9 \\u2603"),
        ("\u05e9\u05dc\u05d5\u05dd\u200f \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", None, None),
    ],
)
def test_what_a_terminal_obeys_or_lacks_is_escaped(text: str, encoding: str | None, expected: str | None) -> None:
    assert shown(text, encoding) == (text if expected is None else expected)


def test_json_that_passes_the_door_stays_the_same_json(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"caf\u00e9": "\x1b[0m \u2603 \U0001f600 \u202e \ud83d"}
    bare = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", bare)
    with terminal():
        print(json.dumps(value, ensure_ascii=False))
        sys.stdout.writelines(["\x1b"])
        assert not sys.stdout.isatty()
    assert sys.stdout is bare
    bare.flush()
    line, rest = bare.buffer.getvalue().decode("ascii").split("\n")  # type: ignore[attr-defined]
    assert json.loads(line) == value
    assert rest == "\\u001b"


def test_messages_pass_the_door_and_nobody_need_hear_them(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        main(["no\x1b[31mverb"])
    assert "\x1b" not in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["changes", "none\x1b[2J.csv"])
    assert "none\\u001b[2J.csv" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stderr", None)
    print_notice("nobody")


def test_names_and_symbols_of_a_file_pass_the_door(tmp_path: Path, capsys) -> None:
    rows = [{"a\x1b[31m": ["x\r\x07", "y\u202e"][(k * 7) % 4 > 0 if k < 300 else k % 2]} for k in range(600)]
    path = tmp_path / "states.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in ([], ["--json"]):
        main(["changes", str(path), *words])
        printed = capsys.readouterr()
        assert not set("\x1b\r\x07\u202e") & set(printed.out + printed.err)
    assert json.loads(printed.out)["columns"] == ["a\x1b[31m"]


def test_texts_of_tokens_pass_the_door(capsys) -> None:
    main(["tokens", "One \x1b[31m\x07day\u202e [red]", "--model", "bundled:stories"])
    printed = capsys.readouterr().out
    assert not set("\x1b\x07\u202e") & set(printed)
    assert "'['" in printed
    assert "'red'" in printed


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", pytest.param("latin1", marks=pytest.mark.slow)])
def test_any_encoding_of_the_terminal_gives_an_answer(tmp_path: Path, encoding: str) -> None:
    states = [["\u2603", "\u4e2d\u6587"][(k * 7) % 4 > 0 if k < 300 else k % 2] for k in range(600)]
    path = tmp_path / "states.txt"
    path.write_text("\n".join(states), encoding="utf-8")
    table = shoal("changes", str(path), encoding=encoding)
    assert (table.returncode, table.stderr) == (0, b"")
    assert b"\\u4e2d\\u6587" in table.stdout
    answer = shoal("changes", str(path), "--json", encoding=encoding)
    assert "\u2603" in json.dumps(json.loads(answer.stdout.decode(encoding)), ensure_ascii=False)


@pytest.mark.parametrize(
    "columns", ["0", "1", "-5", "x", *(pytest.param(one, marks=pytest.mark.slow) for one in ("10", ""))]
)
def test_a_terminal_of_any_width_shows_the_help(columns: str) -> None:
    for words in (["--help"], ["changes", "--help"]):
        finished = shoal(*words, encoding="ascii", COLUMNS=columns)
        assert (finished.returncode, finished.stderr) == (0, b"")
        assert b"Usage" in finished.stdout


def closed(*words: str, unbuffered: bool) -> tuple[int, bytes]:
    """Run a verb whose standard output nobody reads; the exit code and what it says on standard error."""
    flags = ["-u"] if unbuffered else []
    process = subprocess.Popen(
        [sys.executable, *flags, "-c", "from shoal.cli.main import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    process.stdout.close()
    said = process.communicate()[1]
    return process.returncode, said


@pytest.mark.parametrize("unbuffered", [True, False])
def test_a_page_is_whole_where_nobody_reads_the_table(stream: Path, tmp_path: Path, unbuffered: bool) -> None:
    page = tmp_path / "page.html"
    code, said = closed("changes", str(stream), "--plot", str(page), unbuffered=unbuffered)
    assert (code, said.decode()) == (0, f"written to {page}\n")
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_segments_and_items_are_whole_where_nobody_reads_the_table(tmp_path: Path) -> None:
    text, page = tmp_path / "text.txt", tmp_path / "page.html"
    text.write_text("The cat sat on the mat. It was warm. The dog ran in the park. It was cold. " * 4)
    code, said = closed("segment", str(text), "--plot", str(page), unbuffered=True)
    assert code == 0, said
    assert page.stat().st_size > 1000
    rows, items = tmp_path / "rows.jsonl", tmp_path / "items.jsonl"
    rows.write_text('{"prompt": "One", "completion": " day"}\n')
    code, said = closed(
        "score", "--model", "bundled:stories", "--data", str(rows), "--out", str(items), unbuffered=True
    )
    assert code == 0, said
    assert len(items.read_text().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_standard_output_is_said_in_one_line(stream: Path) -> None:
    command = [sys.executable, "-c", "from shoal.cli.main import main; main()", "changes", str(stream)]
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            check=False,
        )
    assert finished.returncode == 2
    assert finished.stderr.startswith(b"shoal: the disk is full")
    assert finished.stderr.count(b"\n") == 1


def test_bars_write_texts_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from shoal.cli.terminal import display

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", bars := Terminal())
    with display() as shown_bars:
        shown_bars.progress("[red]work[/red] \x1b[2J", 1, 2)
        shown_bars.note("[bold]note[/bold]")
        shown_bars.print("[blue]said\x07")
    written = bars.getvalue()
    assert "[red]work[/red] \\u001b[2J" in written
    assert "[bold]note[/bold]" in written
    assert "[blue]said\\u0007" in written


@pytest.mark.parametrize(
    ("workers", "threads", "count", "seconds"),
    [(0, 1, 1, 600), (2, 1, 2, 300), (8, 1, 8, 200), (None, 1, 4, 200), (None, 2, 2, 300), (None, 8, 1, 600)],
)
def test_a_forecast_is_of_the_workers_that_there_will_be(
    workers: int | None,
    threads: int,
    count: int,
    seconds: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from shoal.cli.terminal import print_forecast
    from shoal.wording import format_duration

    class Measured:
        seconds, trainings, done = 600.0, 5, 2

        def to_dict(self) -> dict[str, object]:
            return {}

        def __str__(self) -> str:
            return "measured"

    monkeypatch.setattr("shoal.experiments.workers.available_cores", lambda: 4)
    print_forecast(Measured(), workers, threads=threads, device="cpu", as_json=False)
    # Three trainings are left, so that a fourth worker has nothing to do.
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"about {format_duration(seconds)} on {count} worker")
    print_forecast(Measured(), workers, threads=threads, device="cpu", as_json=True)
    assert f'"workers": {count}' in capsys.readouterr().out
