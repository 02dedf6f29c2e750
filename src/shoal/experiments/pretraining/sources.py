"""Which revision of a hub data set a recipe reads: the newest when a run is begun, and then the same to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora import HUB, parse_hub, pin
from shoal.errors import UnavailableError
from shoal.experiments.storage import disk_faults, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.experiments.pretraining.recipe import Recipe

_KNOWN = "hub.json"


def pinned_source(source: str, folder: Path) -> str:
    """A source with the commit of its hub data set in it; one that is no such set stays as it is.

    What was found is kept in the folder, so that without a network the documents that lie there are found again.

    Args:
        source: as a recipe has it.
        folder: of the prepared documents.

    Raises:
        UsageError: the hub has no such data set.
        UnavailableError: the hub cannot be reached, and the data set was never read before.
    """
    if not source.startswith(HUB):
        return source
    wanted = parse_hub(source)
    known: dict[str, str] = read_json(folder / _KNOWN) if (folder / _KNOWN).is_file() else {}
    try:
        pinned = str(pin(wanted))
    except UnavailableError:
        if str(wanted) not in known:
            raise
        return known[str(wanted)]
    if known.get(str(wanted)) != pinned:
        with disk_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / _KNOWN, known | {str(wanted): pinned})
    return pinned


def pinned_sources(recipe: Recipe, folder: Path) -> dict[str, str]:
    """The pinned source of each corpus that is a hub data set, by the corpus's name.

    Raises:
        ShoalError: as `pinned_source`.
    """
    sources = {corpus.name: corpus.source for corpus in recipe.corpus if corpus.source is not None}
    return {name: pinned_source(source, folder) for name, source in sources.items() if source.startswith(HUB)}


def with_sources(recipe: Recipe, sources: Mapping[str, str]) -> Recipe:
    """The recipe that reads these sources instead of its own, by the corpus's name."""
    places = {corpus.name: place for place, corpus in enumerate(recipe.corpus)}
    return recipe.with_values({f"corpus.{places[name]}.source": source for name, source in sources.items()})
