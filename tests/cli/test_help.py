"""The help of every command: complete, plain, and without words that only we would use."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import pytest
from cyclopts import App

from shoal.cli.main import GROUPS, VERBS, main

BANNED = re.compile(
    r"\b(anew|told|whom|so many|gone on|goes on|nobody|asked for|kept|crew|dose|damage|(bits|bytes|nats) a \w+)\b",
    re.IGNORECASE,
)


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that can be called: verbs, and the sub-commands of those that have some."""
    for verb in VERBS:
        command = getattr(importlib.import_module(f"shoal.cli.{verb}"), verb)
        if isinstance(command, App):
            yield from ((verb, name) for name in command if not name.startswith("-"))
        else:
            yield (verb,)


def help_of(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    main([*words, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_option_is_explained_by_a_sentence(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of(words, capsys)
    assert "--json" in shown
    # A row that begins at the left edge with an option, and has nothing behind it, explains nothing.
    assert re.findall(r"^│ [* ] {0,2}--[a-z-]+(?: [A-Z.]+)?\s*│$", shown, re.MULTILINE) == []


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_speaks_plain_words(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert BANNED.findall(help_of(words, capsys)) == []


def test_help_shows_the_verbs_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of((), capsys)
    places = [shown.index(f"─ {group} ─") for group in GROUPS]
    assert places == sorted(places)
    assert sorted(verb for verbs in GROUPS.values() for verb in verbs) == sorted(VERBS)
