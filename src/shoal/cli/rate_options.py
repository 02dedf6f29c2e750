"""Option groups of ``shoal rate``: material, sampling, judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.options import Flag, PriceIn, PriceOut, Seed, Timeout, Yes
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.evaluation.stories import Material, Sampling

_BEGINNINGS = 30


@dataclass(frozen=True, kw_only=True)
class MaterialOptions:
    """Prompts and evaluation sets."""

    prompts: Path | None = None
    """Prompts: .jsonl with the column prompt (words, features), or text separated by blank lines. Default: ours."""

    beginnings: Path | None = None
    """Use the beginnings of thirty documents of this text as prompts; no model may have been trained on it."""

    zorro: Path | None = None
    """Minimal pairs of Zorro: zip archive, folder or file."""

    blimp: Path | None = None
    """Minimal pairs of BLiMP: zip archive, folder or file."""

    pairs_per_paradigm: int = 100
    """Number of pairs per paradigm; 0 takes all."""

    questions: int = 40
    """Number of grammar stories whose plot facts are asked; 0 asks none."""

    held_out: Path | None = None
    """Documents for bits per byte; no model may have been trained on them."""

    training_text: Path | None = None
    """Training text of the models, in which copies are searched for."""

    def check(self) -> None:
        """Raise a UsageError for numbers below 0, and for two sources of prompts."""
        for name, value in (("--pairs-per-paradigm", self.pairs_per_paradigm), ("--questions", self.questions)):
            if value < 0:
                raise UsageError(f"{name} is {value}; give 0 or more")
        if self.prompts is not None and self.beginnings is not None:
            raise UsageError("--prompts and --beginnings are mutually exclusive; give one of them")

    def read(self, *, sampled: bool) -> Material:
        """Read all files, before any model is loaded; prompts only where completions are sampled."""
        from shoal.corpora import read_documents
        from shoal.evaluation.stories import (
            CopyFinder,
            Material,
            default_prompts,
            make_questions,
            read_beginnings,
            read_minimal_pairs,
            read_story_prompts,
        )

        if self.beginnings is not None:
            chosen = read_beginnings(self.beginnings, _BEGINNINGS)
        else:
            chosen = default_prompts() if self.prompts is None else read_story_prompts(self.prompts)
        most = self.pairs_per_paradigm or None
        pairs = {"Zorro": self.zorro, "BLiMP": self.blimp}
        return Material(
            prompts=chosen if sampled else (),
            pairs={
                name: read_minimal_pairs(path, max_per_paradigm=most)
                for name, path in pairs.items()
                if path is not None
            },
            questions=make_questions(self.questions) if self.questions else (),
            held_out=tuple(read_documents(self.held_out)) if self.held_out is not None else (),
            copies=CopyFinder(read_documents(self.training_text)) if self.training_text is not None else None,
        )


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How completions are sampled."""

    completions: int = 5
    """Number of completions per prompt; 0 samples none."""

    temperature: float = 1.0
    """Sampling temperature; 0 takes the most likely token."""

    max_tokens: int = 200
    """Largest number of tokens per completion."""

    seed: Seed = 0

    def check(self) -> None:
        """Raise a UsageError for a number of completions below 0."""
        if self.completions < 0:
            raise UsageError(f"--completions is {self.completions}; give 0 or more")

    def sampling(self) -> Sampling:
        """The same as the evaluation takes it."""
        from shoal.evaluation.stories import Sampling

        # Without completions there are no prompts either (`MaterialOptions.read`), of which one would be sampled.
        return Sampling(
            completions=max(1, self.completions),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """The judge and its price."""

    judge: str | None = None
    """OpenAI-compatible endpoint of the judge, such as http://localhost:8080/v1; OPENAI_API_KEY holds its key."""

    judge_model: str | None = None
    """Name of the judge's model at the endpoint."""

    constrained: Flag = False
    """Constrain the judge's answers to a JSON schema, where its endpoint can (llama.cpp, vLLM, OpenAI)."""

    certify_judge: Flag = False
    """First certify the judge on stories with perturbations of known severity."""

    certificate_stories: int = 12
    """Number of stories of the certificate; ten versions of each are judged."""

    price_in: PriceIn = 0.0
    price_out: PriceOut = 0.0
    timeout: Timeout = 60.0
    yes: Yes = False

    def check(self, out: Path | None) -> None:
        """Raise a UsageError where something is missing, or a certificate would prove nothing."""
        if self.certify_judge and self.judge is None:
            raise UsageError("--certify-judge needs the judge: give --judge URL and --judge-model NAME")
        if self.constrained and self.judge is None:
            raise UsageError("--constrained is for a judge: give --judge URL and --judge-model NAME")
        if self.judge is not None and (self.judge_model is None or out is None):
            raise UsageError("a judge needs --judge-model NAME, and --out FOLDER for its answers")
        if self.certify_judge:
            from shoal.evaluation.judging import check_stories

            check_stories(self.certificate_stories)
