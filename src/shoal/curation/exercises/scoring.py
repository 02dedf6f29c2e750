"""Solutions of exercises, sampled from a model and scored by running their tests in the sandbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from shoal.curation.exercises.pass_at_k import PassAtK, estimate_pass_at_k
from shoal.curation.sandbox import Outcome, Sandbox
from shoal.errors import DataError, UsageError
from shoal.evaluation.stories import Sampling, StoryPrompt, complete_prompts
from shoal.progress import no_progress
from shoal.tasks import read_rows
from shoal.wording import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd

    from shoal.curation.exercises.exercise import Exercise
    from shoal.curation.sandbox import ProgramResult
    from shoal.models import LoadedModel
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseScores:
    """How sampled solutions fared."""

    exercises: tuple[Exercise, ...]
    results: tuple[tuple[ProgramResult, ...], ...]
    """Of each exercise, in the order of the exercises."""

    pass_at: tuple[PassAtK, ...]

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many solutions had each outcome; those that none had are left out."""
        counts = Counter(result.outcome for row in self.results for result in row)
        names: tuple[Outcome, ...] = get_args(Outcome)
        return {name: counts[name] for name in names if counts[name]}

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "exercises": len(self.exercises),
            "pass_at": [estimate.to_dict() for estimate in self.pass_at],
            "outcomes": self.outcomes,
            "items": self.to_frame().to_dict(orient="records"),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per solution."""
        import pandas as pd

        return pd.DataFrame([
            {
                "name": exercise.name,
                "topic": exercise.topic,
                "difficulty": exercise.difficulty,
                "group": exercise.group,
                "sample": number,
                "outcome": result.outcome,
                "tests_passed": result.tests_passed,
                "tests": result.tests,
                "reason": result.reason,
            }
            for exercise, row in zip(self.exercises, self.results, strict=True)
            for number, result in enumerate(row)
        ])  # fmt: skip

    def __str__(self) -> str:
        """pass@k, the outcomes, and the mechanisms that confined the programs."""
        total = sum(map(len, self.results))
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.items())
        confined = ", ".join(self.results[0][0].mechanisms) if total else "nothing"
        lines = [f"{plural(total, 'solution')} of {plural(len(self.exercises), 'exercise')}: {outcomes}"]
        return "\n".join([*lines, *map(str, self.pass_at), f"confined by {confined}"])


def score_solutions(
    exercises: Sequence[Exercise],
    solutions: Sequence[Sequence[str]],
    *,
    k: Sequence[int] = (1,),
    sandbox: Sandbox | None = None,
    confidence: float = 0.95,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> ExerciseScores:
    """Run the tests of every solution in a sandbox.

    Args:
        exercises: what was to be solved.
        solutions: of each exercise the completions of its prompt, of any model or file; each is cut where the function
            ends.
        k: the numbers of tries for pass@k; each exercise needs at least as many solutions.
        sandbox: its limits; None for the default ones.
        confidence: of the intervals, which are over groups of exercises.
        workers: programs that run at a time; None for one per processor.
        progress: called with (what, done, total).

    Raises:
        DataError: there is no exercise, or not a row of solutions for each.
        UsageError: fewer solutions of an exercise than a k.
        SandboxError: this machine cannot confine the programs.
    """
    if not exercises or len(exercises) != len(solutions):
        raise DataError(
            f"there are {len(exercises)} exercises and solutions of {len(solutions)}; give at least one exercise, and "
            "solutions of each"
        )
    short = min(map(len, solutions))
    if not k or not 1 <= min(k) <= max(k) <= short:
        raise UsageError(
            f"pass@k for k = {', '.join(map(str, k)) or 'nothing'} needs as many solutions of each exercise, and one "
            f"has {short}; sample more, or give a smaller k"
        )
    programs = [
        exercise.program(function_body(text))
        for exercise, row in zip(exercises, solutions, strict=True)
        for text in row
    ]
    # All programs in one run, so that workers are busy whatever the number of solutions of an exercise.
    flat = iter((sandbox or Sandbox()).run_all(programs, workers=workers, progress=progress))
    results = tuple(tuple(next(flat) for _ in row) for row in solutions)
    counts = [(len(row), sum(result.passed for result in row)) for row in results]
    groups = [exercise.group for exercise in exercises]
    return ExerciseScores(
        exercises=tuple(exercises),
        results=results,
        pass_at=tuple(estimate_pass_at_k(counts, one, groups=groups, confidence=confidence) for one in k),
    )


def function_body(completion: str) -> str:
    """The part of a completion that is the function's body: up to the first line that is not indented.

    Args:
        completion: of an exercise's prompt, whatever a model went on to write.
    """
    lines = completion.split("\n")
    end = next((place for place, line in enumerate(lines) if line.strip() and not line[:1].isspace()), len(lines))
    return "\n".join(lines[:end]).rstrip() + "\n"


def read_solutions(path: str | os.PathLike[str], exercises: Sequence[Exercise]) -> list[list[str]]:
    """The solutions of a file of rows, by the prompts of exercises.

    Args:
        path: rows with ``prompt`` and ``completion``; several of one prompt are several solutions.
        exercises: whose solutions are read; rows of other prompts are left out.

    Raises:
        DataError: the file cannot be read, or has no solution of an exercise.
    """
    by_prompt: dict[str, list[str]] = {}
    for row in read_rows(path):
        by_prompt.setdefault(row.prompt, []).append(row.completion)
    lacking = [exercise.name for exercise in exercises if exercise.prompt not in by_prompt]
    if lacking:
        raise DataError(
            f"{path} has no solution of {lacking[0]!r}"
            + (f" and {len(lacking) - 1} more" if lacking[1:] else "")
            + "; give rows with the prompts of all exercises"
        )
    return [by_prompt[exercise.prompt] for exercise in exercises]


def sample_solutions(
    loaded: LoadedModel,
    exercises: Sequence[Exercise],
    sampling: Sampling,
    *,
    record: str | os.PathLike[str] | None = None,
    progress: Progress = no_progress,
) -> list[list[str]]:
    """Sample solutions of exercises from a model.

    Args:
        loaded: the model, as `shoal.load_model` gives it.
        exercises: whose prompts are continued.
        sampling: how many solutions of each, and how they are sampled.
        record: the JSONL file of completions; it is made, or continued.
        progress: called with (what, done, total).

    Returns:
        Of each exercise its completions.

    Raises:
        TooLongError: a prompt fills the model's context.
        DataError: the record is none, or the tokenizer cannot encode a prompt.
    """
    prompts = [StoryPrompt(text=exercise.prompt) for exercise in exercises]
    made = complete_prompts(
        loaded.model, loaded.tokenizer, prompts, sampling, digest=loaded.digest, record=record, progress=progress
    )
    size = sampling.completions
    return [[one.text for one in made[place : place + size]] for place in range(0, len(made), size)]
