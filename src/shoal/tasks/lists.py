"""What tasks over lists share: a prompt of a verb and items (``copy k f a:``), drawn, read and varied.

The items are letters, or words of letters, with blanks between them, so that each is a token or a few of any tokenizer.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, read_prompt

if TYPE_CHECKING:
    import random

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

Items = Sequence[str]
ListProgram = Callable[[Items], Items]
"""From the items of a prompt to those of the answer."""

ItemVariants = Callable[[Items, "random.Random"], Iterator[tuple["VariantKind", Items]]]
"""From the items of a prompt to candidates of its variants."""

ALPHABET = string.ascii_lowercase[:10]
"""The letters of the items: few, so that a small model sees each often and lists share many of them."""


# A shortcut reads the prompts of all seen examples again for each held-out one.
@functools.lru_cache(maxsize=65536)
def read_items(verb: str, prompt: str) -> tuple[str, ...]:
    """The items of a prompt, with blanks or commas between them.

    Args:
        verb: the word that the prompt begins with.
        prompt: to read.

    Raises:
        DataError: the prompt is of another form.
    """
    match = read_prompt(rf"{verb} +(\w+(?:(?: *, *| +)\w+)*) *:", prompt, f"{verb} k f a:")
    return tuple(match[1].replace(",", " ").split())


def read_symbols(verb: str, symbols: str, prompt: str) -> Sequence[str]:
    """The symbols of a prompt, with blanks or commas between them.

    Args:
        verb: the word that the prompt begins with.
        symbols: those that there are, each of one character.
        prompt: to read.

    Raises:
        DataError: the prompt is of another form, or holds another symbol.
    """
    one = f"[{re.escape(symbols)}]"
    match = read_prompt(rf"{verb} +({one}(?:[ ,]+{one})*) *:", prompt, write_items(verb, symbols))
    return match[1].replace(",", " ").split()


def write_items(verb: str, items: Items) -> str:
    """The prompt of these items.

    Args:
        verb: the word that the prompt begins with.
        items: at least one.
    """
    return f"{verb} {' '.join(items)}:"


def draw_letters(generator: random.Random, length: int) -> list[str]:
    """That many letters, each drawn on its own.

    Args:
        generator: draws them.
        length: at least 1.
    """
    return generator.choices(ALPHABET, k=length)


def stop_at_longest(program: ListProgram, times: int = 1) -> Callable[[Items, int], Items]:
    """The shortcut that follows the rule as far as the longest seen list goes.

    It says nothing of lists that are no longer: there it is the rule, and no items could tell the two apart.

    Args:
        program: the rule.
        times: items of an answer for each item of its prompt.
    """
    return lambda items, longest: program(items)[: times * longest] if len(items) > longest else []


def list_shortcut(verb: str, program: Callable[[Items, int], Items]) -> Shortcut:
    """The shortcut that makes another list of the items.

    Args:
        verb: the word that prompts begin with.
        program: from the items and the length of the longest seen list (0 without any) to the answer's items.
    """
    # The examples are the same list from prompt to prompt; by identity, since comparing them costs as much as reading.
    last: tuple[Sequence[Example], int, int] = ((), 0, 0)

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        nonlocal last
        if seen is not last[0] or len(seen) != last[1]:
            longest = max((len(read_items(verb, example.prompt)) for example in seen), default=0)
            last = (seen, len(seen), longest)
        longest = last[2]
        return "".join(f" {item}" for item in program(read_items(verb, prompt), longest))

    return shortcut


def build_list_task(
    name: str,
    *,
    sizes: tuple[int, int],
    draw: Callable[[random.Random, int], Items],
    program: ListProgram,
    shortcuts: Mapping[str, Callable[[Items, int], Items]],
    variants: ItemVariants,
    examples: int,
    seed: int,
    split: SplitSpec,
    order_matters: bool = True,
) -> Task:
    """The task of answering a list by another one; the verb of its prompts is its name.

    Args:
        name: of the task.
        sizes: the fewest and the most items of a prompt.
        draw: draws a list of a length.
        program: from the items of a prompt to those of the completion.
        shortcuts: as `list_shortcut` takes them, by name.
        variants: gives candidates of the variants of a list.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.
        order_matters: False where lists of the same items have the same answer, and so belong on one side of a split.

    Raises:
        UsageError: an option cannot be used.
    """

    def rule(prompt: str) -> str:
        return "".join(f" {item}" for item in program(read_items(name, prompt)))

    def tags(prompt: str) -> Mapping[str, Tag]:
        items = read_items(name, prompt)
        return {"length": len(items), "group": " ".join(items if order_matters else sorted(items))}

    def vary(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
        items = read_items(name, prompt)
        yield OTHER_SURFACE, f"{name} {','.join(items)}:"
        for kind, other in variants(items, generator):
            yield kind, write_items(name, other)

    return build_task(
        name,
        sizes=sizes,
        draw=lambda generator, size: write_items(name, draw(generator, size)),
        rule=rule,
        tags=tags,
        shortcuts={key: list_shortcut(name, shortcut) for key, shortcut in shortcuts.items()},
        variants=vary,
        examples=examples,
        seed=seed,
        split=split,
    )


def change_items(items: Items, generator: random.Random) -> Iterator[tuple[VariantKind, Items]]:
    """The list with one item replaced, for each place, and with two neighbours swapped: other answers, nearly always.

    Args:
        items: at least one, letters.
        generator: draws the new items.
    """
    for place, item in enumerate(items):
        other = generator.choice([letter for letter in ALPHABET if letter != item])
        yield SAME_SURFACE, [*items[:place], other, *items[place + 1 :]]
    if len(items) > 1:
        place = generator.randrange(len(items) - 1)
        yield SAME_SURFACE, [*items[:place], items[place + 1], items[place], *items[place + 2 :]]
