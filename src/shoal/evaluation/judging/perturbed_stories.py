"""Stories of the grammar under every perturbation and severity, each with its unperturbed self."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.corpora.grammar import tell_story
from shoal.errors import UsageError
from shoal.evaluation.judging.llm_judge import Submission
from shoal.evaluation.judging.page_trend import MAX_COLUMNS
from shoal.evaluation.judging.perturbations import instruction_of, perturb_consistency, perturb_grammar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.corpora.grammar import Story

PERTURBATIONS = ("grammar", "consistency", "instruction")
"""The perturbations, by the dimension that should suffer."""

SEVERITIES = (0.2, 0.5, 1.0)
"""The share of sentences that are broken, of mentions that are wrong, of demands that are not met."""

MAX_CHARACTERS = 900
"""Of the stories: short ones are cheaper to judge, and a small judge can read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbedStory:
    """A submission, and what was done to it."""

    story: int
    """Which story it was made of, from 0."""

    perturbation: str
    """One of `PERTURBATIONS`; ``none`` at severity 0."""

    severity: float
    submission: Submission


def make_perturbed_stories(
    count: int, *, seed: int = 0, severities: Sequence[float] = SEVERITIES
) -> list[PerturbedStory]:
    """Make every story once whole and once under each perturbation and severity, in mixed order.

    Args:
        count: how many stories, at least 1.
        seed: random seed of the stories and of the perturbations.
        severities: rising, above 0 and at most 1, six of them at most.

    Raises:
        UsageError: there is no story, or the severities are not as described.
    """
    if count < 1:
        raise UsageError(f"a certificate needs stories, not {count}; 12 distinguish a good judge from a blind one")
    if not severities or list(severities) != sorted(set(severities)) or not 0 < severities[0] <= severities[-1] <= 1:
        raise UsageError(
            f"severities rise from above 0 to at most 1, as in 0.2, 0.5, 1; not {', '.join(map(str, severities))}"
        )
    # Before anything is judged, which may cost money: the trend is over these and the unperturbed story.
    if len(severities) >= MAX_COLUMNS:
        raise UsageError(f"{len(severities)} severities are too many for an exact test; give {MAX_COLUMNS - 1} at most")
    submissions = [
        part for place, story in enumerate(_stories(count, seed)) for part in _of_story(place, story, severities)
    ]
    # Mixed, so that a judge whose marks drift in the course of a certificate is not taken for a sensitive one.
    random.Random(seed).shuffle(submissions)
    return submissions


def _stories(count: int, seed: int) -> list[Story]:
    found: list[Story] = []
    index = 0
    while len(found) < count:
        story = tell_story(seed, index)
        # Without a feature there would be four demands to break and not five.
        if len(story.text) <= MAX_CHARACTERS and story.features:
            found.append(story)
        index += 1
    return found


def _of_story(place: int, story: Story, severities: Sequence[float]) -> list[PerturbedStory]:
    instruction = instruction_of(story, seed=place)
    made = {
        "grammar": lambda severity: Submission(
            instruction=instruction, story=perturb_grammar(story.text, severity, place)
        ),
        "consistency": lambda severity: Submission(
            instruction=instruction, story=perturb_consistency(story, severity, place)
        ),
        "instruction": lambda severity: Submission(
            instruction=instruction_of(story, severity, place), story=story.text
        ),
    }
    whole = PerturbedStory(
        story=place, perturbation="none", severity=0.0, submission=Submission(instruction=instruction, story=story.text)
    )
    return [
        whole,
        *(
            PerturbedStory(
                story=place, perturbation=perturbation, severity=severity, submission=made[perturbation](severity)
            )
            for perturbation in PERTURBATIONS
            for severity in severities
        ),
    ]
