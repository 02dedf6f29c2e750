"""A task checked before anything is trained: its rule against its examples, its shortcuts against both.

A *problem* makes whatever follows worthless: a rule that contradicts the data, a shortcut that never applies, a split
on which every shortcut passes for the rule. A *warning* names what a result will leave open.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tasks.narrowing.measurements import sample, sample_sizes
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.task import rule_answer, shortcut_answer
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas

    from shoal.tasks.task import Example, Task

_TRIED = 400
"""Seen examples that shortcuts are tried on: each may look at all others, and a part of them says enough."""
_DRAWN = 60
"""New examples on which a shortcut that answers none of the listed ones is tried; a quarter of them are larger."""
_SHOWN = 3
"""Examples that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortcutAgreement:
    """How often a shortcut gives the right completion."""

    name: str
    applies: int
    """Examples of both parts that it answers at all."""

    seen: int
    """Seen examples that it answers rightly."""

    held_out: int
    """Held-out examples that it answers rightly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCheck:
    """What a check of a task found."""

    task: str
    split: str
    seen: int
    """Seen examples that the shortcuts were tried on; a sample of them where there are many."""

    held_out: int
    """Held-out examples that they were tried on."""

    agreement: tuple[ShortcutAgreement, ...]
    """The shortcuts, those that are right on the most held-out examples first."""

    like_rule: tuple[str, ...]
    """The shortcuts that are right on every held-out example: the split cannot tell them from the rule."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def raise_for_problems(self) -> None:
        """Raise the first problem.

        Raises:
            DataError: there is one; the message names how many there are besides.
        """
        if self.problems:
            more = f" (and {plural(len(self.problems) - 1, 'more problem')})" if len(self.problems) > 1 else ""
            raise DataError(f"the task {self.task!r} cannot be used: {self.problems[0]}{more}")

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """A row for each shortcut: how many examples it answers, and how many of each part rightly."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.agreement])

    def __str__(self) -> str:
        """The agreement of every shortcut with the rule, then problems and warnings."""
        width = max((len(row.name) for row in self.agreement), default=0)
        lines = [f"shortcuts, right of {self.seen} seen and {self.held_out} held-out examples:"]
        lines += [f"  {row.name:{width}}  {row.seen:5}  {row.held_out:5}" for row in self.agreement]
        lines += [f"problem: {text}" for text in self.problems]
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join(lines)


def check_task(task: Task, *, seed: int = 0) -> TaskCheck:
    """Check the rule and the shortcuts of a task on its examples.

    The rule is tried on every example, the shortcuts on a sample where there are so many that comparing pairs of
    prompts would take long.

    Args:
        task: any task, of the registry or of rows.
        seed: random seed of the samples.
    """
    prompts = [[example.prompt for example in part] for part in (task.seen, task.held_out)]
    # Shortcuts that copy compare every held-out prompt with every seen one.
    sizes = sample_sizes(*prompts) if all(prompts) else (len(prompts[0]), len(prompts[1]))
    seen = sample(task.seen, sizes[0], seed)
    held_out = sample(task.held_out, sizes[1], seed)
    tried = sample(seen, _TRIED, seed)
    columns: dict[str, list[str | None]] = {}
    problems = _rule_problems(task) if task.rule_known else []
    for name in task.shortcuts:
        try:
            # Of seen examples first: a shortcut is tried where it has been given the answers, and where it has not.
            columns[name] = _column(name, task, [*tried, *held_out], seen)
        except DataError as fault:
            problems.append(str(fault))
    agreement = [_agreement(name, column, tried, held_out) for name, column in columns.items()]
    problems += _never_applies(task, agreement, len(tried) + len(held_out), seen)
    equal = _equal_to_rule(columns, len(tried), held_out)
    # One that applies to nothing held out decides nothing, and must not keep the problem from being seen.
    applying = [name for name, column in columns.items() if any(column[len(tried) :])]
    if equal and len(equal) == len(applying):
        problems.append(
            f"every shortcut that applies ({joined(equal)}) is right on all of {len(held_out)} held-out examples of "
            f"the split {task.split.name}: nothing can be learned from it about the rule; hold out other examples"
        )
    return TaskCheck(
        task=task.name,
        split=task.split.name,
        seen=len(tried),
        held_out=len(held_out),
        agreement=tuple(sorted(agreement, key=lambda row: -row.held_out)),
        like_rule=tuple(equal),
        problems=tuple(problems),
        warnings=(*_cannot_tell(equal, columns, len(tried), held_out, task.split.name), *_row_warnings(task)),
    )


def _column(name: str, task: Task, examples: Sequence[Example], seen: Sequence[Example]) -> list[str | None]:
    return [shortcut_answer(name, task.shortcuts[name], example.prompt, seen) for example in examples]


def _agreement(
    name: str, column: Sequence[str | None], seen: Sequence[Example], held_out: Sequence[Example]
) -> ShortcutAgreement:
    right = [answer == example.completion for answer, example in zip(column, [*seen, *held_out], strict=True)]
    return ShortcutAgreement(
        name=name,
        applies=sum(answer is not None for answer in column),
        seen=sum(right[: len(seen)]),
        held_out=sum(right[len(seen) :]),
    )


def _rule_problems(task: Task) -> list[str]:
    """What the rule does on the examples that it should not."""
    failed: list[tuple[int, str]] = []
    wrong: list[tuple[int, str]] = []
    for place, example in enumerate(task.examples, start=1):
        try:
            answer = rule_answer(task.rule, example.prompt)
        except DataError as fault:
            failed.append((place, str(fault)))
            continue
        if answer != example.completion:
            shown = f"{answer[:40]!r} for {example.prompt[:40]!r}, and the example has {example.completion[:40]!r}"
            wrong.append((place, shown))
    total = plural(len(task.examples), "example")
    problems = []
    if failed:
        problems.append(f"the rule fails on {len(failed)} of {total} ({_places(failed)}); first: {failed[0][1]}")
    if wrong:
        problems.append(
            f"the rule disagrees with {len(wrong)} of {total} ({_places(wrong)}); first: it gives {wrong[0][1]}"
        )
    return problems


def _places(found: Sequence[tuple[int, str]]) -> str:
    """``examples 3, 8 and 11`` of those found, or the first of them and how many more."""
    places = [str(place) for place, _ in found]
    if len(places) == 1:
        return f"example {places[0]}"
    if len(places) <= _SHOWN:
        return f"examples {joined(places)}"
    return f"examples {', '.join(places[:_SHOWN])} and {len(places) - _SHOWN} more"


def _never_applies(
    task: Task, agreement: Sequence[ShortcutAgreement], total: int, seen: Sequence[Example]
) -> list[str]:
    """A shortcut of the task's own that answers nothing; those of any task may have nothing to copy."""
    silent = [row.name for row in agreement if not row.applies and row.name not in COPYING]
    drawn = [task.draw(random.Random(seed)).prompt for seed in range(_DRAWN)] if task.draw and silent else []
    return [
        f"the shortcut {name!r} applies to none of {total} examples: it gives an empty text, or cannot read the "
        "prompts; mend it or take it away"
        for name in silent
        # One may be about prompts beyond those listed: a list longer than every seen one.
        if not any(shortcut_answer(name, task.shortcuts[name], prompt, seen) for prompt in drawn)
    ]


def _equal_to_rule(columns: dict[str, list[str | None]], seen: int, held_out: Sequence[Example]) -> list[str]:
    """The shortcuts that are right on every held-out example."""
    right = [example.completion for example in held_out]
    return [name for name, column in columns.items() if right and column[seen:] == right]


def _cannot_tell(
    equal: Sequence[str], columns: dict[str, list[str | None]], seen: int, held_out: Sequence[Example], split: str
) -> list[str]:
    """What no answer to the held-out examples can tell apart."""
    warnings = []
    if equal:
        warnings.append(
            f"the split {split} cannot tell {_quoted(equal)} from the rule: right on all of {len(held_out)} held-out "
            "examples"
        )
    groups: dict[tuple[str | None, ...], list[str]] = defaultdict(list)
    for name, column in columns.items():
        if name not in equal and any(column[seen:]):
            # By the answers themselves, right or wrong: two programs that err alike cannot be told apart either.
            groups[tuple(column[seen:])].append(name)
    warnings += [
        f"the split {split} cannot tell {_quoted(names)} apart: they give the same answers to the held-out examples"
        for names in groups.values()
        # Those of any task often agree with each other, which is no news.
        if len(names) > 1 and not set(names) <= set(COPYING)
    ]
    return warnings


def _row_warnings(task: Task) -> list[str]:
    """What is wrong with the rows themselves."""
    completions: dict[str, set[str]] = defaultdict(set)
    for example in task.examples:
        completions[example.prompt].add(example.completion)
    several = [prompt for prompt, found in completions.items() if len(found) > 1]
    warnings = []
    if several:
        warnings.append(
            f"{plural(len(several), 'prompt')} with more than one completion: no rule can give them all; first: "
            f"{several[0][:40]!r}"
        )
    for what, key in (("prompt", _prompt), ("group", _group)):
        sides = [{key(example) for example in part} for part in (task.seen, task.held_out)]
        both = (sides[0] & sides[1]) - {None}
        if both:
            warnings.append(f"{plural(len(both), what)} on both sides of the split: memory alone can answer there")
    return warnings


def _prompt(example: Example) -> str | None:
    return example.prompt


def _group(example: Example) -> str | None:
    return str(example.tags["group"]) if "group" in example.tags else None


def _quoted(names: Sequence[str]) -> str:
    return joined([repr(name) for name in names])
