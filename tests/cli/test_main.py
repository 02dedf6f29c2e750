"""The command line's frame: quick help, one line and exit code 2 for a fault."""

from __future__ import annotations

import errno
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import App

from shoal.cli.main import VERBS, main


def fails(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("shoal: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_help_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys\n"
        "from shoal.cli.main import main\n"
        "main(['--help'])\n"
        "print(sorted({'torch', 'numpy', 'transformers'} & set(sys.modules)), file=sys.stderr)\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stderr.strip() == "[]"
    for verb in VERBS:
        assert verb in finished.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([verb, "--help"])
    printed = capsys.readouterr().out
    assert f"shoal {verb}" in printed
    command = getattr(importlib.import_module(f"shoal.cli.{verb}"), verb)
    assert "--json" in printed or isinstance(command, App)


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_what_the_verb_says_of_itself(verb: str) -> None:
    command = getattr(importlib.import_module(f"shoal.cli.{verb}"), verb)
    said = command.help if isinstance(command, App) else inspect.getdoc(command)
    assert said.split()[0] == VERBS[verb].split()[0]


def test_an_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'run'" in fails(["rnu"], capsys)


def test_an_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--bogus" in fails(["power", "--baseline", "0.1", "--effect", "0.1", "--bogus", "1"], capsys)


def test_a_missing_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--baseline" in fails(["power", "--effect", "0.1"], capsys)


def test_a_fault_of_shoal_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "between 0 and 1" in fails(["power", "--baseline", "3", "--effect", "0.1"], capsys)


def test_debug_shows_where_a_fault_arose() -> None:
    from shoal.errors import UsageError

    with pytest.raises(UsageError) as raised:
        main(["power", "--baseline", "3", "--effect", "0.1", "--debug"])
    assert raised.value.__notes__ == ["docs/errors.md#usageerror explains it"]


def test_each_error_has_a_section_of_its_name_on_the_page_of_errors() -> None:
    from shoal import errors

    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    sections = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    known = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.ShoalError)}
    assert sections == known - {"ShoalError"}


def test_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "rows.jsonl")

    monkeypatch.setattr("shoal.tasks.write_rows", full)
    assert "the disk is full (rows.jsonl)" in fails(["task", "counting", "--out", "rows.jsonl"], capsys)


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no-such.jsonl" in fails(["task", "--data", str(tmp_path / "no-such.jsonl")], capsys)


def test_an_interrupt_ends_with_130_and_says_that_work_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shoal.tasks.make_task", interrupted)
    with pytest.raises(SystemExit) as ending:
        main(["task", "counting"])
    assert ending.value.code == 130
    assert "the same command resumes" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
@pytest.mark.parametrize(
    "words",
    [
        ["explain", "--model", "bundled:searches", "--task", "copy"],
        ["safety", "probe", "--model", "bundled:stories", "--prompts", "p.jsonl", "--out", "o"],
        ["stories", "--count", "2"],
        ["changes", "s.csv"],
        ["task", "copy"],
    ],
    ids=lambda words: words[0],
)
def test_a_seed_that_not_all_generators_take_is_refused_before_anything_is_read(
    words: list[str], seed: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"--seed is {seed}; give a whole number from 0 to 4294967295" in fails([*words, "--seed", seed], capsys)
    assert not list(tmp_path.iterdir())


def test_a_whole_number_is_not_rounded_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--seeds: 2.5 is no whole number" in fails(
        ["power", "--baseline", "0.1", "--effect", "0.1", "--seeds", "2.5"], capsys
    )
    assert '"two" into int' in fails(["changes", "--processes", "two"], capsys)
