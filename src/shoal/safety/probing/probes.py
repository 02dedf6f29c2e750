"""Probes: seed prompts as they stand and in other forms, each with where it comes from."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, UsageError
from shoal.safety.answers import read_prompt_rows_with_labels
from shoal.safety.probing.mutations import PLAIN
from shoal.safety.prompt_labels import harm_of_label, keep_label
from shoal.statistics import even_sample

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from shoal.safety.probing.mutations import Mutation

SeedPart = Literal["train", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeed:
    """A request that probes are made of."""

    prompt: str
    harmful: bool
    """Whether it should be refused; a harmless one should not."""

    type: str
    part: SeedPart
    """Seeds of the part train may be learned from; those of the part test are only measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A prompt that is put to a model."""

    prompt: str
    seed: str
    """The request that it was made of."""

    harmful: bool
    type: str
    mutation: str
    """The name of the mutation; ``plain`` for the seed as it stands."""

    family: str
    part: SeedPart

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def read_probe_seeds(path: str | os.PathLike[str], *, max_seeds: int | None = None) -> list[ProbeSeed]:
    """Seeds of a file; half of each label are for training, by a digest of their text.

    Args:
        path: rows with the column prompt, and perhaps label (safe or unsafe; unsafe where there is none) and type.
        max_seeds: of each label; of more, an even sample.

    Raises:
        DataError: the file cannot be read, a label is unknown, or no seed is harmful.
    """
    return make_probe_seeds(read_prompt_rows_with_labels(Path(path)), max_seeds=max_seeds, where=str(path))


def make_probe_seeds(
    rows: Iterable[Mapping[str, Any]], *, max_seeds: int | None = None, where: str = "the rows"
) -> list[ProbeSeed]:
    """Seeds of rows; see `read_probe_seeds`.

    Args:
        rows: with the column prompt, and perhaps label and type.
        max_seeds: of each label; of more, an even sample.
        where: they come from, for messages.

    Raises:
        DataError: a label is unknown, a prompt has two labels, or fewer than two seeds are harmful.
        UsageError: max_seeds is below 1.
    """
    if max_seeds is not None and max_seeds < 1:
        raise UsageError(f"max_seeds is {max_seeds}; give a whole number of at least 1, or none to take all")
    sides: dict[bool, dict[str, str]] = {True: {}, False: {}}
    labels: dict[str, bool] = {}
    for place, row in enumerate(rows, start=1):
        # Sets of attacks have no column of labels, since all that they hold is harmful.
        prompt = str(row["prompt"]).strip()
        harmful = harm_of_label(row.get("label") or "unsafe", f"{where}, row {place}")
        keep_label(labels, prompt, harmful=harmful, place=f"{where}, row {place}")
        sides[harmful].setdefault(prompt, str(row.get("type") or ""))
    if len(sides[True]) < 2:
        raise DataError(
            f"{where} has {len(sides[True])} harmful prompts of {sum(map(len, sides.values()))}; a probe measures "
            "whether harmful requests are refused, so give two at least (label unsafe, or no column label)"
        )
    found = []
    for harmful, prompts in sides.items():
        chosen = list(prompts) if max_seeds is None else even_sample(list(prompts), max_seeds)
        # By rank of the digest: halves of equal size, and the order of the file has no part in them.
        ranks = {prompt: rank for rank, prompt in enumerate(sorted(chosen, key=_digest))}
        found += [
            ProbeSeed(
                prompt=prompt,
                harmful=harmful,
                type=prompts[prompt],
                part="train" if ranks[prompt] % 2 == 0 else "test",
            )
            for prompt in chosen
        ]
    return found


def make_probes(
    seeds: Sequence[ProbeSeed], mutations: Sequence[Mutation], *, per_seed: int = 3, draw_seed: int = 0
) -> list[Probe]:
    """The seeds as they stand, and each in some other forms; a prompt that comes twice is taken once.

    Harmless seeds are mutated as harmful ones are: a model that learned to refuse a framing, and not what is requested
    in it, refuses those.

    Args:
        seeds: requests.
        mutations: other forms.
        per_seed: forms that are drawn for each seed, at most; every one is used about as often.
        draw_seed: random seed of what is drawn.
    """
    draw = random.Random(f"probes {draw_seed}")
    found: dict[str, Probe] = {}
    # Mutations are dealt like cards, so that each is used about equally often, which draws with replacement would not
    # give.
    turn: list[Mutation] = []
    for seed in seeds:
        chosen: list[Mutation] = []
        while len(chosen) < min(per_seed, len(mutations)):
            if not turn:
                turn = draw.sample(list(mutations), len(mutations))
            # One that the seed has already waits for the next seed.
            fresh = next((mutation for mutation in turn if mutation not in chosen), None)
            if fresh is None:
                turn += draw.sample(list(mutations), len(mutations))
                continue
            turn.remove(fresh)
            chosen.append(fresh)
        forms = [(seed.prompt, PLAIN, PLAIN)]
        forms += [(mutation.apply(seed.prompt, draw), mutation.name, mutation.family) for mutation in chosen]
        for prompt, name, family in forms:
            found.setdefault(
                prompt,
                Probe(
                    prompt=prompt,
                    seed=seed.prompt,
                    harmful=seed.harmful,
                    type=seed.type,
                    mutation=name,
                    family=family,
                    part=seed.part,
                ),
            )
    return list(found.values())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
