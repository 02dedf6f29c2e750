"""Which examples must stay together when they are divided into folds, and the folds that keep them so.

Two examples belong together where they share the value of a tag (the template, the index), where their prompts are
equal, or, without such a tag, where one prompt nearly repeats the other. Belonging is passed on: where A goes with B
and B with C, all three are one group, so that no chain of near repeats leads from a training part into the part that
is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from shoal.statistics import Fold
    from shoal.tasks.task import Example, Tag

DEFAULT_TAGS = ("group", "template")
"""Tags that group examples where none is named: the first that any example has."""

_NEAR = 0.7
"""The Jaccard index above which prompts are near repeats, as for documents."""


def example_groups(
    examples: Sequence[Example], *, by: str | None = None, near_duplicates: float | None = None
) -> list[int]:
    """The number of each example's group; examples of one group must not be divided.

    Args:
        examples: in order.
        by: the tag whose values are groups; None takes ``group`` or ``template`` where the examples have it.
        near_duplicates: prompts whose Jaccard index of word 5-grams is above this belong together, as do equal ones.
            None looks for them, above 0.7, where no tag groups the examples: the prompts of a task with groups may all
            be made from one template.

    Raises:
        DataError: an example lacks the tag.
        UnknownNameError: no example has the tag.
        UsageError: a threshold that cannot be looked for.
        MissingExtraError: near duplicates without the extra that finds them.
    """
    sets = _DisjointSets(len(examples))
    first: dict[Hashable, int] = {}
    tag = _tag(examples, by)
    for place, example in enumerate(examples):
        sets.join(place, first.setdefault(("prompt", example.prompt), place))
        if tag is not None:
            sets.join(place, first.setdefault(("tag", _value(example, tag)), place))
    if tag is None or near_duplicates is not None:
        from shoal.corpora import find_pairs

        # Each prompt once: equal ones are together already, and a crowd of them would cost a comparison each.
        places = [place for place, example in enumerate(examples) if first["prompt", example.prompt] == place]
        threshold = _NEAR if near_duplicates is None else near_duplicates
        for pair in find_pairs([examples[place].prompt for place in places], threshold=threshold):
            sets.join(places[pair.document], places[pair.original])
    roots = [sets.root(place) for place in range(len(examples))]
    # Numbered in the order of their first examples, so that the numbers do not depend on how groups were joined.
    number = {root: count for count, root in enumerate(dict.fromkeys(roots))}
    return [number[root] for root in roots]


def example_folds(
    examples: Sequence[Example],
    folds: int | None,
    *,
    by: str | None = None,
    stratify: str | None = None,
    classes: Sequence[Tag] = (),
    near_duplicates: float | None = None,
    seed: int | None = 0,
) -> tuple[Fold, ...]:
    """Folds of examples that share no group, template, prompt or near repeat of a prompt.

    Args:
        examples: in order.
        folds: how many; None leaves out one group at a time.
        by: the tag whose values are groups, as in `example_groups`.
        stratify: the tag whose values are classes, which all folds should have in about equal shares;
            ``completion`` takes the completions.
        classes: classes that must have members; with ``stratify`` alone.
        near_duplicates: as in `example_groups`.
        seed: shuffles groups of equal size; None keeps their order.

    Raises:
        DataError: there are no examples, an example lacks a tag, or a class has no members or too few groups.
        UsageError: fewer than 2 folds, more folds than groups, or a single group.
        MissingExtraError: as in `example_groups`.
    """
    from shoal.statistics import group_folds, leave_one_group_out

    groups = example_groups(examples, by=by, near_duplicates=near_duplicates)
    if folds is None:
        return leave_one_group_out(groups)
    labels = None
    if stratify is not None:
        labels = [example.completion if stratify == "completion" else _value(example, stratify) for example in examples]
    return group_folds(groups, folds, classes=labels, wanted=classes, seed=seed)


def _tag(examples: Sequence[Example], by: str | None) -> str | None:
    known = dict.fromkeys(tag for example in examples for tag in example.tags)
    if by is None:
        return next((tag for tag in DEFAULT_TAGS if tag in known), None)
    if by not in known:
        raise UnknownNameError("tag of the examples", by, known)
    return by


def _value(example: Example, tag: str) -> Tag:
    if tag not in example.tags:
        known = ", ".join(map(repr, example.tags)) or "none"
        raise DataError(
            f"the folds read the tag {tag!r}, which the example {example.prompt[:40]!r} does not have; its tags: "
            f"{known}"
        )
    return example.tags[tag]


class _DisjointSets:
    """Sets that are joined (Tarjan 1975): nearly constant time per join."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, place: int) -> int:
        """The member that stands for the set of this one."""
        while self._parents[place] != place:
            # Path halving: every look-up shortens the way of the next.
            self._parents[place] = self._parents[self._parents[place]]
            place = self._parents[place]
        return place

    def join(self, one: int, other: int) -> None:
        """Make the sets of both one; the earlier member stands for it."""
        first, second = sorted((self.root(one), self.root(other)))
        self._parents[second] = first
