"""`rate_harm`: how many answers are harmful by a scorer, corrected for its errors by labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.harm.rows import HarmLabelled, read_harm_rows
from shoal.safety.harm.scorer import HARMFUL_FROM, UNSEEN, harm_scores
from shoal.safety.rating import MIN_LABELLED, enough_labels
from shoal.statistics import (
    CorrectedShare,
    ErrorRates,
    correct_share,
    measure_error_rates,
    share_by_labels,
)
from shoal.text import find_language
from shoal.wording import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pandas

    from shoal.safety.answers import PromptAnswer
    from shoal.safety.harm.scorer import HarmScorer

    Rows = str | os.PathLike[str] | Sequence[Mapping[str, Any]]

# A scorer without errors, measured on so many answers that no interval becomes wider by it.
_NO_ERRORS = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e12, negatives=1e12)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmScore:
    """An answer and how harmful it is."""

    answer: PromptAnswer
    harm: float | None
    """From 0 to 1; None where the scorer gave no usable score."""

    harmful: bool | None
    """The label by a person; None where nobody labelled it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "prompt": self.answer.prompt, "completion": self.answer.completion, "type": self.answer.type,
            "harm": self.harm, "label": self.harmful,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmRating:
    """How many answers are harmful."""

    scorer: str
    answers: tuple[HarmScore, ...]
    """All that are not empty."""

    harmful: CorrectedShare
    """Of the answers with a score; corrected where labels of other answers are given."""

    labelled: CorrectedShare | None
    """By the answers' own labels (prediction-powered); None where too few have one."""

    errors: ErrorRates | None
    """Of the scorer, on labelled answers; None where none are given."""

    by_type: dict[str, CorrectedShare]
    bounds: tuple[float, float]
    """The share of harmful answers, not corrected, if none and if all of those without a score were harmful."""

    unscored: int
    empty: int
    other_language: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "scorer": self.scorer,
            "answers": len(self.answers),
            "harmful": self.harmful.to_dict(),
            "harmful_by_labels": None if self.labelled is None else self.labelled.to_dict(),
            "error_rates": None if self.errors is None else self.errors.to_dict(),
            "by_type": {name: share.to_dict() for name, share in self.by_type.items()},
            "bounds": list(self.bounds),
            "unscored": self.unscored,
            "empty": self.empty,
            "other_language": self.other_language,
            "scored": [one.to_dict() for one in self.answers],
        }

    def to_frame(self) -> pandas.DataFrame:
        """One row per answer."""
        import pandas

        return pandas.DataFrame([one.to_dict() for one in self.answers])

    def notes(self) -> list[str]:
        """What a reader must know of the rates."""
        found = [UNSEEN]
        if self.errors is None and self.labelled is None:
            found.append(
                "The rate is not corrected: give labels of other answers, or label "
                f"{MIN_LABELLED} of these or more, drawn at random (column harm)."
            )
        if self.unscored:
            low, high = self.bounds
            found.append(
                f"{plural(self.unscored, 'answer')} got no usable score and stand in no rate; with them it would be "
                f"{low:.1%} to {high:.1%}, not corrected: a judge that declines may decline the worst."
            )
        if self.empty:
            found.append(f"{plural(self.empty, 'empty answer')} stand in no rate.")
        if self.other_language:
            found.append(
                f"{plural(self.other_language, 'answer')} in other languages than English: whether the scorer reads "
                "them is not known."
            )
        return found

    def __str__(self) -> str:
        """The rates as lines for a person."""
        lines = [f"harmful, by {self.scorer}", f"  all answers ({len(self.answers):,})  {self.harmful}"]
        if self.labelled is not None:
            lines.append(f"  by own labels  {self.labelled}")
        if self.errors is not None:
            lines.append(
                f"  scorer: sensitivity {self.errors.sensitivity:.3f} ({self.errors.positives:.0f} harmful), "
                f"specificity {self.errors.specificity:.3f} ({self.errors.negatives:.0f} harmless), on labels"
            )
        if self.by_type:
            width = max(map(len, self.by_type))
            lines += [f"  {name:{width}}  {share}" for name, share in self.by_type.items()]
        return "\n".join([*lines, *self.notes()])


def rate_harm(answers: Rows, scorer: HarmScorer, *, labels: Rows | None = None, confidence: float = 0.95) -> HarmRating:
    """Score answers, and count the harmful ones.

    Args:
        answers: rows or a file of them, with the columns prompt and completion, and perhaps type and harm; see
            `read_harm_rows`. With 20 labels or more of a random sample the rate is corrected by them as well.
        scorer: of harm.
        labels: labelled answers of elsewhere, by which the errors of the scorer are measured; None corrects nothing.
        confidence: of the intervals.

    Raises:
        DataError: rows cannot be used, all answers are empty, none gets a usable score, or labels are of one class.
        EndpointError: the judge failed for good; what it answered is in its record.
    """
    rows = read_harm_rows(answers)
    whole = [row for row in rows if row.answer.completion.strip()]
    if not whole:
        raise DataError(f"all {len(rows)} answers are empty; give answers with text")
    scored = _scored(whole, scorer)
    judged = [one for one in scored if one.harm is not None]
    if not judged:
        raise DataError(
            f"{scorer.name} gave no usable score of any of {plural(len(scored), 'answer')}; a judge may decline to "
            "read such texts: give another one"
        )
    errors = None if labels is None else measure_harm_errors(labels, scorer)
    types = list(dict.fromkeys(one.answer.type for one in judged if one.answer.type))
    positive = sum(_harmful(one) for one in judged)
    return HarmRating(
        scorer=scorer.name,
        answers=tuple(scored),
        harmful=_share(judged, errors, confidence),
        labelled=_by_labels(judged, confidence),
        errors=errors,
        by_type={
            name: _share([one for one in judged if one.answer.type == name], errors, confidence) for name in types
        },
        bounds=(positive / len(scored), (positive + len(scored) - len(judged)) / len(scored)),
        unscored=len(scored) - len(judged),
        empty=len(rows) - len(whole),
        other_language=sum(find_language(one.answer.completion) not in (None, "en") for one in scored),
    )


def harm_share(
    harms: Sequence[float],
    errors: ErrorRates | None = None,
    *,
    clusters: Sequence[str] | None = None,
    items: float | None = None,
    confidence: float = 0.95,
) -> CorrectedShare:
    """The share of scores that count as harmful, corrected where the errors of the scorer are known.

    Args:
        harms: scores of 0 to 1.
        errors: of the scorer; None leaves the share as it is counted.
        clusters: of the answers: those to one request are alike; None makes each its own.
        items: how many independent answers know as much as these, where clusters do not express it.
        confidence: of the interval.

    Raises:
        DataError: there are no scores, or the scorer is hardly better than a coin.
    """
    guesses = [harm >= HARMFUL_FROM for harm in harms]
    share = correct_share(guesses, errors or _NO_ERRORS, clusters=clusters, items=items, confidence=confidence)
    return share if errors is not None else replace(share, method="not corrected")


def measure_harm_errors(labels: Rows, scorer: HarmScorer) -> ErrorRates:
    """Sensitivity and specificity of a scorer on labelled answers.

    Args:
        labels: rows or a file of them, with prompt, completion and harm (``harmful`` or ``harmless``).
        scorer: of harm.

    Raises:
        DataError: rows cannot be used, none has a label, or all are of one class.
        EndpointError: the judge failed for good; what it answered is in its record.
    """
    rows = read_harm_rows(labels)
    labelled = [row for row in rows if row.harmful is not None and row.answer.completion.strip()]
    if not labelled:
        raise DataError(
            f"none of the {len(rows)} labelled answers has a label; give each row harm: harmful or harmless"
        )
    judged = [one for one in _scored(labelled, scorer) if one.harm is not None]
    if not judged:
        raise DataError(f"{scorer.name} gave no usable score of any of {plural(len(labelled), 'labelled answer')}")
    return measure_error_rates(
        [bool(one.harmful) for one in judged], [_harmful(one) for one in judged],
        clusters=[one.answer.prompt for one in judged],
    )  # fmt: skip


def _scored(rows: Sequence[HarmLabelled], scorer: HarmScorer) -> list[HarmScore]:
    harms = harm_scores(scorer, [row.answer.prompt for row in rows], [row.answer.completion for row in rows])
    return [HarmScore(answer=row.answer, harm=harm, harmful=row.harmful) for row, harm in zip(rows, harms, strict=True)]


def _harmful(score: HarmScore) -> bool:
    return score.harm is not None and score.harm >= HARMFUL_FROM


def _share(scores: Sequence[HarmScore], errors: ErrorRates | None, confidence: float) -> CorrectedShare:
    harms = [one.harm for one in scores if one.harm is not None]
    return harm_share(harms, errors, clusters=[one.answer.prompt for one in scores], confidence=confidence)


def _by_labels(scores: Sequence[HarmScore], confidence: float) -> CorrectedShare | None:
    """The rate by the labels of some answers and the scores of the others."""
    labelled = [one for one in scores if one.harmful is not None]
    others = [one for one in scores if one.harmful is None]
    if not enough_labels([one.answer for one in labelled], [one.answer for one in others]):
        return None
    return share_by_labels(
        [float(_harmful(one)) for one in others],
        [(float(_harmful(one)), bool(one.harmful)) for one in labelled],
        clusters=[one.answer.prompt for one in others],
        labelled_clusters=[one.answer.prompt for one in labelled],
        confidence=confidence,
    )
