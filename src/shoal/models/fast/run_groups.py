"""Runs of a tree that are attended to together: which tokens each run reads, as lines of one length.

A run is tokens that follow one another without a branch. What its tokens may see are the tokens before it, from the
root down, and those of the run before them: a band on the end of one line. Runs of similar shape make a group, whose
lines are padded at their beginning, so that one batched product serves them all; siblings never meet.

Shapes: R runs of a group, Q tokens of a run, J tokens of its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_RUN = 48
"""Tokens: half of the pairs within a run are computed in vain."""

_MAX_PAIRS = 2**15
"""Pairs of a group, whose scores fill 1 MiB for eight heads and stay in the near caches."""

_OVERHEAD = 4096
"""Pairs whose work is that of the calls for one more group."""


@dataclass(frozen=True, slots=True)
class TreeRun:
    """Tokens of a tree that follow one another, in places that do so too."""

    first: int
    """The place of the first one."""

    count: int

    before: Sequence[int]
    """The places of the tokens before the first one, from the root down."""

    def seeing(self, prefix: Sequence[int], window: int) -> TreeRun:
        """The run behind a prefix, and what the last ``window`` tokens before each of its tokens may be."""
        before = [*prefix, *self.before]
        return TreeRun(self.first, self.count, before[max(0, len(before) - window + 1) :])


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs of similar shape."""

    query_RQ: np.ndarray
    """The places of their tokens; behind a shorter run its last one again."""

    line_RJ: np.ndarray
    """The places of all that they may see, their own last; before a shorter line the filler."""


def split_runs(runs: Sequence[TreeRun]) -> list[TreeRun]:
    """The runs, long ones in parts."""
    parts = []
    for run in runs:
        for start in range(0, run.count, _MAX_RUN):
            own = range(run.first, run.first + start)
            before = [*run.before, *own] if start else run.before
            parts.append(TreeRun(run.first + start, min(_MAX_RUN, run.count - start), before))
    return parts


def group_runs(runs: Sequence[TreeRun], filler: int, shared: int = 0) -> tuple[list[RunGroup], np.ndarray]:
    """Groups of runs, and where in them each token stands.

    Args:
        runs: of a tree, as `split_runs` gives them.
        filler: what fills the lines.
        shared: how many tokens, that are in no line, every token meets too.

    Returns:
        The groups, and for each token of the tree, in order, its place among the queries of all groups.
    """
    groups = []
    place_N = np.empty(sum(run.count for run in runs), dtype=np.int64)
    done = 0
    for alike in _of_similar_shape(runs, shared):
        group = _lay_out(alike, filler)
        for run in alike:
            place_N[run.first : run.first + run.count] = range(done, done + run.count)
            done += group.query_RQ.shape[1]
        groups.append(group)
    return groups, place_N


def _of_similar_shape(runs: Sequence[TreeRun], shared: int) -> list[list[TreeRun]]:
    groups: list[list[TreeRun]] = []
    count = before = pairs = 0
    for run in sorted(runs, key=lambda run: (-(-run.count // 8), len(run.before), run.first)):
        wider, longer = max(count, run.count), max(before, len(run.before))
        alone = run.count * (run.count + len(run.before) + shared)
        together = (len(groups[-1]) + 1) * wider * (wider + longer + shared) if groups else 0
        if groups and together <= _MAX_PAIRS and together - pairs <= alone + _OVERHEAD:
            groups[-1].append(run)
            count, before, pairs = wider, longer, together
        else:
            groups.append([run])
            count, before, pairs = run.count, len(run.before), alone
    return groups


def _lay_out(runs: Sequence[TreeRun], filler: int) -> RunGroup:
    count, before = max(run.count for run in runs), max(len(run.before) for run in runs)
    line_RJ = np.full((len(runs), before + count), filler)
    for row, run in enumerate(runs):
        line_RJ[row, before - len(run.before) : before] = run.before
    first_R, count_R = np.array([run.first for run in runs]), np.array([run.count for run in runs])
    query_RQ = first_R[:, None] + np.minimum(np.arange(count), count_R[:, None] - 1)
    # Padding stands behind the tokens of a run, so that none of these sees it.
    line_RJ[:, before:] = query_RQ
    return RunGroup(query_RQ, line_RJ)
