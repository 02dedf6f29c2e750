"""What each explanation would answer: the candidates of every item, in one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.progress import no_progress
from shoal.tasks import copies_a_neighbour, rule_answer, shortcut_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas

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
