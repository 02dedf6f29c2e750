"""Folds for cross-validation that keep groups whole: no group has members on both sides of a fold.

The groups are dealt out greedily, the largest first, each to the lightest fold (as scikit-learn's ``GroupKFold``, with
the same ties); stratified, each goes where the shares of the classes come out most even (as ``StratifiedGroupKFold``).
Greedy, since the best division is NP-hard, and its largest fold is at most 4/3 of the best one (Graham 1969, "Bounds on
multiprocessing timing anomalies", theorem 2).

Shapes: N examples, G groups, C classes, F folds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One division of the examples into those that are learnt from and those that are scored."""

    name: str
    """What messages and tables call it: ``fold 1``, or the group that is left out."""

    train: Places
    """Places of the examples to learn from, ascending."""

    test: Places
    """Places of the examples to score, ascending."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.name, "train": self.train.tolist(), "test": self.test.tolist()}


def group_folds(
    groups: Sequence[Hashable],
    folds: int,
    *,
    classes: Sequence[Hashable] | None = None,
    wanted: Sequence[Hashable] = (),
    seed: int | None = None,
) -> tuple[Fold, ...]:
    """Divide examples into folds, each of which is scored once, so that a group is in one fold alone.

    Args:
        groups: the group of each example; give each its own number where there are none.
        folds: how many; at least 2 and at most as many as there are groups.
        classes: of each example, where every fold should have about the same share of each.
        wanted: classes that must have members; with ``classes`` alone.
        seed: shuffles groups of equal size; None keeps their sorted order.

    Raises:
        DataError: there are no examples, or a class has no members, or fewer groups than there are folds.
        UsageError: fewer than 2 folds, or more folds than groups.
    """
    import numpy as np

    group_N, names = _coded(groups)
    if type(folds) is not int or folds < 2:
        raise UsageError(f"cross-validation needs 2 folds or more, not {folds}")
    if folds > len(names):
        raise UsageError(
            f"{folds} folds cannot be made of {len(names)} groups ({len(group_N)} examples): a group is never divided; "
            f"give {f'at most {len(names)} folds, or ' if len(names) > 1 else ''}more groups"
        )
    sizes_G = np.bincount(group_N)
    order_G = np.arange(len(names)) if seed is None else np.random.default_rng(seed).permutation(len(names))
    if classes is None:
        # Stable and then reversed, so that ties fall as in scikit-learn, and scores can be compared with its.
        order_G = order_G[np.argsort(sizes_G[order_G], kind="stable")[::-1]]
        fold_G = _by_size(sizes_G, order_G, folds)
    else:
        counts_GC = _class_counts(group_N, classes, wanted, folds)
        fold_G = _by_class(counts_GC, order_G, folds)
    fold_N = fold_G[group_N]
    return tuple(_fold(f"fold {number + 1}", fold_N == number) for number in range(folds))


def leave_one_group_out(groups: Sequence[Hashable]) -> tuple[Fold, ...]:
    """A fold per group: it is scored by what was learnt from all others.

    Args:
        groups: the group of each example.

    Raises:
        DataError: there are no examples.
        UsageError: all examples are of one group.
    """
    group_N, names = _coded(groups)
    if len(names) < 2:
        raise UsageError(
            f"all {len(group_N)} examples are of one group ({names[0]!r}), so that none is left to learn from; group "
            "them by another tag"
        )
    return tuple(_fold(str(name), group_N == place) for place, name in enumerate(names))


def _coded(groups: Sequence[Hashable]) -> tuple[Places, list[Hashable]]:
    """The number of each example's group, and the groups sorted, numbers before texts."""
    import numpy as np

    if not len(groups):
        raise DataError("there are no examples to divide into folds; give at least two")
    # NaN equals nothing, not even itself: examples of one group could stand on both sides of a fold.
    lost = next((place for place, name in enumerate(groups) if name != name), None)
    if lost is not None:
        raise DataError(f"example {lost} has no group or class (NaN); give each its own, or leave the example out")
    # Numbers by their size and before texts, which have no order with them.
    names = sorted(dict.fromkeys(groups), key=_rank)
    place = {name: number for number, name in enumerate(names)}
    return np.asarray([place[name] for name in groups], dtype=np.int64), names


def _rank(name: object) -> tuple[bool, float, str]:
    return (False, float(name), "") if isinstance(name, Real) else (True, 0.0, str(name))


def _fold(name: str, tested_N: NDArray[np.bool_]) -> Fold:
    import numpy as np

    return Fold(name=name, train=np.flatnonzero(~tested_N), test=np.flatnonzero(tested_N))


def _by_size(sizes_G: Places, order_G: Places, folds: int) -> Places:
    import numpy as np

    load_F, fold_G = np.zeros(folds, dtype=np.int64), np.zeros(len(sizes_G), dtype=np.int64)
    for group in order_G.tolist():
        fold_G[group] = lightest = int(load_F.argmin())
        load_F[lightest] += sizes_G[group]
    return fold_G


def _class_counts(
    group_N: Places, classes: Sequence[Hashable], wanted: Sequence[Hashable], folds: int
) -> NDArray[np.float64]:
    """Members of each class in each group (G × C).

    Raises:
        DataError: a class has no members, or stands in fewer groups than there are folds.
    """
    import numpy as np

    if len(classes) != len(group_N):
        raise DataError(f"stratified folds need a class per example, not {len(classes)} for {len(group_N)}")
    class_N, names = _coded(classes)
    empty = [name for name in wanted if name not in names]
    if empty:
        known = ", ".join(f"{name!r} ({count})" for name, count in Counter(classes).most_common(8))
        raise DataError(f"the class {empty[0]!r} has no members; the examples are of {known}")
    counts_GC = np.zeros((int(group_N.max()) + 1, len(names)))
    np.add.at(counts_GC, (group_N, class_N), 1)
    holding_C = (counts_GC > 0).sum(axis=0)
    for name, holding in zip(names, holding_C.tolist(), strict=True):
        if holding < folds:
            raise DataError(
                f"the class {name!r} stands in {holding} group{'' if holding == 1 else 's'}, fewer than the {folds} "
                "folds, so that a fold would have none of it; give fewer folds, more examples of the class, or do not "
                "stratify"
            )
    return counts_GC


def _by_class(counts_GC: NDArray[np.float64], order_G: Places, folds: int) -> Places:
    """The fold of each group: the one after which the classes are spread most evenly over the folds."""
    import numpy as np

    totals_C = counts_GC.sum(axis=0)
    loads_FC, fold_G = np.zeros((folds, counts_GC.shape[1])), np.zeros(len(counts_GC), dtype=np.int64)
    # Groups of one class first: a mixed group can be placed anywhere later.
    uneven = np.argsort(-counts_GC.std(axis=1)[order_G], kind="stable")
    for group in order_G[uneven].tolist():
        spreads = []
        for fold in range(folds):
            loads_FC[fold] += counts_GC[group]
            # The spread of each class's share over the folds; of equals the fold with fewer examples is taken.
            spreads.append((float((loads_FC / totals_C).std(axis=0).mean()), float(loads_FC[fold].sum()), fold))
            loads_FC[fold] -= counts_GC[group]
        chosen = min((round(spread, 12), load, fold) for spread, load, fold in spreads)[2]
        fold_G[group] = chosen
        loads_FC[chosen] += counts_GC[group]
    return fold_G
