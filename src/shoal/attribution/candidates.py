"""What each explanation would answer to every item, in one table, and the evidence that answers give, as arrays.

Shapes: N items, A different answers of an item (padded), C classes of explanations and, last, noise.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.progress import no_progress
from shoal.tasks import copies_a_neighbour, rule_answer, shortcut_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas
    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.progress import Progress
    from shoal.tasks import Example, Rule, Shortcut, Task


ExplanationKind = Literal["rule", "shortcut", "nearest", "noise"]

RULE = "rule"
"""The name of the task's rule among the explanations."""

NOISE = "noise"
"""The name of what is left: an answer that none of the named explanations gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTable:
    """The candidates of items: a row for each item, a column for each explanation."""

    names: tuple[str, ...]
    """The explanations: the rule first, then the shortcuts."""

    kinds: tuple[ExplanationKind, ...]
    """What each of them is."""

    prompts: tuple[str, ...]
    expected: tuple[str, ...]
    """The right completion of each item."""

    answers: tuple[tuple[str | None, ...], ...]
    """From item to explanation to its completion; None where it does not apply."""

    clusters: tuple[str, ...]
    """The cluster of each item (its tag ``group``, else its prompt): items of one cluster count as one."""

    def column(self, name: str) -> tuple[str | None, ...]:
        """The completions of one explanation, item by item.

        Raises:
            UnknownNameError: there is no explanation of that name.
        """
        place = self._place(name)
        return tuple(row[place] for row in self.answers)

    def rows(self, places: Sequence[int]) -> CandidateTable:
        """The table of some of the items, in the order given.

        Args:
            places: of the items, from 0.
        """
        return replace(
            self,
            prompts=tuple(self.prompts[place] for place in places),
            expected=tuple(self.expected[place] for place in places),
            answers=tuple(self.answers[place] for place in places),
            clusters=tuple(self.clusters[place] for place in places),
        )

    def without(self, name: str) -> CandidateTable:
        """The table without one of the explanations.

        Raises:
            UnknownNameError: there is no explanation of that name.
        """
        # Else a misspelt name would leave all of them, without a word.
        self._place(name)
        return self.of([other for other in self.names if other != name])

    def of(self, names: Sequence[str]) -> CandidateTable:
        """The table of some of the explanations, in the order given.

        Raises:
            UnknownNameError: there is no explanation of one of the names.
        """
        places = [self._place(name) for name in names]
        return CandidateTable(
            names=tuple(names),
            kinds=tuple(self.kinds[place] for place in places),
            prompts=self.prompts,
            expected=self.expected,
            answers=tuple(tuple(row[place] for place in places) for row in self.answers),
            clusters=self.clusters,
        )

    def classes(self) -> tuple[tuple[str, ...], ...]:
        """The explanations in groups that these items cannot tell apart: all answers of a group are equal.

        Explanations that apply to no item are left out.
        """
        groups: dict[tuple[str | None, ...], list[str]] = {}
        for name in self.names:
            column = self.column(name)
            if any(answer is not None for answer in column):
                # Being silent counts as an answer: an item that only one of two explanations answers separates them.
                groups.setdefault(column, []).append(name)
        return tuple(tuple(group) for group in groups.values())

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise UnknownNameError("explanation", name, self.names)
        return self.names.index(name)

    def to_frame(self) -> pandas.DataFrame:
        """A row for each item: its prompt, then what each explanation answers."""
        import pandas

        frame = pandas.DataFrame(self.answers, columns=list(self.names))
        frame.insert(0, "prompt", self.prompts)
        return frame


def candidates_of(
    task: Task,
    items: Sequence[Example] | None = None,
    *,
    shortcuts: Mapping[str, Shortcut] | None = None,
    seen: Sequence[Example] | None = None,
    progress: Progress | None = None,
) -> CandidateTable:
    """The completions that the rule and every shortcut of a task give.

    Args:
        task: whose rule, shortcuts and seen examples are used.
        items: the examples to answer; the held-out ones by default.
        shortcuts: further shortcuts by name, for example of one's own.
        seen: what the model was trained on, where that is not all of the task's seen examples.
        progress: called with (what, done, total), the units being explanations.

    Raises:
        UsageError: there are no items, or a further shortcut has a name that is taken.
        DataError: the rule or a shortcut raises an error of its own on an item, or a shortcut gives no text.
    """
    chosen = tuple(task.held_out if items is None else items)
    if not chosen:
        raise UsageError("there are no items to explain the answers of; give at least one")
    programs = _programs(task, shortcuts or {})
    report = progress or no_progress
    # The property walks through all examples, and every program looks at them for every item.
    examples = task.seen if seen is None else seen
    columns = []
    for done, (name, program) in enumerate(programs.items()):
        report("candidates", done, len(programs) + 1)
        columns.append([shortcut_answer(name, program, example.prompt, examples) for example in chosen])
    # Rows without a rule have nothing but their completions, which stand for it.
    rule = [_rule_answer(task.rule, example) if task.rule_known else example.completion for example in chosen]
    report("candidates", len(programs) + 1, len(programs) + 1)
    return CandidateTable(
        names=(RULE, *programs),
        kinds=("rule", *("nearest" if copies_a_neighbour(name) else "shortcut" for name in programs)),
        prompts=tuple(example.prompt for example in chosen),
        expected=tuple(example.completion for example in chosen),
        answers=tuple(zip(rule, *columns, strict=True)),
        # Items of one template stand or fall together; counted singly, they would make every interval too narrow.
        clusters=tuple(str(example.tags.get("group", example.prompt)) for example in chosen),
    )


def _programs(task: Task, more: Mapping[str, Shortcut]) -> dict[str, Shortcut]:
    # Of a task that was put together by hand; a column of answers would have the name of another.
    reserved = next((name for name in (RULE, NOISE) if name in task.shortcuts), None)
    if reserved is not None:
        raise UsageError(f"a shortcut of the task is called {reserved!r}, which is no shortcut; give it another name")
    taken = {RULE, NOISE, *task.shortcuts}
    for name in more:
        # A shortcut of the same name would replace that of the task, and reports would show the one for the other.
        if name in taken:
            raise UsageError(f"the name {name!r} of a shortcut is taken; the task has {', '.join(sorted(taken))}")
    return {**task.shortcuts, **more}


def _rule_answer(rule: Rule, example: Example) -> str:
    answer = rule_answer(rule, example.prompt)
    if answer != example.completion:
        raise DataError(
            f"the rule answers {answer[:60]!r} to {example.prompt[:60]!r}, where the example has "
            f"{example.completion[:60]!r}; the two must agree before a model can be judged by them"
        )
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvidence:
    """What a mixture of explanations is fitted to."""

    classes: tuple[tuple[str, ...], ...]
    """The explanations in groups that the items cannot tell apart; noise is the last column and is not named here."""

    race_NA: NDArray[np.float64]
    """The weight of each answer among those that are compared; rows sum to 1."""

    given_NAC: NDArray[np.float64]
    """Probability of each answer by each class, and by noise in the last column."""

    answered_NC: NDArray[np.float64]
    """Probability of the answer that the model gave, in the same columns."""

    weights_N: NDArray[np.float64]
    """Items of one cluster share the weight of one."""


def collect_evidence(table: CandidateTable, answers: Sequence[ItemAnswer], seen: Sequence[str]) -> AnswerEvidence:
    """Bring candidates and answers together.

    Args:
        table: the candidates of the items.
        answers: what the model says to them, in the same order.
        seen: the completions of the training examples, from which noise draws its answers.

    Raises:
        UsageError: the answers are not those to the items of the table, there are none, or no explanation applies to
            any item.
    """
    if not answers:
        raise UsageError("there are no answers to explain; give at least one")
    if [answer.prompt for answer in answers] != list(table.prompts):
        raise UsageError(
            f"{len(answers)} answers were given to {len(table.prompts)} items, or to other prompts; give one answer "
            "for each item, in the same order"
        )
    classes = table.classes()
    if not classes:
        raise UsageError(
            f"the explanations ({', '.join(table.names) or 'none'}) give no answer to any of the {len(answers)} items, "
            "so that they can explain nothing; name one that applies"
        )
    # All answers of a class are equal, so that its first explanation stands for it.
    columns = [table.column(group[0]) for group in classes]
    noise = NoiseModel(seen)
    compared = [_compared(answer, row) for answer, row in zip(answers, table.answers, strict=True)]
    widest = max(map(len, compared))
    # Rows are padded with answers of no weight, which drop out of every sum.
    race = np.zeros((len(answers), widest))
    given = np.zeros((len(answers), widest, len(columns) + 1))
    answered = np.zeros((len(answers), len(columns) + 1))
    for place, (answer, row, texts) in enumerate(zip(answers, table.answers, compared, strict=True)):
        race[place, : len(texts)] = _race(answer, texts, is_candidate=texts[0] in row)
        for column, candidates in enumerate(columns):
            given[place, : len(texts), column] = [text == candidates[place] for text in texts]
            # An answer that never ends is not the candidate, whatever its text is.
            answered[place, column] = answer.ends and answer.answer == candidates[place]
        given[place, : len(texts), -1] = [noise.probability(text) for text in texts]
        answered[place, -1] = noise.probability(answer.answer)
    sizes = Counter(table.clusters)
    return AnswerEvidence(
        classes=classes,
        race_NA=race,
        given_NAC=given,
        answered_NC=answered,
        weights_N=np.array([1 / sizes[cluster] for cluster in table.clusters]),
    )


class NoiseModel:
    """Answers that do not depend on the prompt: as frequent as in training, with some mass for answers never seen.

    The mass of new answers is that of Witten and Bell (1991): different answers by different answers plus answers. It
    is dealt to one more unseen answer than were seen, so that each is less probable than an answer that was seen once.
    """

    def __init__(self, seen: Sequence[str]) -> None:
        self._counts = Counter(seen)
        self._total = sum(self._counts.values())

    def probability(self, text: str) -> float:
        """The probability of an answer."""
        kinds = len(self._counts)
        if text in self._counts:
            return self._counts[text] / (self._total + kinds)
        return max(kinds, 1) / (self._total + max(kinds, 1)) / (kinds + 1)


_NOT_ENDED = "\0"
"""Stands behind the text of an answer that did not end, so that it is equal to no candidate."""


def race_of(answer: ItemAnswer, candidates: Sequence[str | None]) -> dict[str, float]:
    """The answers of an item that run against each other with their weights, which sum to 1; the model's own is first.

    Args:
        answer: what the model answers, with its log-probabilities.
        candidates: the completions that the explanations give.
    """
    texts = _compared(answer, candidates)
    return dict(zip(texts, _race(answer, texts, is_candidate=texts[0] in candidates).tolist(), strict=True))


def _compared(answer: ItemAnswer, row: Sequence[str | None]) -> list[str]:
    """The different answers that run against each other: all candidates and what the model says."""
    own = answer.answer if answer.ends else answer.answer + _NOT_ENDED
    # The model's own answer stands first, which the callers rely on.
    return list(dict.fromkeys([own, *(text for text in row if text is not None)]))


def _race(answer: ItemAnswer, texts: Sequence[str], *, is_candidate: bool) -> NDArray[np.float64]:
    """The weight of each answer, the model's own first.

    Where the model's answer is a candidate, the candidates share the weight by their probabilities, among which that of
    a long text is small by its length alone. So log-probabilities refine an answer and never overrule it: where another
    candidate is more probable as a whole than the answer that was decoded token by token, the answer has all weight.
    Where the model's answer is no candidate, other answers have all that the candidates leave.
    """
    nats = np.array([answer.log_probs.get(text, -math.inf) for text in texts])
    overruled = is_candidate and nats.max() > nats[0]
    # Without log-probabilities the answer itself is all that is known.
    if overruled or not np.isfinite(nats).any():
        alone: NDArray[np.float64] = np.eye(len(texts))[0]
        return alone
    if is_candidate:
        # Relative to the answer itself: the exponential of a long text of -800 nats alone would be 0.
        odds = np.exp(nats - nats[0])
    else:
        odds = np.exp(nats)
        # The answer stands for all texts that are no candidate, whose probabilities are not known one by one.
        odds[0] = max(odds[0], 1 - odds[1:].sum())
    shares: NDArray[np.float64] = odds / odds.sum()
    return shares
