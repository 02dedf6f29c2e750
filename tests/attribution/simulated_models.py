"""Models whose mechanism is known: they answer by a program, by several, or by none, and slip."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.attribution import ItemPool

SLIP = " (slip)"


def by_program(pool: ItemPool, name: str, *, slip: float = 0.0, seed: int = 0) -> Callable[[Sequence[str]], list[str]]:
    """A model that follows one explanation."""
    return by_mixture(pool, {name: 1.0}, slip=slip, seed=seed)


def by_mixture(
    pool: ItemPool, shares: Mapping[str, float], *, slip: float = 0.0, seed: int = 0
) -> Callable[[Sequence[str]], list[str]]:
    """A model that follows each explanation on its share of the items, the same one whenever an item is asked."""
    columns = {name: dict(zip(pool.table.prompts, pool.table.column(name), strict=True)) for name in shares}

    def answer(prompt: str) -> str:
        generator = random.Random(f"{seed} {prompt}")
        if generator.random() < slip:
            return SLIP
        (name,) = generator.choices(list(shares), list(shares.values()))
        return columns[name][prompt] or SLIP

    return lambda prompts: [answer(prompt) for prompt in prompts]


def by_lot(answers: Sequence[str], *, seed: int = 0) -> Callable[[Sequence[str]], list[str]]:
    """A model whose answers do not hang on the prompt."""
    return lambda prompts: [random.Random(f"{seed} {prompt}").choice(answers) for prompt in prompts]
