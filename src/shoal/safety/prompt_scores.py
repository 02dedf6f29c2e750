"""What a model does with prompts: answered greedily, scored by the refusal head, and written down prompt by prompt.

All verbs that let a model answer requests do it here. The file of a run has a line for each prompt that is done, so
that a killed run is resumed where it was. The answers themselves are only in it where the caller wants them: what is
measured is whether a prompt is refused, and, where a scorer of harm is given, how harmful the answer is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.progress import no_progress
from shoal.safety.answers import read_answers
from shoal.safety.generating import chat_prompt, check_can_answer
from shoal.safety.harm.scorer import harm_scores
from shoal.serving import GenerationModel, GenerationSettings, TextRecords, encoding_digest, generate
from shoal.wording import quoted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.progress import Progress
    from shoal.safety.harm.scorer import HarmScorer
    from shoal.safety.head import RefusalHead
    from shoal.safety.labels import Conduct
    from shoal.safety.tuning.chat_format import ChatFormat
    from shoal.serving import GeneratedText

_HARM_ROWS = 64
"""Answers that are scored for harm together: what a kill may lose."""


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

    harm: float | None = None
    """How harmful the answer is, from 0 to 1; None where no scorer of harm was given, or it gave no usable score."""

    @property
    def refused(self) -> bool:
        """Whether it refuses, fully or partly."""
        return self.conduct in ("refusal", "partial")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without the answer where it is not stored, and harm where it was not scored."""
        optional = ("completion", "harm")
        return {name: value for name, value in asdict(self).items() if name not in optional or value is not None}


def score_completions(
    prompts: Sequence[str],
    completions: Sequence[str],
    head: RefusalHead,
    *,
    harm: HarmScorer | None = None,
    keep_answers: bool = False,
) -> list[PromptScore]:
    """Score answers.

    Args:
        prompts: what was requested.
        completions: the answer to each.
        head: scores whether they refuse.
        harm: scores how harmful they are; None leaves that out. Empty answers are not given to it.
        keep_answers: whether the scores hold the answers.

    Raises:
        EndpointError: the judge of harm failed for good.
    """
    rows_N3 = head.probabilities(prompts, completions)
    filled = [place for place, text in enumerate(completions) if text.strip()]
    harms: dict[int, float | None] = {}
    if harm is not None and filled:
        found = harm_scores(harm, [prompts[place] for place in filled], [completions[place] for place in filled])
        harms = dict(zip(filled, found, strict=True))
    return [
        PromptScore(
            prompt=prompt,
            conduct=conduct if text.strip() else None,
            refuses=1 - row[0] if text.strip() else 0.0,
            completion=text if keep_answers else None,
            harm=harms.get(place),
        )
        for place, (prompt, text, row, conduct) in enumerate(
            zip(prompts, completions, rows_N3.tolist(), head.decide(rows_N3), strict=True)
        )
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
        DataError: the file cannot be read, all of its answers are empty, or a prompt has two different ones.
    """
    answers = read_answers(path)
    known: dict[str, str] = {}
    for place, one in enumerate(answers, start=1):
        if known.setdefault(one.prompt.strip(), one.completion) != one.completion:
            raise DataError(
                f"{path}, row {place}: {quoted(one.prompt)} has another answer already; give one answer to each prompt"
            )
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
            "another layout or more tokens, or its training went astray"
        )


def score_model(
    model: GenerationModel,
    prompts: Sequence[str],
    head: RefusalHead,
    *,
    max_tokens: int = 24,
    chat: ChatFormat | None = None,
    plain: bool = False,
    harm: HarmScorer | None = None,
    records: str | os.PathLike[str] | None = None,
    keep_answers: bool = False,
    what: str = "prompts answered",
    progress: Progress = no_progress,
) -> list[PromptScore]:
    """Answer prompts and score the answers; what the file of records has already is not answered again.

    Args:
        model: answers, greedily.
        prompts: texts, in the order in which their scores are given.
        head: scores whether the answers refuse.
        max_tokens: of an answer; a refusal shows in its first words.
        chat: how a prompt stands before the model, as in a tuning; None takes the model's own chat template.
        plain: continue the prompts as they stand, without a chat template.
        harm: scores how harmful the answers are; None leaves that out.
        records: the file; its folder exists. None keeps nothing.
        keep_answers: whether scores and file hold the answers.
        what: the name of the work, for the progress.
        progress: called with (what, done, total), from what was there when the call began.

    Raises:
        UsageError: the model has no chat template, and plain is not set.
        DataError: there are no prompts, or all answers are empty.
        EndpointError: the judge of harm failed for good.
        StoreError: the file cannot be written.
    """
    if not prompts:
        raise DataError("there are no prompts to answer; give one at least")
    if chat is None:
        check_can_answer(model, plain=plain)
    settings = GenerationSettings(max_tokens=max_tokens)
    stated: list[Any] = [settings.to_dict(), model.describe()["digest"], encoding_digest(model), model.dtype, plain]
    stated += [head.digest()]
    stated += [keep_answers, *([] if chat is None else [chat.layout, chat.system])]
    stated += [] if harm is None else [harm.name]
    keys = {prompt: _key(prompt, stated) for prompt in prompts}
    file = None if records is None else TextRecords(records)
    known = {key: _from_record(record) for key, record in file.known.items()} if file is not None else {}
    # Longest first: rows that are continued together are then of like length, and the last ones are quick.
    left = sorted({prompt for prompt in prompts if keys[prompt] not in known}, key=lambda prompt: -len(prompt))
    total, done = len(keys), len(keys) - len(left)
    progress(what, done, total)

    def take(answered: Sequence[str], texts: Sequence[str]) -> None:
        nonlocal done
        for score in score_completions(answered, texts, head, harm=harm, keep_answers=keep_answers):
            known[keys[score.prompt]] = score
            if file is not None:
                file.append({"key": keys[score.prompt], **score.to_dict()})
        done += len(answered)
        progress(what, done, total)

    # A judge reads many answers at a time; the head scores each as it ends.
    rows = _HARM_ROWS if harm is not None else max(len(left), 1)
    for start in range(0, len(left), rows):
        part = left[start : start + rows]
        given = [chat_prompt(prompt, plain=plain) if chat is None else chat.prompt(prompt) for prompt in part]
        if harm is None:
            generate(model, given, settings, on_text=partial(_take_one, part, take))
        else:
            take(part, [text.text for text in generate(model, given, settings).texts])
    scores = [known[keys[prompt]] for prompt in prompts]
    check_not_empty(scores, model.loaded.spec)
    return scores


def _take_one(
    prompts: Sequence[str], take: Callable[[Sequence[str], Sequence[str]], None], place: int, text: GeneratedText
) -> None:
    take([prompts[place]], [text.text])


def _key(prompt: str, stated: list[Any]) -> str:
    return hashlib.sha256(json.dumps([prompt, *stated], sort_keys=True).encode()).hexdigest()[:32]


def _from_record(record: dict[str, Any]) -> PromptScore:
    return PromptScore(**{name: value for name, value in record.items() if name != "key"})
