"""Questions about the plot (plot QA): does a model use a story to answer questions about it?

Stories come from the grammar, with questions whose answers are known. For each question the right answer stands
against a wrong one: another answer to a question of the same kind, from the same story where it has one. A model
prefers the answer whose log-likelihood gains more by the story, log p(answer | story, question) - log p(answer |
question), so that an answer that is merely common wins nothing (the domain conditional PMI of Holtzman et al. 2021,
arXiv:2104.08315). A model that does not use the story is right half of the time, whatever its habits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.corpora.grammar import StoryQuestion, answer_question, ask_questions, lexicon, tell_story
from shoal.errors import BoundaryError, DataError, UsageError
from shoal.evaluation.batching import ScoringRow, model_limits
from shoal.evaluation.likelihoods import document_opening, log_likelihoods
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean
from shoal.text import plain_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

SEED = 1_000_003
"""Random seed of the stories; corpora are generated with other seeds."""

# The interval is over stories: more questions about one cost passes and narrow it little.
_QUESTIONS_PER_STORY = 5
_TRIED = 200
"""Stories, of which one at least must be short enough."""

_NAMES = {*lexicon.GIRLS, *lexicon.BOYS, *lexicon.PETS, *lexicon.GROWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactQuestion:
    """A question about a story, with a right and a wrong answer."""

    story: int
    text: str
    kind: str
    """who, where, what, how, why or order."""

    question: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactScores:
    """The answers that a model prefers."""

    questions: tuple[FactQuestion, ...]
    gains: tuple[float, ...]
    """How much more the story does for the right answer than for the wrong one, in nats."""

    left_out: int
    """Questions whose story does not fit into the model's context."""

    def accuracy(self, kind: str | None = None) -> StoryMeasure:
        """The share of right answers, over all questions or those of a kind; equal gains count half."""
        rows = [
            (one.story, 1.0 if gain > 0 else 0.5 if gain == 0 else 0.0)
            for one, gain in zip(self.questions, self.gains, strict=True)
            if kind in (None, one.kind)
        ]
        name = "plot facts" if kind is None else f"plot facts: {kind}"
        stories = [story for story, _ in rows]
        left = f"; {self.left_out} of all questions did not fit into the context" if self.left_out else ""
        note = f"right answers preferred, {len(rows)} questions about {len(set(stories))} stories, chance .5{left}"
        return clustered_mean(name, [right for _, right in rows], stories, share=True, better="more", note=note)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of question among them."""
        return tuple(sorted({one.kind for one in self.questions}))


def make_questions(stories: int, *, seed: int = SEED, max_characters: int = 900) -> tuple[FactQuestion, ...]:
    """Questions about stories of the grammar, up to five per story, each checked to be answerable from the text.

    Args:
        stories: how many, at least 1.
        seed: random seed of the stories and the wrong answers.
        max_characters: longer stories are passed over, since small models read little.

    Raises:
        UsageError: there is no story, or none that is so short.
    """
    if stories < 1:
        raise UsageError(f"{stories} stories hold no plot facts; give a count above 0")
    rng = random.Random(seed)
    generated: list[tuple[str, tuple[StoryQuestion, ...]]] = []
    index = 0
    while len(generated) < stories:
        story = tell_story(seed, index)
        index += 1
        if len(story.text) <= max_characters:
            generated.append((story.text, ask_questions(story.events)))
        elif index == _TRIED and not generated:
            raise UsageError(f"none of {_TRIED} stories has at most {max_characters} characters; allow more")
    others: dict[str, set[str]] = {}
    for _, questions in generated:
        for one in questions:
            others.setdefault(_form(one), set()).add(one.answer)
    return tuple(
        FactQuestion(story=place, text=text, kind=one.kind, question=one.question, right=one.answer, wrong=wrong)
        for place, (text, questions) in enumerate(generated)
        for one in rng.sample(questions, min(_QUESTIONS_PER_STORY, len(questions)))
        for wrong in _wrong(text, one, others[_form(one)], rng)
        # What the reader of the grammar cannot find in the text alone, no model could.
        if answer_question(text, one.question) == one.answer
    )


def _form(question: StoryQuestion) -> str:
    """Questions of one form can have each other's answers: the kind, how it begins and how it ends."""
    words = question.question.split()
    return " ".join((question.kind, *words[:2], words[-1] if question.kind == "order" else ""))


def _wrong(text: str, question: StoryQuestion, answers: set[str], rng: random.Random) -> list[str]:
    """One wrong answer, which the story holds too where there is such a one; none where there is none at all."""
    pool = sorted((answers | (_NAMES if question.answer in _NAMES else set())) - {question.answer})
    in_story = [answer for answer in pool if answer in text]
    return [rng.choice(in_story or pool)] if pool else []


def score_facts(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    questions: Sequence[FactQuestion],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> FactScores:
    """Find which answers a model prefers.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        questions: as `make_questions` gives them.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        DataError: no question fits into the model's context.
        ModelError: the model's logits are not numbers.
    """
    context, _ = model_limits(model)
    opening = document_opening(tokenizer)
    fitting: list[FactQuestion] = []
    rows: list[ScoringRow] = []
    for one in questions:
        found = [
            _row(tokenizer, opening, context_text + f"Question: {one.question}\nAnswer:", f" {answer}")
            for answer in (one.right, one.wrong)
            for context_text in (f"{one.text}\n\n", "")
        ]
        # The last id is predicted and never read.
        if context is None or max(len(ids) for ids, _ in found) - 1 <= context:
            fitting.append(one)
            rows += [
                ScoringRow(len(rows) + place, ids, start, 0, len(ids) - start)
                for place, (ids, start) in enumerate(found)
            ]
    if not fitting:
        raise DataError(f"none of {len(questions)} questions fits into the model's context of {context} tokens")
    nats = log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what="plot facts")
    gains = tuple(
        # The right answer with and without the story, then the wrong one, in the order of the rows above.
        _less(_less(nats[place], nats[place + 1]), _less(nats[place + 2], nats[place + 3]))
        for place in range(0, len(nats), 4)
    )
    return FactScores(questions=tuple(fitting), gains=gains, left_out=len(questions) - len(fitting))


def _less(one: float, other: float) -> float:
    """The difference, 0 of equal ones: -inf less -inf, of an answer that is impossible either way, is no number."""
    return 0.0 if one == other else one - other


def _row(
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer, opening: tuple[int, ...], prompt: str, answer: str
) -> tuple[tuple[int, ...], int]:
    """Ids of prompt and answer, encoded jointly, and where the answer begins."""
    before, ids = plain_ids(tokenizer, [prompt, prompt + answer])
    if ids[: len(before)] != before or len(ids) == len(before):
        raise BoundaryError(f"a token covers the end of {prompt[-20:]!r} and the start of {answer!r}")
    return (*opening, *ids), len(opening) + len(before)
