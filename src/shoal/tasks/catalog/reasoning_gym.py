"""The data sets of the library reasoning-gym, a hundred generators of puzzles with a scorer each, as tasks.

A data set gives questions, an answer to each and a scorer of answers; there is no program from question to answer, so
that the rule is a table of the items that were generated. The scorer must accept that table: it is checked on every
example. Library: Stojanovski et al. 2025, arXiv:2505.24760.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from typing import TYPE_CHECKING, Any

from rapidfuzz import process
from rapidfuzz.fuzz import token_set_ratio

from shoal.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from shoal.tasks import checks
from shoal.tasks.generated import by_prompt
from shoal.tasks.registry import register_task
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Example, Task, TaskMeasure

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from shoal.tasks.task import Shortcut

_SIZE = 20_000
"""Items of a data set, each generated from its number when it is looked at; some data sets refuse more."""
_LISTED = _SIZE // 2
"""The items that can be examples; the others are drawn."""
_ANSWER_SIGN = "Answer:"
_MIN_SCORE = 0.99
"""What the scorer must give to the data set's own answer; some scorers count in steps."""


def _score(example: Example, answer: str) -> float | None:
    """What the scorer of the data set gives to an answer; None for an example of another source."""
    if not {"dataset", "item", "gym_seed", "gym_options"} <= example.tags.keys():
        return None
    source = _Source.of_tags(example)
    return float(source.data.score_answer(answer=answer.strip(), entry=source.data[int(example.tags["item"])]))


MEASURES = {
    "gym_score": TaskMeasure(
        label="score of the data set",
        meaning="mean of what the data set's own scorer gives to the answers, 1 for a right one",
        of_answer=_score,
    )
}


@register_task("reasoning-gym", structural_split="tag(tag='length',share=0.3)", measures=MEASURES)
def reasoning_gym(
    *,
    dataset: str = "chain_sum",
    options: Mapping[str, Any] | None = None,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Answer the questions of a data set of reasoning-gym: ``make_task("reasoning-gym:leg_counting")``.

    The tags are ``length`` (words of the question), ``dataset``, ``item``, ``gym_seed`` and ``gym_options`` (by which
    the library makes the item again) and ``group`` (the item).

    Args:
        dataset: a data set's name.
        options: of the data set itself, by the names of its configuration: ``{"max_animals": 4}``.
        examples: how many; their questions are distinct.
        seed: random seed of the data set.
        split: the split by name, table or object.

    Raises:
        DataError: the scorer does not accept the data set's own answers, or it gives too few different questions.
        MissingExtraError: the library is not installed.
        UnknownNameError: it has no data set, or the data set no option, of that name.
        UsageError: an option cannot be used.
    """
    checks.whole_number("examples", examples, minimum=2, maximum=_LISTED)
    checks.whole_number("seed", seed, minimum=0)
    source = _Source(dataset, json.dumps(dict(options or {}), sort_keys=True), seed)
    table: dict[str, Example] = {}
    # Small data sets repeat themselves, so more items than examples are looked at.
    looked_at = min(3 * examples, _LISTED)
    for item in range(looked_at):
        example = source.example(item)
        table.setdefault(example.prompt, example)
        if len(table) == examples:
            break
    if len(table) < examples:
        raise DataError(
            f"the data set {dataset!r} has only {len(table)} different questions among {looked_at} items; give "
            f"fewer examples than {examples}, or other options"
        )
    made = tuple(table.values())

    def rule(prompt: str) -> str:
        if prompt not in table:
            raise DataError(
                f"the question {prompt[:60]!r} was not generated, and reasoning-gym gives no program for it"
            )
        return table[prompt].completion

    def draw(generator: random.Random) -> Example:
        # From the other half: what is drawn must be new, and the rule learns its answer by the table.
        drawn = source.example(generator.randrange(_LISTED, _SIZE))
        return table.setdefault(drawn.prompt, drawn)

    return Task(
        name="reasoning-gym",
        examples=made,
        split=bind_split(split, made),
        rule=rule,
        # A table answers no new prompt, and must not pass for a program in the reports.
        rule_known=False,
        shortcuts={**COPYING, **GYM_SHORTCUTS},
        draw=draw,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """A data set with its options and seed."""

    dataset: str
    options: str
    """As JSON, so that it can be a tag."""

    seed: int

    @classmethod
    def of_tags(cls, example: Example) -> _Source:
        tags = example.tags
        return cls(str(tags["dataset"]), str(tags["gym_options"]), int(tags["gym_seed"]))

    @property
    def data(self) -> Any:
        """The library's data set."""
        return _load(self.dataset, self.options, self.seed)

    def example(self, item: int) -> Example:
        """An item as an example, its answer accepted by the scorer."""
        entry = self.data[item]
        if not entry["answer"]:
            raise DataError(
                f"the data set {self.dataset!r} lists no answer to item {item}, only a scorer; take another data set"
            )
        question, answer = str(entry["question"]).strip(), str(entry["answer"]).strip()
        score = self.data.score_answer(answer=answer, entry=entry)
        if score < _MIN_SCORE:
            raise DataError(
                f"the scorer of the data set {self.dataset!r} gives {score} to its own answer {answer[:40]!r} to item "
                f"{item}; take another data set"
            )
        return Example(
            prompt=f"{question}\n{_ANSWER_SIGN}",
            completion=f" {answer}",
            tags={
                "length": len(question.split()),
                "group": f"{self.dataset} {item}",
                "dataset": self.dataset,
                "item": item,
                "gym_seed": self.seed,
                "gym_options": self.options,
            },
        )


@functools.lru_cache(maxsize=32)
def _load(dataset: str, options: str, seed: int) -> Any:
    """The library's data set, large enough to draw from."""
    try:
        import reasoning_gym as library
        from reasoning_gym.factory import DATASETS
    except ImportError as error:
        raise MissingExtraError("gym", "the task 'reasoning-gym'") from error
    if dataset not in DATASETS:
        raise UnknownNameError("data set of reasoning-gym", dataset, DATASETS)
    known = [field.name for field in dataclasses.fields(DATASETS[dataset][1]) if field.name not in ("seed", "size")]
    given = json.loads(options)
    for option in given:
        if option not in known:
            raise UnknownNameError(f"option of the data set {dataset!r}", option, known)
    try:
        return library.create_dataset(dataset, seed=seed, size=_SIZE, **given)
    # The configurations check their values by assert.
    except (AssertionError, TypeError, ValueError) as error:
        raise UsageError(
            f"the data set {dataset!r} refuses the options {options}: {error or 'no reason given'}"
        ) from error


def _numbers(prompt: str) -> list[str]:
    """The numbers of the question, in order; a minus behind a number (5-3) is no sign."""
    return re.findall(r"(?:(?<!\d)-)?\d+(?:\.\d+)?", prompt)


def _nearest_words(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen question that shares the most words, in any order; of equals, the first."""
    if not seen:
        return ""
    _, _, place = process.extractOne(prompt, [example.prompt for example in seen], scorer=token_set_ratio)
    return seen[place].completion


def _of_numbers(choose: Callable[[list[str]], object]) -> Shortcut:
    """The shortcut that answers with one of the question's numbers; it does not apply where there is none."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        numbers = _numbers(prompt)
        return f" {choose(numbers)}" if numbers else ""

    return shortcut


def _last_word(prompt: str) -> str:
    return prompt.removesuffix(_ANSWER_SIGN).split()[-1].strip(".,:;?!\"'")


GYM_SHORTCUTS: Mapping[str, Shortcut] = {
    "first-number": _of_numbers(lambda numbers: numbers[0]),
    "last-number": _of_numbers(lambda numbers: numbers[-1]),
    "largest-number": _of_numbers(lambda numbers: max(numbers, key=float)),
    "count-of-numbers": _of_numbers(len),
    "last-word": by_prompt(_last_word, str),
    "copy-nearest-words": _nearest_words,
}
