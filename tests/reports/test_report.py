"""One run becomes one HTML file: the verdict first, nothing fetched, nothing left out in silence."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from run_folder import HOSTILE, write_run
from shoal.errors import StoreError
from shoal.experiments import Run, open_run
from shoal.reports import write_report
from shoal.reports.verdict import accuracy, verdict, verdict_picture

if TYPE_CHECKING:
    from pathlib import Path


class Outline(HTMLParser):
    """The tags and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.hidden = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.hidden = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.hidden = ""

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def read(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def embedded(html: str) -> dict[str, list[dict[str, object]]]:
    return json.loads(re.findall(r'id="items-data">(.*?)</script>', html, re.DOTALL)[0])


def test_the_sections_stand_in_the_order_in_which_they_are_read(finished: Path) -> None:
    sections = [attrs["id"] for tag, attrs in Outline(read(finished)).tags if tag == "section"]
    assert sections == [
        "verdict",
        "explanations",
        "accuracy",
        "items",
        "by-index",
        "learning",
        "inside",
        "narrowness",
        "certificate",
        "choices",
        "environment",
        "reproduce",
    ]


def test_the_verdict_stands_with_its_numbers_and_controls(finished: Path) -> None:
    verdict = json.loads((finished / "verdict.json").read_text())
    text = Outline(read(finished)).text
    start = text[: text.index("Held-out items")]
    assert "Supported" in start
    assert verdict["sentence"] in start
    assert f"{verdict['effect']['estimate']:.3f}" in start
    assert "Seeds per arm 6" in start
    assert "Items held out / seen 9 / 21" in start
    assert "✓ passed Training ceiling : both arms fit the seen examples." in start


def test_every_accuracy_stands_with_its_interval_and_its_counts(finished: Path) -> None:
    text = Outline(read(finished)).text
    summary = json.loads((finished / "verdict.json").read_text())["measures"]["exact_match"]["arms"]
    for arm in ("pretrained", "random"):
        cell = summary[arm]["after"]["held_out"]
        shown = [f"{100 * cell[key]:.1f}%" for key in ("mean", "low", "high")]
        assert f"{shown[0]} [{shown[1]}, {shown[2]}]" in text
    assert "mean over 6 seeds of 9 items each [95% interval over seeds" in text


def test_exact_match_has_an_interval_over_items_as_well(finished: Path) -> None:
    # Wilson's interval of 0 of 9 ends at 29.9 %: seeds that all fail do not prove that no item can be right.
    assert "Exact match over items 0.0% [0.0%, 29.9%]" in Outline(read(finished)).text


def with_verdict(finished: Path, folder: Path, record: dict[str, Any]) -> Run:
    """The finished run with another verdict."""
    (folder / "experiment.toml").write_text((finished / "experiment.toml").read_text())
    (folder / "verdict.json").write_text(json.dumps(record))
    return open_run(folder)


@pytest.mark.parametrize("word", ["underpowered", "confounded", "refuted"])
def test_every_verdict_is_drawn_and_says_what_it_means(finished: Path, tmp_path: Path, word: str) -> None:
    record = json.loads((finished / "verdict.json").read_text())
    record |= {"verdict": word, "needed": "12 seeds per arm" if word == "underpowered" else None}
    record["controls"][0]["passed"] = word != "confounded"
    record["effect"] |= {"low": None, "high": None}
    text = Outline(verdict(with_verdict(finished, tmp_path, record))).text
    assert f"{word.capitalize()} means that" in text
    assert ("What would settle it: 12 seeds per arm." in text) is (word == "underpowered")
    assert ("✗ failed Training ceiling" in text) is (word == "confounded")
    assert "interval over seeds \N{MINUS SIGN}∞ to ∞" in text


def test_an_effect_without_a_value_is_said_and_not_drawn(finished: Path, tmp_path: Path) -> None:
    record = json.loads((finished / "verdict.json").read_text())
    record["effect"] |= {"estimate": None, "low": None, "high": None, "differences": [], "seeds": []}
    html = str(verdict_picture(with_verdict(finished, tmp_path, record)))
    assert "there is no effect to draw" in html
    assert "<svg" not in html


def test_the_page_fetches_nothing(finished: Path) -> None:
    html = read(finished)
    assert "default-src 'none'" in html
    fetching = [
        attrs for tag, attrs in Outline(html).tags if tag in ("link", "img", "iframe", "object", "embed", "base")
    ]
    assert not fetching
    assert not [attrs for tag, attrs in Outline(html).tags if attrs.get("src")]
    assert set(re.findall(r"https?://[^\"' )<]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in html
    assert "url(" not in html.replace("url(#", "")


def test_the_report_of_a_quick_run_is_small(finished: Path) -> None:
    assert len(read(finished).encode()) < 1_000_000


def test_all_items_of_a_quick_run_are_in_the_page(finished: Path) -> None:
    data = embedded(read(finished))
    assert len(data["items"]) == data["total"] == 2 * 2 * 6 * 30
    assert len(data["examples"]) == 30


def test_an_unfinished_run_says_what_is_missing_and_shows_the_rest(unfinished: Path) -> None:
    for name in ("certificate", "narrowness", "choices", "environment"):
        (unfinished / f"{name}.json").unlink()
    shutil.rmtree(unfinished / "arms" / "random")
    (unfinished / "arms" / "pretrained" / "seed-1" / "done.json").unlink()
    text = Outline(write_report(unfinished).read_text()).text
    assert "No verdict yet" in text
    assert "pretrained: 1 of 2 seeds are done" in text
    assert "The run has not written certificate.json yet." in text
    assert "mean over 2 seeds of 3 items each" in text


def test_a_run_that_only_began_can_be_drawn(unfinished: Path) -> None:
    shutil.rmtree(unfinished / "arms")
    text = Outline(write_report(unfinished).read_text()).text
    assert text.count("No item has been scored yet.") == 2
    assert "Nothing has been trained yet." in text


def test_a_line_that_is_being_written_is_left_out(unfinished: Path) -> None:
    shutil.rmtree(unfinished / "arms")
    with (unfinished / "timings.jsonl").open("w") as file:
        file.write('{"place": "a", "wall_seconds": 2.0, "cpu_seconds": 3.0, "peak_megabytes": 50}\n{"pla')
    assert "Units of work: 1; CPU-seconds: 3;" in Outline(write_report(unfinished).read_text()).text


@pytest.mark.parametrize("name", ["verdict.json", "arms/random/seed-0/after.jsonl", "experiment.toml"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path / "damaged", seeds=1, largest=4)
    whole = (folder / name).read_text()
    (folder / name).write_text(whole[: len(whole) // 2] + "\n{]\n" + whole[len(whole) // 2 :])
    with pytest.raises(StoreError, match=re.escape(name)):
        write_report(folder)


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a run") as fault:
        write_report(tmp_path)
    assert "\n" not in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_leaves_nothing_behind(unfinished: Path) -> None:
    shutil.rmtree(unfinished / "arms")
    (unfinished / "report.html").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        write_report(unfinished)
    assert not list(unfinished.glob(".report*"))


def test_hostile_text_stays_text(hostile: Path) -> None:
    html = read(hostile)
    outline = Outline(html)
    assert "alert('x')</script>" not in html
    assert len([tag for tag, _ in outline.tags if tag == "script"]) == 2
    assert " ".join(HOSTILE.split()) in outline.text
    assert embedded(html)["examples"][0]["prompt"] == f"{HOSTILE}0"


def test_of_thousands_of_items_a_sample_is_shown_and_counted(hostile: Path) -> None:
    html = read(hostile)
    assert len(embedded(html)["items"]) == 1500
    assert "an even sample of 1500 of the 4008 items" in Outline(html).text
    assert len(html.encode()) < 3_000_000


def test_reporting_needs_neither_torch_nor_transformers(unfinished: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from shoal.reports import write_report; "
        "write_report(Path(sys.argv[1])); print({'torch', 'transformers'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(unfinished)], capture_output=True, text=True, check=True, timeout=600
    )
    assert answer.stdout.strip() == "set()"


def test_equal_runs_give_equal_reports(tmp_path: Path) -> None:
    first, second = (write_run(tmp_path / place / "run", seeds=1, largest=4) for place in "ab")
    assert write_report(first).read_bytes() == write_report(second).read_bytes()


def test_headings_do_not_skip_a_level_and_every_table_has_headers(finished: Path) -> None:
    tags = Outline(read(finished)).tags
    levels = [int(tag[1]) for tag, _ in tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len([tag for tag, _ in tags if tag == "caption"]) == len([tag for tag, _ in tags if tag == "table"])
    drawings = [attrs for tag, attrs in tags if tag == "svg"]
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") == "true" for attrs in drawings)


def test_a_run_of_one_seed_has_no_interval_and_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one", seeds=1, largest=5, verdict="underpowered")
    assert "[no bounds]" in Outline(write_report(folder).read_text()).text


def test_a_report_shows_the_measures_of_its_own_task(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seeds=2, largest=10, verdict=None)
    assert ">Counting<" in str(accuracy(open_run(folder)))
    file = folder / "experiment.toml"
    text = (
        file.read_text().replace('[task]\nname = "counting"', '[task]\nname = "addition"').replace("largest = 10", "")
    )
    file.write_text(text)
    page = str(accuracy(open_run(folder)))
    assert ">Counting<" not in page
    assert ">Last digit<" in page
