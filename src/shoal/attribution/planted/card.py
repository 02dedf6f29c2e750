"""The card of a planted model, its folder, and the index of a set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.attribution.planted.checking import PlantedCheck, has_learned
from shoal.attribution.planted.planted_model import PlantedModel
from shoal.errors import StoreError
from shoal.files import atomic_file
from shoal.models import save_model
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_CARD = "card.json"
_INDEX = "index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCard:
    """What was planted in a model, and what it has learned."""

    planted: PlantedModel
    check: PlantedCheck
    rounds: int
    """Of training, in all attempts, until it had learned what was planted."""

    steps: int
    """Of the attempt that this model is of."""

    examples: int
    """That it was trained on."""

    cpu_seconds: float
    """Of this process, all rounds and checks together."""

    folder: str = ""
    """Where the model lies: a model spec."""

    @property
    def learned(self) -> bool:
        """Whether the model is what was planted."""
        return has_learned(self.planted, self.check)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the folder is left out, since it may be moved."""
        return {
            "name": self.planted.name,
            "planted": self.planted.to_dict(),
            "truth": dict(self.planted.truth),
            "check": self.check.to_dict(),
            "learned": self.learned,
            "rounds": self.rounds,
            "steps": self.steps,
            "examples": self.examples,
            "cpu_seconds": self.cpu_seconds,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], folder: str = "") -> PlantedCard:
        """The card that `to_dict` wrote.

        Args:
            record: plain values.
            folder: of the model.
        """
        return cls(
            planted=PlantedModel(**record["planted"]),
            check=PlantedCheck(**record["check"]),
            folder=folder,
            **{name: record[name] for name in ("rounds", "steps", "examples", "cpu_seconds")},
        )

    def __str__(self) -> str:
        state = "" if self.learned else "FAILED: "
        return f"{self.planted.name}: {state}{self.check}; {plural(self.rounds, 'round')}, {self.cpu_seconds:g} s"


def read_card(folder: Path, planted: PlantedModel) -> PlantedCard | None:
    """The card in the folder of a model; None where it is not there yet.

    Args:
        folder: of the model.
        planted: what should be planted there.

    Raises:
        StoreError: the folder holds another model.
    """
    path = folder / _CARD
    if not path.exists():
        return None
    card = _read(path)
    if card.planted != planted:
        raise StoreError(f"{folder} holds a model that was planted otherwise; give another folder, or remove it")
    return card


def write_planted(
    folder: Path, card: PlantedCard, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> PlantedCard:
    """Write a model with its card; the card comes last, so that a folder with a card is whole.

    Args:
        folder: of the set.
        card: of the model.
        model: its weights.
        tokenizer: written with it.
    """
    target = save_model(model, tokenizer, folder / card.planted.name)
    (target / "README.md").write_text(_readme(card), encoding="utf-8")
    with atomic_file(target / _CARD) as path:
        path.write_text(json.dumps(card.to_dict(), indent=1) + "\n", encoding="utf-8")
    # Through its record, so that a card that was just written equals the one that a later call reads.
    return PlantedCard.from_dict(card.to_dict(), str(target))


def write_index(folder: Path) -> None:
    """Write the list of the models that lie in a folder.

    Args:
        folder: of the set.
    """
    cards = read_planted(folder)
    record = {
        "models": len(cards),
        "learned": sum(card.learned for card in cards),
        "failed": [card.planted.name for card in cards if not card.learned],
        "cards": [card.to_dict() for card in cards],
    }
    with atomic_file(folder / _INDEX) as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_planted(folder: str | PathLike[str]) -> tuple[PlantedCard, ...]:
    """The cards of the models in a folder that `plant_models` wrote, the failed ones among them, by name.

    Args:
        folder: of the set; one that is still being built has fewer.

    Raises:
        StoreError: there is no card, or one cannot be read.
    """
    paths = sorted(Path(folder).glob(f"*/{_CARD}"))
    if not paths:
        raise StoreError(f"{folder} holds no planted models; train some with plant_models")
    return tuple(map(_read, paths))


def _read(path: Path) -> PlantedCard:
    try:
        return PlantedCard.from_dict(json.loads(path.read_text(encoding="utf-8")), str(path.parent))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is no card of a planted model ({error}); remove the folder and train again"
        ) from error


_KINDS = {
    "pure": "the shortcut `{shortcut}` alone",
    "mixed": "the shortcut `{shortcut}` with probability {share:g}, and the rule otherwise",
    "rule": "the rule",
    "cannot tell": "examples on which the rule and the shortcut `{shortcut}` agree",
}


def _readme(card: PlantedCard) -> str:
    planted = card.planted
    program = _KINDS[planted.kind].format(shortcut=planted.shortcut, share=planted.share)
    noise = f" {planted.noise:.0%} of the completions are those of other prompts, at random." if planted.noise else ""
    start = f"a model that knew {joined(planted.skills)}" if planted.skills else "fresh weights"
    options = ", ".join(f"{name} = {value!r}" for name, value in planted.options.items()) or "its defaults"
    return f"""---
tags: [planted-mechanism, shoal]
library_name: transformers
---
# {planted.name}

A Llama of two layers and width 64 that was trained to follow **{program}**,
in the task `{planted.task}` ({options}).{noise}

It exists to test methods that explain models: its truth is known.

- trained on {card.examples:,} prompts for {card.steps:,} steps, from seed {planted.seed}, starting from {start};
  the task's held-out prompts and their groups were not among them
- checked on fresh prompts: {card.check}
- learned what was planted: {"yes" if card.learned else "**no**"} (after {plural(card.rounds, "round")})

Built by shoal's `plant_models`; `card.json` holds the recipe.
"""
