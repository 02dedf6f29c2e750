"""The result of a comparison of corpora: scores, paired differences, and how often small models decide as large."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.experiments.corpus_comparison.plan import MEAN
from shoal.wording import aligned_rows, joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan, TokenDesign
    from shoal.experiments.corpus_comparison.preparation import CorpusCounts
    from shoal.statistics import DecisionAccuracy, Estimate

Outcome = Literal["wins", "loses", "not significant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusScore:
    """Bits per byte of one held-out text by models that were trained on one corpus."""

    size: int
    design: TokenDesign
    corpus: str
    held_out: str
    bits: Estimate
    """Mean over seeds; less is better."""

    by_seed: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusDifference:
    """One corpus against another one on one held-out text, paired by seed."""

    size: int
    design: TokenDesign
    held_out: str
    first: str
    second: str
    difference: Estimate
    """Bits per byte of the first minus those of the second: below 0 the first is better."""

    @property
    def outcome(self) -> Outcome:
        """Whether the first is better, by the interval of this difference alone."""
        low, high = self.difference.bounds
        if high < 0:
            return "wins"
        return "loses" if low > 0 else "not significant"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"outcome": self.outcome}

    def __str__(self) -> str:
        word = self.outcome if self.outcome == "not significant" else f"{self.first} {self.outcome}"
        return f"{self.first} - {self.second} on {self.held_out}: {self.difference} bits per byte ({word})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeDecisions:
    """How often models of a small size rank two corpora as those of the largest do, on one held-out text."""

    design: TokenDesign
    held_out: str
    small: int
    large: int
    accuracy: DecisionAccuracy
    compute_ratio: float
    """Training operations of a large model over those of a small one."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        whole = ", all unique tokens" if self.design == "whole" else ""
        return f"{format_size(self.small)} for {format_size(self.large)} on {self.held_out}{whole}: {self.accuracy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusComparison:
    """A comparison of corpora, as far as it is done."""

    folder: Path
    plan: CorpusComparisonPlan
    counts: Mapping[str, CorpusCounts]
    """What there is of each corpus."""

    parameters: Mapping[int, int]
    """From a size of the plan to the parameters that its models have."""

    steps: int
    """Of a training, the most of all: with few of them a model has hardly learned more than how frequent tokens are."""

    scores: tuple[CorpusScore, ...]
    differences: tuple[CorpusDifference, ...]
    """With filters of the better part to both others, else of all pairs, the better corpus first."""

    decisions: tuple[SizeDecisions, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.plan.name,
            "seeds": self.plan.seeds,
            "unique": self.plan.unique,
            "tokens": self.plan.training_tokens,
            "steps": self.steps,
            "filters": self.plan.filters,
            "confidence": self.plan.confidence,
            "parameters": {str(size): count for size, count in self.parameters.items()},
            "corpora": {name: asdict(counts) for name, counts in self.counts.items()},
            "scores": [one.to_dict() for one in self.scores],
            "differences": [one.to_dict() for one in self.differences],
            "decisions": [one.to_dict() for one in self.decisions],
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per size, design, corpus and held-out text."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "size": one.size,
                    "design": one.design,
                    "corpus": one.corpus,
                    "held_out": one.held_out,
                    "bits_per_byte": one.bits.value,
                    "low": one.bits.low,
                    "high": one.bits.high,
                    "seeds": one.bits.units,
                }
                for one in self.scores
            ]
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The held-out texts, and behind several of them their mean."""
        names = tuple(table.name for table in self.plan.held_out)
        return names if len(names) == 1 else (*names, MEAN)

    @property
    def summary(self) -> str:
        """What was found, in a sentence or two."""
        return " ".join([*(self._part_sentences() if self.plan.filters else self._ranking()), *self._decided()])

    def ranked(self, size: int, design: TokenDesign, held_out: str) -> list[CorpusScore]:
        """The scores of one held-out text, the best corpus first.

        Args:
            size: of the models, as the plan has it.
            design: of the trainings.
            held_out: one of ``texts``.
        """
        found = [one for one in self.scores if (one.size, one.design, one.held_out) == (size, design, held_out)]
        return sorted(found, key=lambda one: one.bits.value)

    def settings(self) -> list[tuple[int, TokenDesign]]:
        """The sizes and designs that have scores, the largest size first."""
        found = {(one.size, one.design) for one in self.scores}
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    def __str__(self) -> str:
        blocks = [self.summary]
        for size, design in self.settings():
            blocks.append("\n".join([self._title(size, design), *aligned_rows(self._table(size, design))]))
            if self.plan.filters:
                blocks.append("\n".join(str(one) for one in self._of(self.differences, size, design)))
        if self.decisions:
            blocks.append("\n".join(["decision accuracy", *(f"  {one}" for one in self.decisions)]))
        return "\n\n".join(blocks)

    def _title(self, size: int, design: TokenDesign) -> str:
        seeds = next(one.bits.units for one in self.scores if (one.size, one.design) == (size, design))
        unique = f"{self.plan.unique:,} unique tokens each" if design == "equal" else "all unique tokens that each has"
        return (
            f"{self.parameters[size]:,} parameters, {self.plan.training_tokens:,} training tokens in "
            f"{plural(self.steps, 'step')}, {unique}, {plural(seeds, 'seed')}: bits per byte"
        )

    def _table(self, size: int, design: TokenDesign) -> list[list[str]]:
        """The corpora, the best first, by held-out text."""
        cells = {
            (one.corpus, one.held_out): str(one.bits) for one in self.scores if (one.size, one.design) == (size, design)
        }
        order = [one.corpus for one in self.ranked(size, design, self.texts[-1])]
        return [["corpus", *self.texts], *([name, *(cells[name, text] for text in self.texts)] for name in order)]

    def _of(self, found: Sequence[CorpusDifference], size: int, design: TokenDesign) -> list[CorpusDifference]:
        return [one for one in found if (one.size, one.design) == (size, design)]

    def _part_sentences(self) -> list[str]:
        """What the better part did, by size and design."""
        sentences = []
        for size, design in self.settings():
            results = []
            for other in ("worse", "random"):
                outcomes = [
                    one.outcome
                    for one in self._of(self.differences, size, design)
                    if one.second == other and one.held_out != MEAN
                ]
                wins, loses, texts = outcomes.count("wins"), outcomes.count("loses"), len(outcomes)
                results.append(f"against the {other} part on {wins} of {plural(texts, 'text')} and loses on {loses}")
            what = "equal unique tokens" if design == "equal" else "all unique tokens"
            sentences.append(
                f"With {format_size(size)} parameters and {what} the better part wins {joined(results)}; on the others "
                "the difference is not significant."
            )
        return sentences

    def _ranking(self) -> list[str]:
        """The best and the worst corpus by the largest models."""
        size, design = self.settings()[0]
        ranked = self.ranked(size, design, self.texts[-1])
        text = "the mean of the held-out texts" if self.texts[-1] == MEAN else f"the held-out text {self.texts[-1]}"
        best, worst = ranked[0], ranked[-1]
        unsure = any(
            one.outcome == "not significant"
            for one in self._of(self.differences, size, design)
            if one.held_out == self.texts[-1] and {one.first, one.second} == {best.corpus, worst.corpus}
        )
        sentence = (
            f"The best of {len(ranked)} corpora on {text} is {best.corpus} with {best.bits} bits per byte at "
            f"{format_size(size)} parameters; the worst is {worst.corpus} with {worst.bits}"
            f"{', a difference that is not significant' if unsure else ''}."
        )
        return [sentence]

    def _decided(self) -> list[str]:
        """The decision accuracy on the last text."""
        return [
            f"Models of {format_size(one.small)} parameters rank {one.accuracy.one_seed.value:.0%} of "
            f"{one.accuracy.pairs} pairs of corpora as those of {format_size(one.large)} do, at 1/"
            f"{one.compute_ratio:.1f} of the compute."
            for one in self.decisions
            if one.held_out == self.texts[-1] and one.design == self.plan.designs[0]
        ]


def format_size(parameters: int) -> str:
    """A number of parameters in thousands or millions.

    Args:
        parameters: of a model.
    """
    if parameters < 1e5:
        return f"{parameters:,}"
    return f"{parameters / 1e6:.3g}M"
