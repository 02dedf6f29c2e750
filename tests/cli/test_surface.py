"""The flags of the command line and the keys of the TOML files are those of the snapshot."""

from __future__ import annotations

import json

from surface import SNAPSHOT, surface


def test_flags_and_keys_are_those_of_the_snapshot() -> None:
    """Where a change is meant: ``python tests/surface.py`` writes the snapshot, and the changelog names it."""
    assert surface() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_one_option_means_one_thing() -> None:
    """Options of one name have one type wherever they stand."""
    kinds: dict[str, set[str]] = {}
    for flags in surface()["commands"].values():
        for flag in flags:
            name, _, kind = flag.partition(": ")
            if name.startswith("--"):
                kinds.setdefault(name, set()).add(kind.partition(" = ")[0].removesuffix(" | None"))
    several = {name: kind for name, kind in kinds.items() if len(kind) > 1}
    # A model, its adapters, a corpus or a prompt is named once, or several times where several are taken. The model of
    # `changes` is the statistical one, as in ruptures; the methods are those of patching and of word vectors; the
    # samples of `eval` are the file of its items, as in lm-evaluation-harness, and elsewhere texts per prompt.
    assert set(several) <= {"--adapters", "--model", "--method", "--corpus", "--prompt", "--samples"}, several
