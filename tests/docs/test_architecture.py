"""The map of the code names every room, on the floor that the import contract gives it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def contract() -> list[set[str]]:
    """The rooms of each layer of the import contract, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def documented() -> list[set[str]]:
    """The rooms of each floor of the map, from the top."""
    floors: dict[int, set[str]] = {}
    for row in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\| (\d+) \| ([^|]+) \|", row):
            floors.setdefault(int(found[1]), set()).update(re.findall(r"`(\w+)`", found[2]))
    return [floors[floor] for floor in sorted(floors, reverse=True)]


def test_the_map_has_the_floors_of_the_contract() -> None:
    assert documented() == contract()


def test_the_figure_shows_every_room() -> None:
    drawn = set(re.findall(r"\w+", (ROOT / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")))
    assert set().union(*contract()) <= drawn
