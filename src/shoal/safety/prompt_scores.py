"""What a model does with prompts: answered greedily, scored by the refusal head, and written down prompt by prompt.

The file of a run has a line for each prompt that is done, so that a killed run is resumed where it was. The answers
themselves are only in it where the caller wants them: what is measured is whether a prompt is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.progress import no_progress
from shoal.safety.answers import read_answers
from shoal.safety.generating import chat_prompt, check_can_answer
from shoal.serving import GenerationModel, GenerationSettings, TextRecords, generate

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.progress import Progress
    from shoal.safety.head import RefusalHead
    from shoal.safety.labels import Conduct
    from shoal.serving import GeneratedText


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptScore:
    """What an answer to a prompt does."""

    prompt: str
    conduct: Conduct | None
    """None where the answer is empty: it neither complies nor refuses."""

    refuses: float
    """The probability that it refuses, fully or partly."""

    completion: str | None = None
    """The answer, where it is stored."""

    @property
    def refused(self) -> bool:
        """Whether it refuses, fully or partly."""
        return self.conduct in ("refusal", "partial")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without the answer where it is not stored."""
        return {name: value for name, value in asdict(self).items() if name != "completion" or value is not None}


def score_completions(
    prompts: Sequence[str], completions: Sequence[str], head: RefusalHead, *, keep_answers: bool = False
) -> list[PromptScore]:
    """Score answers.

    Args:
        prompts: what was requested.
        completions: the answer to each.
        head: scores them.
        keep_answers: whether the scores hold the answers.
    """
    rows_N3 = head.probabilities(prompts, completions)
    return [
        PromptScore(
            prompt=prompt,
            conduct=conduct if text.strip() else None,
            refuses=1 - row[0] if text.strip() else 0.0,
            completion=text if keep_answers else None,
        )
        for prompt, text, row, conduct in zip(prompts, completions, rows_N3.tolist(), head.decide(rows_N3), strict=True)
    ]


def read_scores(
    path: str | os.PathLike[str], head: RefusalHead, *, keep_answers: bool = False
) -> dict[str, PromptScore]:
    """The scores of a file of answers, by prompt.

    Args:
        path: rows with prompt and completion (see `read_answers`).
        head: scores them.
        keep_answers: whether the scores hold the answers.

    Raises:
        DataError: the file cannot be read, or all of its answers are empty.
    """
    answers = read_answers(path)
    scores = score_completions(
        [one.prompt.strip() for one in answers], [one.completion for one in answers], head, keep_answers=keep_answers
    )
    check_not_empty(scores, str(path))
    return {score.prompt: score for score in scores}


def check_not_empty(scores: Sequence[PromptScore], source: str) -> None:
    """Raise where no answer has any text.

    Args:
        scores: of all answers.
        source: the file or model that they come from.

    Raises:
        DataError: all are empty.
    """
    if all(score.conduct is None for score in scores):
        raise DataError(
            f"all {len(scores)} answers of {source} are empty; a model that ends at once may need its chat template, "
            "or more tokens"
        )


def score_model(
    model: GenerationModel,
    prompts: Sequence[str],
    head: RefusalHead,
    *,
    max_tokens: int = 24,
    plain: bool = False,
    records: Path | None = None,
    keep_answers: bool = False,
    what: str = "prompts answered",
    progress: Progress = no_progress,
) -> list[PromptScore]:
    """Answer prompts and score the answers; what the file of records has already is not answered again.

    Args:
        model: answers, greedily.
        prompts: texts, in the order in which their scores are given.
        head: scores the answers.
        max_tokens: of an answer; a refusal shows in its first words.
        plain: continue the prompts as they stand, without a chat template.
        records: the file; its folder exists. None keeps nothing.
        keep_answers: whether scores and file hold the answers.
        what: the name of the work, for the progress.
        progress: called with (what, done, total), from what was there when the call began.

    Raises:
        UsageError: the model has no chat template, and plain is not set.
        DataError: all answers are empty.
        StoreError: the file cannot be written.
    """
    check_can_answer(model, plain=plain)
    settings = GenerationSettings(max_tokens=max_tokens)
    stated = [settings.to_dict(), model.describe()["digest"], model.dtype, plain, head.digest(), keep_answers]
    keys = {prompt: _key(prompt, stated) for prompt in prompts}
    file = None if records is None else TextRecords(records)
    known = {key: _from_record(record) for key, record in file.known.items()} if file is not None else {}
    # Longest first: rows that are continued together are then of like length, and the last ones are quick.
    left = sorted({prompt for prompt in prompts if keys[prompt] not in known}, key=lambda prompt: -len(prompt))
    total = len(keys)
    progress(what, total - len(left), total)
    if left:
        found: list[tuple[str, PromptScore]] = []

        def take(place: int, text: GeneratedText) -> None:
            (score,) = score_completions([left[place]], [text.text], head, keep_answers=keep_answers)
            key = keys[left[place]]
            found.append((key, score))
            if file is not None:
                file.append({"key": key, **score.to_dict()})
            progress(what, total - len(left) + len(found), total)

        generate(model, [chat_prompt(prompt, plain=plain) for prompt in left], settings, on_text=take)
        known |= dict(found)
    scores = [known[keys[prompt]] for prompt in prompts]
    check_not_empty(scores, model.loaded.spec)
    return scores


def _key(prompt: str, stated: list[Any]) -> str:
    return hashlib.sha256(json.dumps([prompt, *stated], sort_keys=True).encode()).hexdigest()[:32]


def _from_record(record: dict[str, Any]) -> PromptScore:
    return PromptScore(**{name: value for name, value in record.items() if name != "key"})
