"""The runner of the documentation sees what it must, and says where."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_blocks import blocks_of
from doc_commands import check_parses, commands_of, known_options
from doc_pages import PageError, PageRun

from shoal.errors import ShoalError


def run(text: str, folder: Path, *, slow: bool = False) -> int:
    """Run a page, and give how many of its blocks were left out."""
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return len(PageRun(page, folder, slow=slow).run())


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# Page\n\n```python\nx = 1\ny = x / 0\n```\n", "page.md:5: ZeroDivisionError"),
        ("```python\nx = 1\n\nx + 1  # 3: two\n```\n", "page.md:4: the comment says 3, and the value is 2"),
        ("```python\nprint(1)\n```\n\n<!-- shows: output -->\n```text\n2\n```\n", "page.md:7: the block before prints"),
        ("```console\n$ echo one\n$ shoal power --no-such-option\n```\n", "page.md:3: shoal power --no-such-option"),
        ("```console\n$ echo one\ntwo\n```\n", "page.md:2: echo one\nprints something else:\none"),
        ("```console\n$ shoal power --baseline 0.1 --effect 0.3\nshoal: no\n```\n", "page.md:2: shoal power"),
        ("```console\necho one\n```\n", "page.md:2: no command"),
    ],
)
def test_a_block_that_fails_is_named_by_file_and_line(text: str, place: str, tmp_path: Path) -> None:
    with pytest.raises(PageError) as caught:
        run(text, tmp_path)
    assert str(caught.value).startswith(place)


def test_a_page_keeps_its_names_and_files_from_block_to_block(tmp_path: Path) -> None:
    run(
        "<!-- file: words.txt -->\n```toml\na = 1\n```\n\n<!-- file: words.txt, continued -->\n```toml\nb = 2\n```\n"
        "\n```python\nfrom pathlib import Path\nlines = Path('words.txt').read_text().split('\\n')\n```\n"
        "\n```python\nlines  # ['a = 1', 'b = 2', '']\n```\n"
        "\n```console\n$ cat words.txt | cut -c 1\na\nb\n$ ls examples/data/rows.jsonl\n...rows.jsonl\n```\n",
        tmp_path,
    )


def test_a_command_of_shoal_takes_part_in_a_pipe(tmp_path: Path) -> None:
    run(
        "```console\n$ echo hello | cat\nhello\n"
        "$ printf '%s\\n' a b a b a b | shoal changes \\\n      --min-distance 0.3\n...no changes\n```\n",
        tmp_path,
    )


def test_what_takes_minutes_is_run_only_with_the_slow_tests(tmp_path: Path) -> None:
    text = "<!-- needs: time -->\n```python\n1 / 0\n```\n\n<!-- needs: network -->\n```console\n$ false\n```\n"
    assert run(text, tmp_path) == 2
    with pytest.raises(PageError, match="ZeroDivisionError"):
        PageRun(tmp_path / "page.md", tmp_path / "again", slow=True).run()


def test_a_mark_counts_for_the_next_block_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- needs: network -->\n\nWords.\n\n```console\n$ ls\n```\n\n```text\nx\n```\n", encoding="utf-8")
    assert [(block.line, block.needs) for block in blocks_of(page)] == [(6, None), (10, None)]


@pytest.mark.parametrize(
    "words",
    [
        "shoal changes x.csv --no-such-option",
        "shoal no-such-verb",
        "shoal score --model gpt2 --data rows.jsonl --part some",
        "shoal score --model orcle?p=1 --data rows.jsonl",
        "shoal tune --model gpt2",
    ],
)
def test_a_command_that_shoal_does_not_take_does_not_parse(words: str) -> None:
    from cyclopts import CycloptsError

    with pytest.raises((CycloptsError, ShoalError)):
        check_parses(words.split())
    check_parses(["shoal", "score", "--model", "gpt2", "--data", "rows.jsonl", "--part", "held_out"])


def test_options_in_sentences_are_known_by_their_verb() -> None:
    assert known_options(["changes", "FILE", "--alpha", "0.05"])[1] == []
    assert known_options(["changes", "FILE", "--levle=2"])[1] == ["--levle"]


def test_a_command_goes_over_several_lines_and_keeps_its_own() -> None:
    commands = list(commands_of("$ a b \\\n    c  # why\n$ d | e\nout\n", 10))
    assert [(command.line, command.words, command.expected) for command in commands] == [
        (10, (("a", "b", "c"),), ""),
        (12, (("d",), ("e",)), "out"),
    ]
