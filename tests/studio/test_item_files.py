"""Items page by page, filtered and searched on the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.studio.item_files import ItemFiles, ItemPage
from shoal.studio.page_error import PageError


def row(number: int, **values: object) -> dict[str, object]:
    plain = {
        "split": "held_out" if number % 3 == 0 else "seen",
        "prompt": f"prompt {number}",
        "completion": f" {number}",
        "exact_match": number % 2 == 0,
        "greedy_text": f" {number}",
    }
    return plain | values


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    return path


def page(files: ItemFiles, path: Path, **values: object) -> ItemPage:
    return files.page(path, **({"split": "", "outcome": "", "search": "", "page": 1, "size": 10} | values))  # type: ignore[arg-type]


def test_a_page_has_the_items_that_match(tmp_path: Path) -> None:
    path, files = write(tmp_path / "after.jsonl", [row(number) for number in range(100)]), ItemFiles()
    found = page(files, path, page=3)
    assert [item["prompt"] for item in found.items] == [f"prompt {number}" for number in range(20, 30)]
    assert (found.total, found.matching, found.right, found.pages) == (100, 100, 50, 10)
    found = page(files, path, split="held_out", outcome="wrong")
    assert {item["prompt"] for item in found.items[:2]} == {"prompt 3", "prompt 9"}
    assert found.matching == 17
    assert page(files, path, page=999).page == 10


def test_a_search_finds_words_in_any_case_in_prompt_target_and_answer_alone(tmp_path: Path) -> None:
    rows = [row(0, prompt='He said "Größe"\n'), row(1, greedy_text=" GRÖSSE größe"), row(2, tags={"größe": 1}), row(3)]
    path, files = write(tmp_path / "after.jsonl", rows), ItemFiles()
    assert page(files, path, search="größe").matching == 2
    assert page(files, path, search='said "').matching == 1
    assert page(files, path, search="PROMPT 3").matching == 1
    # The names of keys are no text of an item.
    assert page(files, path, search="exact_match").matching == 0
    assert page(files, path, search="held_out").matching == 0


def test_a_tag_or_a_text_that_looks_like_a_field_does_not_filter(tmp_path: Path) -> None:
    odd = {"split": "held_out", "prompt": '"exact_match": true', "tags": {"exact_match": True}, "completion": ""}
    rows: list[dict[str, object]] = [odd | {"exact_match": False, "tokens_text": ['"exact_match": true']}, row(1)]
    files = ItemFiles()
    assert page(files, write(tmp_path / "after.jsonl", rows), outcome="right").matching == 0
    # Another order of keys, as another program may write them.
    other = [dict(reversed(list(one.items()))) for one in (row(0), row(2), row(3))]
    assert page(files, write(tmp_path / "before.jsonl", other), outcome="right", split="seen").matching == 1


def test_a_last_line_that_was_cut_short_is_left_out_and_a_file_that_grows_is_read_again(tmp_path: Path) -> None:
    path, files = write(tmp_path / "after.jsonl", [row(0)]), ItemFiles()
    with path.open("a") as file:
        file.write('{"split": "seen", "pro')
    assert page(files, path).total == 1
    write(path, [row(number) for number in range(5)])
    assert page(files, path).total == 5


def test_a_damaged_line_and_a_file_that_is_gone_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "after.jsonl", [row(0)])
    path.write_text(path.read_text() + "{broken}\n")
    with pytest.raises(PageError, match=r"after\.jsonl, line 2, is damaged"):
        page(ItemFiles(), path)
    path.write_text("[1]\n")
    with pytest.raises(PageError, match="no record of an item"):
        page(ItemFiles(), path)
    path.unlink()
    with pytest.raises(PageError) as gone:
        page(ItemFiles(), path)
    assert gone.value.status == 404
