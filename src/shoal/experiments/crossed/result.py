"""What a crossed experiment found: a verdict for each hypothesis, with every number behind it, and how it reads."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.experiments.verdict import number_text
from shoal.statistics import Control, Word
from shoal.textfiles import finite
from shoal.wording import aligned_rows, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEffect:
    """The effect under one combination of the other levels."""

    label: str
    estimate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondView:
    """The same effect by another test, as a check."""

    name: str
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    note: str = ""
    """Why there are no numbers, or what they rest on."""

    @property
    def line(self) -> str:
        """The check in one line."""
        if self.estimate is None:
            return f"{self.name}: {self.note}"
        low, high = (math.nan if end is None else end for end in (self.low, self.high))
        numbers = f"{number_text(self.estimate)} [{number_text(low)}, {number_text(high)}]"
        return f"{self.name}: {numbers}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confound:
    """Something else that differs between the two sides of a comparison, or that the held-out items do not test."""

    name: str
    present: bool
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisResult:
    """One hypothesis and its verdict."""

    name: str
    claim: str
    comparison: str
    direction: str
    test: str
    verdict: Word
    sentence: str
    """The verdict in plain words."""

    estimate: float
    """Treatment minus baseline, positive being better; NaN where there is no value to compare."""

    low: float
    high: float
    confidence: float
    smallest_effect: float
    p_value: float
    """Two-sided, of no effect."""

    corrected_p: float
    """The p-value that decides, corrected over all hypotheses: of no effect, or of the smallest that matters."""

    freedom: float
    """Degrees of freedom of the standard error."""

    detectable: float | None
    """What is found with a power of 80%, the spread being as it was; None where nothing can be."""

    seeds_needed: int | None
    """Seeds that would settle it; None for another verdict, or beyond 10,000."""

    blocks: tuple[BlockEffect, ...]
    trainings: int
    views: tuple[SecondView, ...]
    controls: tuple[Control, ...]
    confounds: tuple[Confound, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMean:
    """The measure of one cell."""

    cell: str
    levels: Mapping[str, str]
    mean: float | None
    sd: float | None
    """Standard deviation between trainings; None of fewer than two."""

    values: tuple[float, ...]
    """One per training that has a value."""

    seen: float | None
    """The mean on training examples."""

    steps: float
    """Optimizer steps, the mean over trainings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedResult:
    """The answer of a crossed experiment to its hypotheses; ``print`` shows it in full."""

    experiment: str
    preset: str
    question: str
    measure: str
    """The label of the primary measure."""

    higher_is_better: bool
    confidence: float
    correction: str
    seeds: int
    trainings: int
    spread: float | None
    """Standard deviation between the trainings of a cell, pooled over cells."""

    hypotheses: tuple[HypothesisResult, ...]
    cells: tuple[CellMean, ...]
    explanations: Mapping[str, Any] = field(default_factory=dict)
    """From a cell to what explains its models' answers: `shoal.attribution.TrainingsExplanation` as a dict."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CrossedResult:
        """The result that `to_dict` gave."""
        hypotheses = tuple(_hypothesis_from(each) for each in record["hypotheses"])
        cells = tuple(CellMean(**{**each, "values": tuple(each["values"])}) for each in record["cells"])
        return cls(**{**record, "hypotheses": hypotheses, "cells": cells})

    def to_frame(self) -> pd.DataFrame:
        """A row per hypothesis: verdict, estimate, interval and p-values."""
        import pandas as pd

        names = (
            "name", "comparison", "verdict", "estimate", "low", "high", "smallest_effect", "p_value", "corrected_p",
            "test", "trainings",
        )  # fmt: skip
        return pd.DataFrame([{name: getattr(each, name) for name in names} for each in self.hypotheses])

    def cells_frame(self) -> pd.DataFrame:
        """A row per cell: its levels, and mean, spread and number of its trainings."""
        import pandas as pd

        return pd.DataFrame(
            [
                dict(each.levels) | {"mean": each.mean, "sd": each.sd, "trainings": len(each.values)}
                for each in self.cells
            ]
        )

    def __str__(self) -> str:
        lines = []
        for each in self.hypotheses:
            interval = f"{100 * each.confidence:g}% interval {number_text(each.low)} to {number_text(each.high)}"
            basis = f"{plural(each.trainings, 'training')} in {plural(len(each.blocks), 'block')}"
            lines += [
                f"{each.verdict.upper()}: {each.sentence}",
                f"  hypothesis  {each.claim}",
                f"  effect      {number_text(each.estimate)} {self.measure}, {each.comparison}; {interval}",
                f"  test        {each.test}, p = {each.p_value:.2g}, corrected {each.corrected_p:.2g}; {basis}",
            ]
            if each.seeds_needed is not None:
                lines.append(f"  to settle   {each.seeds_needed} seeds, by the spread of these")
            lines += [f"  check       {view.line}" for view in each.views]
            lines += [
                f"  FAILED      {control.name}: {control.says}" for control in each.controls if not control.passed
            ]
            lines += [f"  confound    {confound.says}" for confound in each.confounds if confound.present]
            lines.append("")
        lines += self._table()
        if self.explanations:
            lines += ["", "what explains the answers to held-out items"]
            lines += [f"  {cell}: {found['sentence']}" for cell, found in self.explanations.items()]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        names = list(self.cells[0].levels)
        head = [*names, self.measure, "sd", "trainings"]
        rows = [
            [
                *(each.levels[name] for name in names),
                "" if each.mean is None else f"{each.mean:.3f}",
                "" if each.sd is None else f"{each.sd:.3f}",
                str(len(each.values)),
            ]
            for each in self.cells
        ]
        return aligned_rows([head, *rows])


def _hypothesis_from(record: Mapping[str, Any]) -> HypothesisResult:
    bounds = {"estimate": math.nan, "low": -math.inf, "high": math.inf}
    values = {key: absent if record[key] is None else record[key] for key, absent in bounds.items()}
    parts = {
        "blocks": tuple(BlockEffect(**each) for each in record["blocks"]),
        "views": tuple(SecondView(**each) for each in record["views"]),
        "controls": tuple(Control(**each) for each in record["controls"]),
        "confounds": tuple(Confound(**each) for each in record["confounds"]),
    }
    return HypothesisResult(**{**record, **values, **parts})
