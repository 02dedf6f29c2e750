"""The surface that users write against: every flag of every command, and every key of the TOML files.

    python tests/surface.py

writes `surface.json` beside this file again, from the code as it is. A change of that file is a change for users: it
belongs into the changelog.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from cyclopts import App

from shoal.cli.main import VERBS, make_app

SNAPSHOT = Path(__file__).with_name("surface.json")


def surface() -> dict[str, Any]:
    """Flags by command, and keys by file."""
    return {"commands": dict(_commands()), "files": dict(_files())}


def _commands() -> Iterator[tuple[str, list[str]]]:
    for verb in VERBS:
        command = getattr(importlib.import_module(f"shoal.cli.{verb}"), verb)
        names = [name for name in command if not name.startswith("-")] if isinstance(command, App) else [""]
        for name in names:
            words = [word for word in (verb, name) if word]
            yield " ".join(words), sorted(_flags(words))


def _flags(words: list[str]) -> Iterator[str]:
    _, apps, _ = make_app().parse_commands(words)
    for argument in apps[-1].assemble_argument_collection(parse_docstring=False):
        if argument.parameter.parse is False or argument.children:
            continue
        hint = argument.hint
        kind = re.sub(r"\b(typing|pathlib)\.", "", str(hint) if get_args(hint) else hint.__name__)
        yield f"{' '.join(argument.names)}: {kind}" + ("" if argument.required else f" = {_default(argument)}")


def _default(argument: Any) -> str:
    default = argument.field_info.default
    return "" if default is argument.field_info.empty else str(default)


def _files() -> Iterator[tuple[str, list[str]]]:
    from shoal.experiments import Experiment
    from shoal.experiments.corpus_comparison import CorpusComparisonPlan
    from shoal.experiments.crossed import CrossedExperiment
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.safety_tuning import SafetyTuningPlan
    from shoal.experiments.sweeps.sweep import Sweep

    for name, kind in (
        ("experiment", Experiment),
        ("crossed", CrossedExperiment),
        ("recipe", Recipe),
        ("sweep", Sweep),
        ("corpus comparison", CorpusComparisonPlan),
        ("safety tuning", SafetyTuningPlan),
    ):
        schema = kind.model_json_schema()
        yield name, sorted(_keys(schema, schema.get("$defs", {}), ""))


def _keys(schema: dict[str, Any], parts: dict[str, Any], above: str) -> Iterator[str]:
    """The dotted keys of a table, those of its tables and of its alternatives too."""
    if "$ref" in schema:
        yield from _keys(parts[schema["$ref"].rsplit("/", 1)[1]], parts, above)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _keys(part, parts, above)
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _keys(part, parts, f"{above}[]." if not above else f"{above[:-1]}[].")
    for name, value in schema.get("properties", {}).items():
        yield above + name
        yield from _keys(value, parts, f"{above}{name}.")


def main() -> None:
    """Write the snapshot."""
    SNAPSHOT.write_text(json.dumps(surface(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
