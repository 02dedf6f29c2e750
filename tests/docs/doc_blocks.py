"""The fenced blocks of a page of documentation, each with its place and the marks before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

REASONS = {
    "network": "a model or data set of the hub",
    "endpoint": "a model server that speaks OpenAI's protocol",
    "processes": "several processes or machines: torchrun, Ray",
    "data": "public data sets that are not shipped",
    "checkout": "make, git or the benchmarks in a checkout",
    "time": "some minutes; run with the slow tests",
    "hours": "half an hour or more",
}
"""Why a block may be left unrun. Its ``shoal`` commands are still parsed."""

LANGUAGES = {"console", "python", "toml", "text", "json"}

_FENCE = re.compile(r"^(```+)(\w*)\s*$")
_MARK = re.compile(r"^<!-- (needs|file|shows): (.+?) -->$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    """Of its first line of content, counted from 1."""

    language: str
    text: str

    needs: str | None = None
    """Why it is not run: one of `REASONS`."""

    file: str | None = None
    """The file that it is, which is written and not run; ``NAME, continued`` is written behind what is there."""

    shows: str | None = None
    """What a text shows: ``output`` of the block before, or a ``form`` that is not run."""

    @property
    def place(self) -> str:
        """File and line, as an editor takes them."""
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name
        return f"{page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order. A mark counts for the block that follows it at once."""
    lines = page.read_text(encoding="utf-8").splitlines()
    marks: dict[str, str] = {}
    place = 0
    while place < len(lines):
        fence = _FENCE.match(lines[place])
        if fence is None:
            mark = _MARK.match(lines[place])
            marks = {**marks, mark[1]: mark[2]} if mark else marks if not lines[place].strip() else {}
            place += 1
            continue
        first = place + 1
        place = first
        while lines[place] != fence[1]:
            place += 1
        text = "\n".join(lines[first:place]) + "\n"
        yield Block(page=page, line=first + 1, language=fence[2], text=text, **marks)
        marks = {}
        place += 1


def prose_of(page: Path) -> Iterator[tuple[int, str]]:
    """The lines outside of all fenced blocks, with their numbers."""
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line
