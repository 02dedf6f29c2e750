"""How long a stream remembers: the block length that its permutations need.

Two things of a stream are remembered, each in its own way: its ranks, and its spread (`volatility`), since prices
forget at once which way they went and for months how far. The autocorrelation of ranks is that of a first-order
autoregression under noise, A phi^k at lag k (A = 1 without the noise), fitted by least squares about local means, and
what these take from it is put back.

Levels that change look like memory, and memory like changing levels. Which of the two a stream has more of is decided
by description length, before anything is tested: one such memory, or pieces of one level each under one.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.multiple_changes import MAX_BLOCKS, MAX_PIECES, best_cuts_each, segment_gains
from shoal.changes.permutation import BLOCK_FACTOR, MIN_STEPS, NO_MEMORY, Decay
from shoal.changes.seasons import PERIODS, phase_means, season_of
from shoal.changes.volatility import volatility

if TYPE_CHECKING:
    from shoal.changes.quantization import QuantizedChannel

Array = np.ndarray[Any, Any]

SHORT = 500
"""In a stream of at most this many steps `models` looks for levels under a memory."""
STATES = 8
"""Numbers with at most this many values are states, which no model of noise is fitted to."""
LAGS = (1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 26, 34, 45, 60)
"""The lags at which an autocorrelation is looked at."""
DECAYS = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98)
"""The grid of phi."""
LASTING = 8
"""A memory of fewer steps is never long."""
NOTABLE = 3.0
"""Standard errors from which a memory under noise is believed; one without noise always is."""
FAINT = 1.75
"""Standard errors from which it is reckoned with where blocks of that memory would be too few."""
WORTH = 10.0
"""Twice the log-likelihood that levels must gain after what they cost, to be believed against a memory."""
NO_NOISE = 1e-6
"""The share of a variance that is left is taken to be at least this."""


class DependenceLength(NamedTuple):
    """How many steps a block must have."""

    apparent: int
    """Where all that lasts is taken for memory: that of ranks, by neighbours alone."""
    steps: int
    """Where what changing levels describe more shortly is not; memory under noise is believed where it is notable."""
    faint: Decay
    """The longest memory that there may be: any under noise that is more than `FAINT` standard errors from none."""
    short: int = 1
    """Steps of short blocks: the longest memory that there may be of ranks alone."""
    spread: Decay = NO_MEMORY
    """The same of the spread alone, which short blocks are given in random orders."""
    period: int = 1
    """Steps after which a season comes back, of which all the above is free but what is apparent; 1: it has none."""

    def whole(self, width: int) -> int:
        """The minimum number of steps, from ``width`` on, that is of whole periods."""
        return -(-width // self.period) * self.period

    def blocks(self, size: int, width: int) -> int:
        """How many blocks of about ``width`` steps there are in ``size``, each as near as may be to whole periods."""
        return size // width if self.period == 1 else round(size / self.whole(width))


NO_DEPENDENCE = DependenceLength(1, 1, NO_MEMORY)


def dependence_length(channels: list[QuantizedChannel], margin: int = 1) -> DependenceLength:
    """The longest memory of the channels, and the season that it is about.

    Args:
        channels: the channels.
        margin: the minimum number of steps of a level.
    """
    found = [_of_channel(channel, margin) for channel in channels]
    # Pieces of two levels that alternate come back, too, but not within two of the shortest pieces.
    longest = min(2 * margin - 1, len(channels[0].codes) // PERIODS) if channels else 0
    periods = [_period(channel, one, longest) for channel, one in zip(channels, found, strict=True)]
    common = math.lcm(*periods)
    if not 1 < common <= longest:
        return _longest(found)
    for place, period in enumerate(periods):
        if period > 1:
            apparent = found[place].apparent
            found[place] = _of_channel(channels[place], margin, period)._replace(apparent=apparent, period=common)
    return _longest(found)


def _period(channel: QuantizedChannel, found: DependenceLength, longest: int) -> int:
    """The period of the season of a channel; 1 if it has none, as one that shows no memory."""
    if channel.held or found.faint.steps == MIN_STEPS or has_states(channel):
        return 1
    return season_of(channel.codes.astype(np.float64), _known(channel), longest)


def _known(channel: QuantizedChannel) -> Array:
    """The steps at which a channel is known."""
    return np.ones(len(channel.codes), dtype=bool) if channel.missing is None else ~channel.missing


def _longest(found: list[DependenceLength]) -> DependenceLength:
    return DependenceLength(
        apparent=max((one.apparent for one in found), default=1),
        steps=max((one.steps for one in found), default=1),
        faint=_longer(*(one.faint for one in found)),
        short=max((one.short for one in found), default=1),
        spread=_longer(*(one.spread for one in found)),
        period=max((one.period for one in found), default=1),
    )


def _longer(*found: Decay) -> Decay:
    return max(found, key=lambda one: one.reach, default=NO_MEMORY)


def _of_channel(channel: QuantizedChannel, margin: int, period: int = 1) -> DependenceLength:
    """The memory of ranks and that of the spread, of the steps that are known, about the season of a period."""
    codes = channel.codes.astype(np.float64)
    if period > 1:
        codes -= phase_means(codes, _known(channel), period)
    known = codes if channel.missing is None else codes[~channel.missing]
    if not len(known) or np.ptp(known) == 0.0:
        return NO_DEPENDENCE
    states = has_states(channel)
    ranks, edges = _of_series(known, margin, states=states)
    ranks = ranks._replace(short=max(ranks.steps, ranks.faint.steps))
    if channel.held or states:  # states come back in cycles, which is neither noise nor a memory that fades
        return ranks
    spread = volatility(np.split(known, edges[1:-1]), margin)
    return _longest([ranks, DependenceLength(1, spread.believed.steps, spread.longest, spread=spread.longest)])


def has_states(channel: QuantizedChannel) -> bool:
    """Whether the channel is of symbols, or of numbers that are few."""
    if channel.bounds is None:
        return True
    filled = channel.bounds[~np.isnan(channel.bounds[:, 0])]
    return len(filled) <= STATES and bool((filled[:, 0] == filled[:, 1]).all())


def _of_series(series: Array, margin: int, *, states: bool) -> tuple[DependenceLength, Array]:
    """The memory of numbers, and the edges of the levels that it is about.

    In short series of numbers with a long memory `models` looks for levels, since it has models of them; here they are
    looked for only if the numbers are states. States have no memory under noise.
    """
    n, centred = len(series), series - series.mean()
    one = np.array([0, n])
    if np.ptp(series) == 0.0:
        return NO_DEPENDENCE, one
    span = max(min(n, 100), n // 20)
    alone, believed, faint = _decays(centred, np.arange(0, n // span * span + 1, span), noisy=not states)
    if faint.steps == MIN_STEPS or (n <= SHORT and not states and alone.steps > max(margin, LASTING - 1)):
        return DependenceLength(alone.steps, believed.steps, faint), one
    edges = _levels(centred, margin)
    if len(edges) == 2:
        return DependenceLength(alone.steps, believed.steps, faint), edges
    inside = min(believed, _decays(centred, edges, noisy=not states)[1], key=lambda one: one.steps)
    return DependenceLength(alone.steps, inside.steps, inside), edges  # what else may be left is nothing to reckon with


def _decays(series: Array, edges: Array, *, noisy: bool = True) -> tuple[Decay, Decay, Decay]:
    """The memory about the means of pieces: by neighbours alone; under noise if notable; the longest if it is faint."""
    near, correlations, size = _correlations(series, edges)
    # Kendall's correction: about an estimated mean the correlation of neighbours is too small by (1 + 3 rho) / n.
    alone = Decay(1.0, min(max(near + (1.0 + 3.0 * near) / size, 0.0), 0.995))  # of a few steps near may reach -1
    if not noisy or not correlations.any():
        return alone, alone, alone
    clearness, likely, longest = _under_noise(correlations, size, int(edges[-1]))
    if clearness <= FAINT:
        return alone, alone, alone
    longer, longest = (max(alone, one, key=lambda decay: decay.reach) for one in (likely, longest))
    return alone, longer if clearness > NOTABLE else alone, longest


def _correlations(series: Array, edges: Array) -> tuple[float, Array, float]:
    """The correlation of neighbours, those at all `LAGS` up to half a piece, and the mean size of a piece."""
    pieces = [series[start:end] - series[start:end].mean() for start, end in itertools.pairwise(edges)]
    size = float(edges[-1]) / len(pieces)
    power = sum(float(piece @ piece) for piece in pieces)
    lags = [lag for lag in LAGS if lag <= max(size / 2.0, 1.0)]
    # Levels that explain everything leave rounding errors, whose correlation means nothing.
    if power <= NO_NOISE * float(series @ series):
        return 0.0, np.zeros(len(lags)), size
    products = [sum(float(piece[lag:] @ piece[:-lag]) for piece in pieces if len(piece) > lag) for lag in lags]
    counts = [max(sum(len(piece) - lag for piece in pieces if len(piece) > lag), 1) for lag in lags]
    found = np.array(products) / np.array(counts) * float(edges[-1]) / power
    return products[0] / power, found, size


def _under_noise(correlations: Array, size: float, length: int) -> tuple[float, Decay, Decay]:
    """How many standard errors the A of the memory A phi^k is from 0, the memory of least squares, and the longest.

    A mean of s steps takes (1 + 2 sum A phi^k (1 - k/s)) / s of the variance, and as much of every covariance, which is
    linear in A like the rest. Decays that fit as well are averaged; the longest is that of a log-likelihood less by 1.
    """
    decays, shapes, taken = _shapes(len(correlations), round(size))
    taking = (1.0 - correlations) / size
    against = shapes - taken[:, None] * taking
    squares = np.maximum(np.einsum("ij,ij->i", against, against), 1e-12)
    products = against @ (correlations + taking)
    left = float((correlations + taking) @ (correlations + taking)) - np.maximum(products, 0.0) ** 2 / squares
    # What a period leaves is of another shape: more error than noise would leave is counted by its square.
    error = np.maximum(np.maximum(left, 0.0) / len(correlations) * length**0.5, length**-0.5)
    clearness = products / np.sqrt(squares) / error
    gains = np.maximum(clearness, 0.0) ** 2 / 2.0
    weights = np.exp(gains - gains.max())
    likely = np.flatnonzero(weights >= math.exp(-1.0))
    weights /= weights.sum()
    shares = np.clip(products / squares, 0.0, 1.0)
    longest = max((Decay(float(shares[k]), float(decays[k])) for k in likely), key=lambda one: one.reach)
    return float(clearness.max()), Decay(float(weights @ shares), float(weights @ decays)), longest


@lru_cache(maxsize=64)
def _shapes(lags: int, size: int) -> tuple[Array, Array, Array]:
    """The grid of phi, phi^k at the lags, and 2 sum phi^k (1 - k/s) over a piece of s steps."""
    # .98^1000 is 2e-9: what lies behind adds nothing to the sum.
    decays, steps = np.array(DECAYS), np.arange(1, min(size, 1000))
    taken = 2.0 * (decays[:, None] ** steps * (1.0 - steps / size)).sum(axis=1)
    return decays, decays[:, None] ** np.array(LAGS[:lags]), taken


def _levels(series: Array, margin: int) -> Array:
    """Where pieces of one level begin, and the end; one piece if memory without levels is the better description.

    The criterion is n log(RSS / n), and log n for each level and each place twice; RSS is what the past does not
    predict of the levels' remainder. A memory predicts levels that change often, too, so levels that alone are worth
    `WORTH` and leave nothing that lasts are taken for levels whatever a memory predicts.
    """
    n = len(series)
    count = min(MAX_BLOCKS, n // MIN_STEPS)
    min_size = max(1, margin * count // n)
    edges = np.arange(count + 1) * n // count
    pieces = min(MAX_PIECES, count // max(2, min_size))
    if pieces < 2:
        return np.array([0, n])
    sums = np.add.reduceat(series, edges[:-1])
    gram = np.outer(sums, sums)[:, :, None]
    total, shortest, levels = float(series @ series), math.inf, np.array([0, n])
    for cuts in best_cuts_each(segment_gains(gram, min_size)[:, 0], pieces):
        tried = np.array([0, *_sharpened(series, edges, cuts), n])
        sizes = np.diff(tried)
        error = total - float(np.add.reduceat(series, tried[:-1]) ** 2 @ (1.0 / sizes))
        length = n * math.log(max(error / total, NO_NOISE)) + 3.0 * math.log(n) * len(cuts)
        if length < shortest:
            shortest, levels = length, tried
    left = series - np.repeat(np.add.reduceat(series, levels[:-1]) / np.diff(levels), np.diff(levels))
    changes = len(levels) - 2
    cost = (2.0 * changes + min(changes, 2)) * math.log(n)  # chance gains less by each further change
    inside = n * math.log(max(_unforetold(left) / total, NO_NOISE)) + cost
    if inside < n * math.log(max(_unforetold(series) / total, NO_NOISE)):
        return levels
    # One level has a description of length 0, so this is what levels gain by themselves.
    return levels if shortest < -WORTH and _decays(series, levels)[2].steps <= BLOCK_FACTOR else np.array([0, n])


def _unforetold(series: Array) -> float:
    """What means of the last 1, 4, 16 and 64 steps leave of the sum of squares, by least squares (Corsi 2009).

    Such a regression stands for short memories and for long ones under noise (Journal of Financial Econometrics 7).
    """
    # The series is centred, so zeros stand for its mean before the first step.
    sums = np.concatenate((np.zeros(65), np.cumsum(series)))
    past = sums[64:-1]
    means = np.stack([(past - sums[64 - back : -1 - back]) / back for back in (1, 4, 16, 64)])
    found = np.linalg.lstsq(means @ means.T, means @ series, rcond=1e-9)[0]
    return float(series @ series) - float(found @ (means @ series))


def _sharpened(series: Array, edges: Array, cuts: list[int]) -> list[int]:
    """Each cut between blocks moved to its best step within the two blocks around it, one after the other."""
    sums, places = np.concatenate(([0.0], np.cumsum(series))), [0]
    for number, cut in enumerate(cuts):
        start, end = places[-1], int(edges[cuts[number + 1]]) if number + 1 < len(cuts) else len(series)
        tried = np.arange(max(int(edges[cut - 1]), start) + 1, min(int(edges[cut + 1]), end))
        before, after = sums[tried] - sums[start], sums[end] - sums[tried]
        places.append(int(tried[(before**2 / (tried - start) + after**2 / (end - tried)).argmax()]))
    return places[1:]
