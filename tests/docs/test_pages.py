"""Every command and every Python block of README and docs runs as it stands; no block is left out without a reason."""

from __future__ import annotations

import importlib
import os
import re
import shlex
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from cyclopts import CycloptsError
from doc_blocks import LANGUAGES, PAGES, REASONS, ROOT, Block, blocks_of, prose_of
from doc_commands import check_parses, commands_of, known_options
from doc_pages import PageRun

from shoal.cli.main import VERBS
from shoal.errors import ShoalError

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
WITH_BLOCKS = [page for page in PAGES if any(block.page == page for block in BLOCKS)]
WITH_SLOW = [page for page in WITH_BLOCKS if any(block.page == page and block.needs == "time" for block in BLOCKS)]

LEFT_OUT = {"checkout": 5, "data": 11, "endpoint": 8, "hours": 4, "network": 15, "processes": 5, "time": 26}
"""How many blocks are not run, by reason. It grows only where nobody could run the block without what it needs."""


LONG_PAGES = frozenset(
    {
        "docs/certification.md",
        "docs/changes.md",
        "docs/comparing-corpora.md",
        "docs/crossed.md",
        "docs/curation.md",
        "docs/exercises.md",
        "docs/experiments.md",
        "docs/explain.md",
        "docs/index.md",
        "docs/inspect.md",
        "docs/layers.md",
        "docs/overfitting.md",
        "docs/pretraining.md",
        "docs/rating.md",
        "docs/safety-tuning.md",
        "docs/segmentation-channels.md",
        "docs/shards.md",
        "docs/sweeps.md",
        "docs/tokenizers.md",
        "docs/training.md",
        "docs/vectors.md",
        "docs/watch.md",
    }
)
"""Pages that take more than a second of processor time each; the full suite runs them."""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a page is run, with one core, so that an experiment starts one worker; what it caches goes there too."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOAL_CACHE", str(tmp_path / ".cache"))
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] if name_of(page) in LONG_PAGES else [])
        for page in WITH_BLOCKS
    ],
)
def test_a_page_runs_as_it_stands(page: Path, empty_folder: Path) -> None:
    PageRun(page, empty_folder, slow=False).run()


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SLOW, ids=name_of)
def test_a_page_runs_with_what_takes_minutes(page: Path, empty_folder: Path) -> None:
    PageRun(page, empty_folder, slow=True).run()


def test_every_block_says_what_it_is() -> None:
    odd = [f"{block.place}: a block of the language {block.language!r}" for block in BLOCKS if unknown(block)]
    assert odd == []


def unknown(block: Block) -> bool:
    if block.language in {"text", "json"}:
        return block.file is None and block.shows not in {"output", "form"}
    if block.language == "toml":
        return block.file is None
    return block.language not in LANGUAGES


def test_what_is_not_run_has_a_reason_and_is_counted() -> None:
    assert [block.place for block in BLOCKS if block.needs is not None and block.needs not in REASONS] == []
    assert Counter(block.needs for block in BLOCKS if block.needs) == LEFT_OUT


MARKED = [block for block in BLOCKS if block.needs is not None and block.language == "console"]


@pytest.mark.parametrize("block", MARKED, ids=lambda block: block.place)
def test_a_command_that_is_not_run_parses(block: Block) -> None:
    for command in commands_of(block.text, block.line):
        for words in command.words:
            if words[0] == "shoal":
                check_parses(words)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.needs and b.language == "python"], ids=lambda b: b.place)
def test_python_that_is_not_run_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


INLINE = [
    (f"{page.relative_to(ROOT)}:{number}", code)
    for page in PAGES
    for number, line in prose_of(page)
    for code in re.findall(r"`([^`]+)`", line)
]


def test_commands_in_sentences_have_verbs_and_options_that_exist() -> None:
    wrong = []
    for place, code in INLINE:
        for part in code.split(", ") if code.startswith("shoal ") else []:
            words = shlex.split(re.sub(r"[\[\]]", "", part))[1:]
            try:
                unknown_options = known_options(words)[1] if words and words[0] in VERBS else words[:1]
            except (CycloptsError, ShoalError) as fault:
                unknown_options = [str(fault)]
            wrong += [f"{place}: {code}: {option}" for option in unknown_options]
    assert wrong == []


def test_python_names_in_sentences_exist() -> None:
    names = [(place, code) for place, code in INLINE if re.fullmatch(r"shoal(\.\w+)+(\(.*\))?", code)]
    missing = [f"{place}: {code}" for place, code in names if not exists(code.partition("(")[0])]
    assert names
    assert missing == []


def exists(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


def test_benchmarks_that_sentences_name_exist() -> None:
    named = [(page, name) for page in PAGES for name in re.findall(r"-m benchmarks\.(\w+)", page.read_text("utf-8"))]
    index = ROOT / "docs" / "benchmarks.md"
    rows = [line for line in index.read_text("utf-8").splitlines() if line.startswith("| [")]
    named += [(index, name) for row in rows for name in re.findall(r"`(\w+)", row.split("|")[-2]) if name != "shoal"]
    assert named
    assert [f"{page.name}: {name}" for page, name in named if not (ROOT / "benchmarks" / f"{name}.py").exists()] == []


def test_files_that_sentences_and_links_name_exist() -> None:
    missing = []
    for page in PAGES:
        for number, line in prose_of(page):
            # Not within code: brackets that follow each other there are no link.
            links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", re.sub(r"`[^`]*`", "", line))
            files = re.findall(r"`((?:examples|recipes|benchmarks|src)/[\w./-]+)`", line)
            there = [page.parent / link for link in links] + [ROOT / file for file in files]
            missing += [f"{page.relative_to(ROOT)}:{number}: {path.name}" for path in there if not path.exists()]
    assert missing == []


def test_headings_that_links_name_exist() -> None:
    missing = []
    for page in PAGES:
        for number, line in prose_of(page):
            links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", re.sub(r"`[^`]*`", "", line))
            targets = [((page.parent / path if path else page), anchor) for path, anchor in links]
            missing += [
                f"{page.relative_to(ROOT)}:{number}: {target.name}#{anchor}"
                for target, anchor in targets
                if target.suffix == ".md" and anchor not in anchors_of(target.resolve())
            ]
    assert missing == []


@cache
def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and GitHub both make them."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text("utf-8"))
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}
