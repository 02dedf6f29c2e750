"""What may be said to ``shoal rate``, in three groups: what is asked of models, how they answer, and who judges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.evaluation.stories import Material, Sampling

_BEGINNINGS = 30
Flag = Annotated[bool, Parameter(negative="")]


@dataclass(frozen=True, kw_only=True)
class MaterialOptions:
    """What models are rated on."""

    prompts: Path | None = None
    """Your prompts: .jsonl with the column prompt (words, features), or text parted by blank lines; else our own."""

    beginnings: Path | None = None
    """Take the beginnings of thirty documents of this text instead, which no model was trained on."""

    zorro: Path | None = None
    """Minimal pairs of Zorro: the zip archive, the folder or a file."""

    blimp: Path | None = None
    """Minimal pairs of BLiMP: the zip archive, the folder or a file."""

    pairs: int = 100
    """Pairs of each paradigm; 0 takes all."""

    questions: int = 40
    """Ask plot facts of so many stories of the grammar; 0 asks none."""

    held_out: Path | None = None
    """Documents that no model was trained on, for bits per byte."""

    training_text: Path | None = None
    """The text that the models learnt from, to find what is copied."""

    def check(self) -> None:
        """Raise a UsageError for numbers below 0, and for two sources of prompts."""
        for name, value in (("--pairs", self.pairs), ("--questions", self.questions)):
            if value < 0:
                raise UsageError(f"{name} is {value}; give 0 or more")
        if self.prompts is not None and self.beginnings is not None:
            raise UsageError("--prompts and --beginnings both say what is gone on from; give one of them")

    def read(self, *, drawn: bool) -> Material:
        """Everything that is read from files, before any model is loaded; prompts only where completions are drawn."""
        from shoal.corpora import read_documents
        from shoal.evaluation.stories import (
            CopyFinder,
            Material,
            default_prompts,
            make_questions,
            read_beginnings,
            read_pairs,
            read_prompts,
        )

        if self.beginnings is not None:
            chosen = read_beginnings(self.beginnings, _BEGINNINGS)
        else:
            chosen = default_prompts() if self.prompts is None else read_prompts(self.prompts)
        pairs = {"Zorro": self.zorro, "BLiMP": self.blimp}
        return Material(
            prompts=chosen if drawn else (),
            pairs={name: read_pairs(path, most=self.pairs or None) for name, path in pairs.items() if path is not None},
            questions=make_questions(self.questions) if self.questions else (),
            held_out=tuple(read_documents(self.held_out)) if self.held_out is not None else (),
            copies=CopyFinder(read_documents(self.training_text)) if self.training_text is not None else None,
        )


@dataclass(frozen=True, kw_only=True)
class DrawingOptions:
    """How completions are drawn."""

    completions: int = 5
    """Completions of each prompt; 0 draws none."""

    temperature: float = 1.0
    """At which they are drawn; 0 takes the most likely token."""

    longest: int = 200
    """The most tokens of a completion."""

    seed: int = 0
    """Of the draws."""

    def check(self) -> None:
        """Raise a UsageError for a number of completions below 0."""
        if self.completions < 0:
            raise UsageError(f"--completions is {self.completions}; give 0 or more")

    def sampling(self) -> Sampling:
        """As the evaluation takes it."""
        from shoal.evaluation.stories import Sampling

        return Sampling(
            completions=self.completions, temperature=self.temperature, longest=self.longest, seed=self.seed
        )


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """Who judges, and at what price."""

    judge: str | None = None
    """An OpenAI-compatible endpoint that judges, as http://localhost:8080/v1; its key is read from OPENAI_API_KEY."""

    judge_model: str | None = None
    """The name of the model there."""

    constrained: Flag = False
    """Hold the judge's answers to a JSON schema; its endpoint must be able to (llama.cpp, vLLM, OpenAI)."""

    certify_judge: Flag = False
    """First prove the judge on stories that are damaged by a known dose."""

    certificate_stories: int = 12
    """How many stories; ten pieces of each are judged."""

    price_in: float = 0.0
    """Money for a million tokens of prompt."""

    price_out: float = 0.0
    """Money for a million tokens of answer."""

    timeout: float = 60.0
    """Seconds that an answer of the judge may take."""

    yes: Flag = False
    """Spend the money that the estimate names without asking again."""

    def check(self, out: Path | None) -> None:
        """Raise a UsageError where something is missing, or a certificate would prove nothing."""
        if self.certify_judge and self.judge is None:
            raise UsageError("--certify-judge needs the judge: give --judge URL and --judge-model NAME")
        if self.constrained and self.judge is None:
            raise UsageError("--constrained is for a judge: give --judge URL and --judge-model NAME")
        if self.judge is not None and (self.judge_model is None or out is None):
            raise UsageError("a judge needs --judge-model NAME, and --out FOLDER where its answers are kept")
        if self.certify_judge:
            from shoal.evaluation.judging import check_stories

            check_stories(self.certificate_stories)
