"""A second view of an effect: resample the seeds and the items, crossed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.checks import check_confidence
from shoal.statistics.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def crossed_bootstrap(
    differences: Sequence[Sequence[float]],
    *,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """A percentile interval of the mean difference where both the seeds and the items are samples of more.

    Every seed meets the same items, so the two are crossed: a draw takes seeds with replacement and groups of items
    with replacement, and averages the cells where they meet. It errs on the wide side.

    Source: Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1:386-411, section 4.

    Args:
        differences: one row a seed, one column an item: treatment minus baseline.
        groups: the cluster of each item (a template, a number); None makes each item its own.
        confidence: the confidence.
        draws: bootstrap samples.
        seed: of the drawing.

    Raises:
        UsageError: the table is empty or ragged, the groups are not one an item, or the confidence is not in [0.5, 1).
    """
    import numpy as np

    check_confidence(confidence)
    if len({len(row) for row in differences}) != 1 or not len(differences[0]):
        raise UsageError("the bootstrap needs a table: one row a seed, the same items in each")
    table_SI = np.asarray(differences, dtype=np.float64)
    seeds, items = table_SI.shape
    labels = list(groups) if groups is not None else list(range(items))
    if len(labels) != items:
        raise UsageError(f"the bootstrap needs a group for each of the {items} items, not {len(labels)} groups")
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    member_IG = np.zeros((items, len(places)))
    member_IG[np.arange(items), [places[label] for label in labels]] = 1.0

    random = np.random.default_rng(seed)
    seed_weights_DS = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    group_weights_DG = random.multinomial(len(places), np.full(len(places), 1 / len(places)), size=draws)
    sums_DG = seed_weights_DS @ (table_SI @ member_IG)
    sizes_G = member_IG.sum(axis=0)
    means_D = (sums_DG * group_weights_DG).sum(axis=1) / (seeds * (group_weights_DG @ sizes_G))
    low, high = np.quantile(means_D, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), confidence)
