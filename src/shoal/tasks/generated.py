"""The shape that generated tasks share: examples drawn by size, with the rule's completion, tags and variants.

A task's file states what is its own: how a prompt of a size is drawn, the rule, the tags of a prompt, the shortcuts
and how a prompt can be varied. The rest is here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from shoal.errors import DataError, UsageError
from shoal.tasks import checks
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Example, Rule, Shortcut, Tag, Task, Variant, VariantKind

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

PromptDraw = Callable[[random.Random, int], str]
"""From a random generator and a size (digits, items, depth) to a prompt of that size."""

PromptVariants = Callable[[str, random.Random], Iterable[tuple[VariantKind, str]]]
"""From a prompt to candidates of its variants, as kinds and prompts; those that break the promise are dropped."""

TagReader = Callable[[str], Mapping[str, Tag]]
"""From a prompt to its tags: ``length`` (the size), ``group`` (what may not be on both sides of a split), others."""

SAME_SURFACE: VariantKind = "same-surface-other-answer"
OTHER_SURFACE: VariantKind = "other-surface-same-answer"

MAX_EDITS = 4
"""How many characters of a prompt a variant of the same surface changes at most."""

_ATTEMPTS = 50
"""Draws in a row without a new prompt after which the prompts count as exhausted."""
_WIDER = 0.25
"""How often `Task.draw` draws a size beyond those of the examples."""


def read_prompt(pattern: str, prompt: str, form: str) -> re.Match[str]:
    """The match of a whole prompt.

    Args:
        pattern: the regular expression of a prompt; blanks at both ends are ignored.
        prompt: to read.
        form: an example of a prompt, for the message.

    Raises:
        DataError: the prompt is of another form.
    """
    match = re.fullmatch(pattern, prompt.strip())
    if match is None:
        raise DataError(f"the prompt {prompt[:60]!r} cannot be read; it should look like {form!r}")
    return match


def by_prompt(read: Callable[[str], T], answer: Callable[[T], object]) -> Shortcut:
    """The shortcut that answers by the prompt alone, whatever was seen.

    Args:
        read: from a prompt to what it holds.
        answer: from that to the answer, which is written behind a blank.
    """
    return lambda prompt, seen: f" {answer(read(prompt))}"  # noqa: ARG005


def build_task(
    name: str,
    *,
    sizes: tuple[int, int],
    draw: PromptDraw,
    rule: Rule,
    tags: TagReader,
    shortcuts: Mapping[str, Shortcut],
    variants: PromptVariants,
    examples: int,
    seed: int,
    split: SplitSpec,
) -> Task:
    """The task of these parts; more examples leave the first ones as they are.

    Args:
        name: of the task.
        sizes: the smallest and the largest size of the examples' prompts, both included.
        draw: draws a prompt of a size.
        rule: from a prompt to its completion.
        tags: from a prompt to its tags.
        shortcuts: the task's own, in addition to those that any task has.
        variants: gives candidates of the variants of a prompt.
        examples: how many, at least 2; their prompts are distinct.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: there are not that many prompts, or the split cannot be used.
    """
    checks.whole_number("examples", examples, minimum=2)
    checks.whole_number("seed", seed, minimum=0)

    def example_of(prompt: str) -> Example:
        return Example(prompt=prompt, completion=rule(prompt), tags=tags(prompt))

    def draw_one(generator: random.Random) -> Example:
        smallest, largest = sizes
        if generator.random() < _WIDER:
            # Half as large again: far enough to be extrapolation, near enough for the context of a small model.
            smallest, largest = largest + 1, largest + max(1, largest // 2)
        return example_of(draw(generator, generator.randint(smallest, largest)))

    def vary(example: Example, generator: random.Random) -> Sequence[Variant]:
        return tuple(true_variants(example, variants(example.prompt, generator), example_of))

    prompts = _distinct_prompts(name, draw, sizes, examples, seed)
    made = tuple(map(example_of, prompts))
    return Task(
        name=name,
        examples=made,
        split=bind_split(split, made),
        rule=rule,
        shortcuts={**COPYING, **shortcuts},
        draw=draw_one,
        variants=vary,
    )


def _distinct_prompts(name: str, draw: PromptDraw, sizes: tuple[int, int], count: int, seed: int) -> list[str]:
    """Prompts of sizes drawn evenly; a size whose prompts are exhausted is drawn no more."""
    # With the name, so that tasks of one seed do not share their draws.
    generator = random.Random(f"{name} {seed}")
    open_sizes = list(range(sizes[0], sizes[1] + 1))
    found: dict[str, None] = {}
    while len(found) < count and open_sizes:
        size = generator.choice(open_sizes)
        new = next((text for _ in range(_ATTEMPTS) if (text := draw(generator, size)) not in found), None)
        if new is None:
            # Small sizes run out of different prompts; the others give what is missing.
            open_sizes.remove(size)
        else:
            found[new] = None
    if len(found) < count:
        raise UsageError(
            f"the task {name!r} has only about {len(found)} different prompts with these options, and examples is "
            f"{count}; give fewer examples or wider ranges"
        )
    return list(found)


def true_variants(
    example: Example, candidates: Iterable[tuple[VariantKind, str]], example_of: Callable[[str], Example]
) -> Iterable[Variant]:
    """The candidates that are what their kind promises, each prompt once."""
    used = {example.prompt}
    for kind, prompt in candidates:
        if prompt in used:
            continue
        variant = example_of(prompt)
        # A prompt that breaks the promise of one kind may come again as the other, whose promise it then keeps.
        if (variant.completion == example.completion) == (kind == OTHER_SURFACE):
            used.add(prompt)
            yield Variant(example=variant, kind=kind)
