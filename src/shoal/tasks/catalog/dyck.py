"""The task of Dyck words, brackets of two kinds: ``balanced ( [ ] ):`` gives `` yes``, ``balanced ( [ ) ]:`` `` no``.

Counting alone passes for it on most random strings (Suzgun et al. 2019, arXiv:1911.03329); the unbalanced examples
are drawn so that each shortcut fails on some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import label_measures
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt
from shoal.tasks.lists import read_symbols, write_items
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Shortcut, Tag, Task, VariantKind

_CLOSING = {"(": ")", "[": "]"}
_TURNED = str.maketrans("()[]", ")(][")
_OTHER_KIND = str.maketrans("()[]", "[]()")


@register_task("dyck", structural_split="tag(tag='depth',share=0.3)", measures=label_measures("yes", "no"))
def dyck(
    *,
    min_pairs: int = 2,
    max_pairs: int = 7,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name whether brackets are balanced: prompt ``balanced ( [ ] ):``, completion `` yes`` or `` no``.

    Half of the examples are balanced (fewer of two or three pairs, of which there are few); the others are balanced
    ones with a bracket of the other kind, with two brackets swapped, in another order, without one bracket, or with one
    turned round. The tags are ``length`` (brackets), ``depth`` (the most that are open at once) and ``group`` (the
    brackets).

    Args:
        min_pairs: the fewest pairs of the balanced ones.
        max_pairs: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "dyck",
        sizes=checks.size_range("pairs", min_pairs, max_pairs),
        draw=_draw,
        rule=dyck_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def dyck_rule(prompt: str) -> str:
    """Whether every bracket is closed by one of its kind, in the right order.

    Raises:
        DataError: the prompt holds something else than brackets.
    """
    return f" {_yes(balanced(_brackets(prompt)))}"


def balanced(brackets: Sequence[str]) -> bool:
    """Whether every bracket is closed by one of its kind, in the right order."""
    waiting: list[str] = []
    for bracket in brackets:
        if bracket in _CLOSING:
            waiting.append(_CLOSING[bracket])
        elif not waiting or waiting.pop() != bracket:
            return False
    return not waiting


def _brackets(prompt: str) -> Sequence[str]:
    return read_symbols("balanced", "()[]", prompt)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _draw(generator: random.Random, size: int) -> str:
    brackets = _draw_balanced(generator, size)
    if generator.random() < 0.5:
        spoilt = generator.choice(_SPOILED)(brackets, generator)
        # A swap may leave the word balanced; a bracket of the other kind never does.
        brackets = _other_kind(brackets, generator) if balanced(spoilt) else spoilt
    return write_items("balanced", brackets)


def _draw_balanced(generator: random.Random, pairs: int) -> list[str]:
    """A balanced word: at each place a bracket is opened or the last one closed, by a coin where both are possible."""
    brackets: list[str] = []
    waiting: list[str] = []
    to_open = pairs
    while to_open or waiting:
        if to_open and (not waiting or generator.random() < 0.5):
            bracket = generator.choice("([")
            brackets.append(bracket)
            waiting.append(_CLOSING[bracket])
            to_open -= 1
        else:
            brackets.append(waiting.pop())
    return brackets


def _other_kind(brackets: Sequence[str], generator: random.Random) -> list[str]:
    place = generator.randrange(len(brackets))
    return [*brackets[:place], brackets[place].translate(_OTHER_KIND), *brackets[place + 1 :]]


def _swapped(brackets: Sequence[str], generator: random.Random) -> list[str]:
    spoilt = list(brackets)
    a, b = generator.sample(range(len(spoilt)), 2)
    spoilt[a], spoilt[b] = spoilt[b], spoilt[a]
    return spoilt


def _shuffled(brackets: Sequence[str], generator: random.Random) -> list[str]:
    return generator.sample(brackets, len(brackets))


def _without_one(brackets: Sequence[str], generator: random.Random) -> list[str]:
    place = generator.randrange(len(brackets))
    return [*brackets[:place], *brackets[place + 1 :]]


def _turned(brackets: Sequence[str], generator: random.Random) -> list[str]:
    place = generator.randrange(len(brackets))
    return [*brackets[:place], brackets[place].translate(_TURNED), *brackets[place + 1 :]]


_SPOILED: Sequence[Callable[[Sequence[str], random.Random], list[str]]] = (
    _other_kind,
    _swapped,
    _shuffled,
    _without_one,
    _turned,
)


def _tags(prompt: str) -> Mapping[str, Tag]:
    brackets = _brackets(prompt)
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in _CLOSING else -1
        deepest = max(deepest, depth)
    return {"length": len(brackets), "depth": deepest, "group": "".join(brackets)}


def _as_many(brackets: Sequence[str], opening: str) -> bool:
    return brackets.count(opening) == brackets.count(_CLOSING[opening])


def _one_kind(brackets: Sequence[str]) -> Sequence[str]:
    return ["(" if bracket in _CLOSING else ")" for bracket in brackets]


SHORTCUTS: Mapping[str, Shortcut] = {
    "counts": by_prompt(_brackets, lambda word: _yes(all(_as_many(word, opening) for opening in _CLOSING))),
    "counts-of-any-kind": by_prompt(_brackets, lambda word: _yes(_as_many(_one_kind(word), "("))),
    "order-of-any-kind": by_prompt(_brackets, lambda word: _yes(balanced(_one_kind(word)))),
    "first-and-last": by_prompt(_brackets, lambda word: _yes(_CLOSING.get(word[0]) == word[-1])),
    "last-closes": by_prompt(_brackets, lambda word: _yes(word[-1] not in _CLOSING)),
    "even-length": by_prompt(_brackets, lambda word: _yes(len(word) % 2 == 0)),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    brackets = list(_brackets(prompt))
    for place, bracket in enumerate(brackets):
        other = [*brackets[:place], bracket.translate(_OTHER_KIND), *brackets[place + 1 :]]
        yield SAME_SURFACE, write_items("balanced", other)
    # One bracket has none to be swapped with; the prompt itself is dropped, as it is no variant.
    yield SAME_SURFACE, write_items("balanced", _swapped(brackets, generator)) if len(brackets) > 1 else prompt
    yield OTHER_SURFACE, write_items("balanced", [bracket.translate(_OTHER_KIND) for bracket in brackets])
    # A closed pair behind the last bracket changes nothing of what stands before it.
    yield OTHER_SURFACE, write_items("balanced", [*brackets, "(", ")"])
