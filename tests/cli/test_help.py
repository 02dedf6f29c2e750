"""The help of every command: complete, plain, and without words that only we would use."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import pytest
from cyclopts import App

from shoal.cli.main import GROUPS, VERBS, main, make_app

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
    assert "--json" in help_of(words, capsys)
    _, apps, _ = make_app().parse_commands(words)
    options = [
        argument
        for argument in apps[-1].assemble_argument_collection(parse_docstring=True)
        if argument.parameter.parse is not False and not argument.children
    ]
    assert options
    assert [argument.names for argument in options if not (argument.parameter.help or "").rstrip().endswith(".")] == []


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_speaks_plain_words(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert BANNED.findall(help_of(words, capsys)) == []


def test_help_shows_the_verbs_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of((), capsys)
    places = [shown.index(f"─ {group} ─") for group in GROUPS]
    assert places == sorted(places)
    assert sorted(verb for verbs in GROUPS.values() for verb in verbs) == sorted(VERBS)
