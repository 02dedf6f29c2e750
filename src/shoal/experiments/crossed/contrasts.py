"""What a hypothesis compares: cells that are equal in all but the levels that it names, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.experiments.crossed.hypotheses import level_name
from shoal.wording import joined

if TYPE_CHECKING:
    from shoal.experiments.crossed.hypotheses import Hypothesis
    from shoal.experiments.crossed.plan import Cell, CrossedExperiment

Side = tuple[str, ...]
"""One cell; or two for an interaction, of which the second is taken off the first, seed by seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The two sides of a comparison under one combination of the other levels."""

    label: str
    """The levels of the other factors; empty where there are none."""

    treatment: Side
    baseline: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A hypothesis with the blocks in which it can be tested."""

    hypothesis: Hypothesis
    blocks: tuple[Block, ...]
    left: int
    """Cells that have a level of the comparison and no partner, and so no part in it."""

    @property
    def weights(self) -> dict[str, float]:
        """From cell to its weight in the estimate: the mean over blocks of treatment minus baseline."""
        found: dict[str, float] = {}
        for block in self.blocks:
            for sign, side in ((1.0, block.treatment), (-1.0, block.baseline)):
                for place, cell in enumerate(side):
                    found[cell] = found.get(cell, 0.0) + sign * (-1.0 if place else 1.0) / len(self.blocks)
        return found

    def cells(self, *, treatment: bool) -> tuple[str, ...]:
        """The cells of one side, the level of the hypothesis's factor being the treatment or the baseline.

        Args:
            treatment: which of the two.
        """
        # Of an interaction the first cell of a side is the treatment's, the second the baseline's.
        if self.hypothesis.moderator is not None:
            return tuple(side[0 if treatment else 1] for b in self.blocks for side in (b.treatment, b.baseline))
        return tuple((b.treatment if treatment else b.baseline)[0] for b in self.blocks)


def contrast_of(experiment: CrossedExperiment, hypothesis: Hypothesis) -> Contrast:
    """The comparison that tests a hypothesis.

    Args:
        experiment: has the cells.
        hypothesis: one of its hypotheses.

    Raises:
        UsageError: the two levels never meet under equal levels of the other factors, so that the design cannot tell
            their effect from another one; the message names that factor.
    """
    within = [
        cell
        for cell in experiment.cells
        if all(cell.levels[factor] == level_name(level) for factor, level in hypothesis.where.items())
    ]
    by_rest: dict[tuple[tuple[str, str], ...], dict[tuple[str, ...], str]] = {}
    for cell in within:
        rest = tuple((factor, level) for factor, level in cell.levels.items() if factor not in hypothesis.factors)
        by_rest.setdefault(rest, {})[tuple(cell.levels[factor] for factor in hypothesis.factors)] = cell.name
    # Of an interaction: treatment and baseline at either level of the moderator.
    at = hypothesis.moderator
    ends = [()] if at is None else [(level_name(at.treatment),), (level_name(at.baseline),)]
    pair = (level_name(hypothesis.treatment), level_name(hypothesis.baseline))
    keys = [(level, *end) for end in ends for level in pair]
    blocks, left = [], 0
    for rest, cells in by_rest.items():
        named = [cells[key] for key in keys if key in cells]
        if len(named) < len(keys):
            left += len(named)
            continue
        # The levels of `where` are equal in all blocks, and no part of what tells blocks apart.
        label = ", ".join(f"{factor} {level}" for factor, level in rest if factor not in hypothesis.where)
        half = len(named) // 2
        sides = (named[:1], named[1:]) if at is None else (named[:half], named[half:])
        blocks.append(Block(label=label, treatment=tuple(sides[0]), baseline=tuple(sides[1])))
    if not blocks:
        raise _cannot_tell(hypothesis, within)
    return Contrast(hypothesis=hypothesis, blocks=tuple(blocks), left=left)


def _cannot_tell(hypothesis: Hypothesis, cells: list[Cell]) -> UsageError:
    """The error that names the factors whose effect would be mixed up with that of the hypothesis."""
    factor, first, second = hypothesis.factor, level_name(hypothesis.treatment), level_name(hypothesis.baseline)
    sides = [[cell for cell in cells if cell.levels[factor] == level] for level in (first, second)]
    missing = [level for level, side in zip((first, second), sides, strict=True) if not side]
    start = f"the hypothesis {hypothesis.name!r} cannot be tested by this design"
    if missing:
        return UsageError(f"{start}: no cell with {factor} = {missing[0]} is trained; change where or design.leave_out")
    if hypothesis.moderator is not None:
        at = hypothesis.moderator
        return UsageError(
            f"{start}: an interaction needs all four combinations of {factor} ({first}, {second}) and {at.factor} "
            f"({level_name(at.treatment)}, {level_name(at.baseline)}) under equal levels of the other factors, and "
            "design.leave_out takes some away; train them"
        )
    others = [name for name in cells[0].levels if name != factor]
    apart = [
        name
        for name in others
        if not {cell.levels[name] for cell in sides[0]} & {cell.levels[name] for cell in sides[1]}
    ]
    mixed = joined(apart or others)
    return UsageError(
        f"{start}: {factor} = {first} and {factor} = {second} never meet under equal levels of {mixed}, so that its "
        f"effect cannot be told from that of {mixed}; train cells in which {factor} alone differs"
    )
