"""What the folder of a comparison of corpora holds, gathered into its result, however far it is.

Every interval is over the seeds of which all corpora have their model, and differences are paired by seed.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from shoal.errors import TrainingError
from shoal.experiments.corpus_comparison.plan import MEAN, CorpusComparisonPlan
from shoal.experiments.corpus_comparison.preparation import read_counts
from shoal.experiments.corpus_comparison.result import (
    CorpusComparison,
    CorpusDifference,
    CorpusScore,
    SizeDecisions,
)
from shoal.experiments.corpus_comparison.trainings import (
    ComparedTraining,
    complete_seeds,
    planned_trainings,
    read_compared,
)
from shoal.experiments.corpus_comparison.units import PREPARED
from shoal.statistics import decision_accuracy, mean_estimate

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from shoal.experiments.corpus_comparison.plan import TokenDesign
    from shoal.experiments.corpus_comparison.trainings import ComparedTrainingRecord


def read_corpus_comparison(folder: str | os.PathLike[str]) -> CorpusComparison:
    """What the folder of a comparison of corpora holds, however far it is.

    Raises:
        StoreError: it is no folder of such a comparison, or a file of it is damaged.
        TrainingError: no seed is complete for any size.
    """
    folder = Path(folder)
    return gather_corpus_comparison(folder, CorpusComparisonPlan.read(folder))


def gather_corpus_comparison(folder: Path, plan: CorpusComparisonPlan) -> CorpusComparison:
    """The result of the trainings that are done.

    Args:
        folder: of the comparison.
        plan: what is compared.

    Raises:
        TrainingError: no seed is complete for any size.
    """
    return _Gathering(folder, plan).result()


class _Gathering:
    """Reads each record once, and puts them together."""

    def __init__(self, folder: Path, plan: CorpusComparisonPlan) -> None:
        self.folder, self.plan = folder, plan
        found = {training: read_compared(folder, training) for training in planned_trainings(plan)}
        self.records = {training: record for training, record in found.items() if record is not None}
        self.seeds = {
            (size, design): seeds
            for size in plan.sizes
            for design in plan.designs
            if (seeds := complete_seeds(self.records, plan, size, design))
        }
        if not self.seeds:
            raise TrainingError(
                f"{len(self.records)} of {len(found)} trainings are done, and no seed has one for each corpus; give "
                "the same command again to train the rest"
            )
        names = [table.name for table in plan.held_out]
        self.texts = names if len(names) == 1 else [*names, MEAN]

    def result(self) -> CorpusComparison:
        """All of it."""
        return CorpusComparison(
            folder=self.folder,
            plan=self.plan,
            counts=read_counts(self.folder / PREPARED),
            parameters={training.size: record.parameters for training, record in self.records.items()},
            steps=max(record.steps for record in self.records.values()),
            scores=tuple(self._scores()),
            differences=tuple(self._differences()),
            decisions=tuple(self._decisions()),
        )

    def _bits(self, size: int, design: TokenDesign, corpus: str, text: str) -> list[float]:
        """Bits per byte of each complete seed."""
        records = [self._record(size, design, corpus, seed) for seed in self.seeds[size, design]]
        return [
            fmean(record.bits_per_byte.values()) if text == MEAN else record.bits_per_byte[text] for record in records
        ]

    def _record(self, size: int, design: TokenDesign, corpus: str, seed: int) -> ComparedTrainingRecord:
        return self.records[ComparedTraining(size=size, design=design, corpus=corpus, seed=seed)]

    def _scores(self) -> Iterator[CorpusScore]:
        for (size, design), corpus, text in itertools.product(self.seeds, self.plan.compared, self.texts):
            by_seed = self._bits(size, design, corpus, text)
            yield CorpusScore(
                size=size,
                design=design,
                corpus=corpus,
                held_out=text,
                bits=mean_estimate(by_seed, confidence=self.plan.confidence),
                by_seed=tuple(by_seed),
            )

    def _differences(self) -> Iterator[CorpusDifference]:
        for (size, design), text in itertools.product(self.seeds, self.texts):
            bits = {name: self._bits(size, design, name, text) for name in self.plan.compared}
            for first, second in self._pairs(bits):
                gaps = [one - other for one, other in zip(bits[first], bits[second], strict=True)]
                yield CorpusDifference(
                    size=size,
                    design=design,
                    held_out=text,
                    first=first,
                    second=second,
                    difference=mean_estimate(gaps, confidence=self.plan.confidence),
                )

    def _pairs(self, bits: dict[str, list[float]]) -> list[tuple[str, str]]:
        if self.plan.filters is not None:
            # The second asks whether the filters beat a part that was chosen without them, which removing bad text
            # alone need not.
            return [("better", "worse"), ("better", "random")]
        return list(itertools.combinations(sorted(bits, key=lambda name: fmean(bits[name])), 2))

    def _decisions(self) -> Iterator[SizeDecisions]:
        # The largest size stands for the decision that one wants to make, and the smaller ones for what could predict
        # it.
        large = self.plan.sizes[-1]
        for design, small, text in itertools.product(self.plan.designs, self.plan.sizes[:-1], self.texts):
            if (large, design) not in self.seeds or (small, design) not in self.seeds:
                continue
            yield SizeDecisions(
                design=design,
                held_out=text,
                small=small,
                large=large,
                accuracy=decision_accuracy(
                    self._by_seed(small, design, text),
                    self._by_seed(large, design, text),
                    confidence=self.plan.confidence,
                ),
                compute_ratio=self._compute(large, design) / self._compute(small, design),
            )

    def _by_seed(self, size: int, design: TokenDesign, text: str) -> Sequence[Sequence[float]]:
        """A row per seed, a column per corpus."""
        columns = [self._bits(size, design, name, text) for name in self.plan.compared]
        return list(zip(*columns, strict=True))

    def _compute(self, size: int, design: TokenDesign) -> float:
        """Operations of one training, mean over the corpora."""
        seed = self.seeds[size, design][0]
        return fmean(self._record(size, design, name, seed).compute for name in self.plan.compared)
