"""The items of a comparison: cluster-robust tests over trainings and items, and the rows of a mixed model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.experiments.crossed.cell_tasks import task_key
from shoal.experiments.crossed.mixed import NAME, mixed_view
from shoal.experiments.crossed.result import SecondView
from shoal.experiments.measures import MEASURES, gain
from shoal.statistics import StudentTest, two_way_se

if TYPE_CHECKING:
    from shoal.experiments.crossed.contrasts import Contrast
    from shoal.experiments.crossed.plan import Cell
    from shoal.experiments.crossed.records import CellRecords, CrossedRun
    from shoal.experiments.records import ItemRecord


def cluster_test(run: CrossedRun, contrast: Contrast, freedom: float) -> StudentTest | None:
    """The effect with a standard error that is robust to clusters of both trainings and items; None without one.

    Items with one tag ``group`` (the prompts of one template) are one cluster.

    Args:
        run: finished.
        contrast: what is compared.
        freedom: degrees of freedom between trainings.
    """
    cells = {cell.name: cell for cell in run.experiment.cells}
    contributions: list[float] = []
    trainings: list[str] = []
    groups: list[str] = []
    estimate = 0.0
    for name, weight in contrast.weights.items():
        rows = [_scores(run, training) for training in run.trainings[name]]
        if len(rows) < 2 or any(score is None for row in rows for score, _ in row):
            return None
        flat = [score for row in rows for score, _ in row if score is not None]
        mean = math.fsum(flat) / len(flat)
        estimate += weight * mean
        # Each cell's mean is estimated from its own trainings, which takes one degree of freedom from each cell.
        scale = weight / len(flat) * math.sqrt(len(rows) / (len(rows) - 1))
        for training, row in zip(run.trainings[name], rows, strict=True):
            contributions += [scale * (score - mean) for score, _ in row if score is not None]
            trainings += [f"{name} {training.seed}"] * len(row)
            groups += [_cluster(cells[name], item) for _, item in row]
    clusters = len(set(groups))
    if clusters < 2:
        return None
    error = two_way_se(contributions, trainings, groups)
    return StudentTest(estimate=estimate, standard_error=error, freedom=min(freedom, clusters - 1))


def mixed_model(run: CrossedRun, contrast: Contrast) -> SecondView:
    """The effect by a linear mixed model of the items' scores: blocks and arms fixed, trainings random.

    Args:
        run: finished.
        contrast: what is compared.
    """
    scores: list[float] = []
    columns: list[list[float]] = []
    trainings: list[str] = []
    sides = 1 if contrast.hypothesis.moderator is None else 2
    for place, block in enumerate(contrast.blocks):
        for at, cell, arm in _places(block.treatment, block.baseline):
            # One intercept for each block, and of an interaction for each level of the moderator in it.
            fixed = [float(place * sides + at == other) for other in range(len(contrast.blocks) * sides)]
            effect = [arm] if sides == 1 else [arm, arm * (1.0 - at)]
            for training in run.trainings[cell]:
                for score, _ in _scores(run, training):
                    if score is None:
                        note = "the measure has no value for some item"
                        return SecondView(name=NAME, estimate=None, low=None, high=None, p_value=None, note=note)
                    scores.append(score)
                    columns.append([*fixed, *effect])
                    trainings.append(f"{cell} {training.seed}")
    return mixed_view(scores, columns, trainings, run.experiment.measure.confidence)


def _places(treatment: tuple[str, ...], baseline: tuple[str, ...]) -> list[tuple[int, str, float]]:
    """The cells of a block: level of the moderator, cell, and whether it is an arm of the treatment."""
    if len(treatment) == 1:
        return [(0, treatment[0], 1.0), (0, baseline[0], 0.0)]
    return [
        (at, cell, arm)
        for at, side in enumerate((treatment, baseline))
        for cell, arm in zip(side, (1.0, 0.0), strict=True)
    ]


def _scores(run: CrossedRun, training: CellRecords) -> list[tuple[float | None, ItemRecord]]:
    """The primary measure of each held-out item, so turned that more is better; None where it does not apply."""
    name = run.experiment.measure.primary
    found = []
    for item in training.items:
        if item.split == "held_out":
            value = MEASURES[name].item(item)
            found.append((None if value is None else gain(name, value, 0.0), item))
    return found


def _cluster(cell: Cell, item: ItemRecord) -> str:
    # A prompt is one item wherever it stands: two files of rows may hold out the same ones.
    group = item.tags.get("group")
    return f"prompt {item.prompt}" if group is None else f"{task_key(cell)} {group}"
