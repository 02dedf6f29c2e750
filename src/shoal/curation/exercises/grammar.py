"""Code exercises by a grammar: drawn under constraints, with a reference solution and tests that tell each step.

A function takes the items of its argument that pass filters, makes something of each, and something of all. The idea of
random constraints on topic and function name is that of Gunasekar et al. (2023), "Textbooks are all you need",
arXiv:2306.11644, section 2.2. The tests of an exercise fail every program that leaves one of its steps out.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shoal.curation.exercises.exercise import Exercise
from shoal.curation.exercises.inputs import draw_input
from shoal.curation.exercises.steps import FILTERS, LISTING, MAPPINGS, REDUCTIONS, TOPICS
from shoal.curation.sandbox import FunctionTest
from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shoal.curation.exercises.steps import Step, Topic

MAX_DIFFICULTY = 4
"""Steps of a function: two filters, a mapping and a reduction."""

# Enough for a first look; tests that a step needs are added up to `_MAX_TESTS`.
_TESTS = 6
_MAX_TESTS = 12
_MIN_ANSWERS = 3
"""Different expected values among the tests: fewer are hit by guessing."""
_TRIES = 200
"""Draws of an input for a test that tells a step, and draws in a row without a new exercise before giving up."""

# Not 0 and 1, with which remainders and multiples are trivial; within the range of the inputs.
_CONSTANTS = range(2, 8)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A function before it is written."""

    topic: Topic
    filters: tuple[Step, ...]
    mapping: Step | None
    reduction: Step
    constants: tuple[int, ...]
    """The number ``{k}`` of each step, in the order of `steps`."""

    loop: bool
    """Whether the solution is a loop, or one expression."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.filters, *([self.mapping] if self.mapping else []), self.reduction)

    @property
    def group(self) -> str:
        return " ".join(step.name.replace("_{k}", "") for step in self.steps)


def exercise_topics() -> tuple[str, ...]:
    """The topics that exercises can have."""
    return tuple(topic.name for topic in TOPICS)


def make_exercises(
    count: int,
    *,
    seed: int = 0,
    topics: Sequence[str] = (),
    words: Sequence[str] = (),
    difficulty: Sequence[int] = (),
) -> list[Exercise]:
    """Draw exercises, none twice.

    Args:
        count: how many.
        seed: equal seeds give equal exercises; more of them leave the first ones as they are.
        topics: those that are allowed; all where none is named.
        words: words that the name of every function must hold, of the names of steps: ``sum``, ``even``.
        difficulty: numbers of steps that are allowed, from 1 to `MAX_DIFFICULTY`; all where none is named.

    Raises:
        UsageError: the count or a difficulty is out of range, or there are not so many exercises under these
            constraints.
        UnknownNameError: a topic or a word is not known.
    """
    if count < 1:
        raise UsageError(f"the count is {count}; give at least 1")
    allowed = tuple(difficulty) or tuple(range(1, MAX_DIFFICULTY + 1))
    _check_constraints(topics, words, allowed)
    generator = random.Random(f"exercises {seed}")
    made: dict[str, Exercise] = {}
    while len(made) < count:
        new = next(_new_exercises(generator, topics, words, allowed, made), None)
        if new is None:
            raise UsageError(
                f"under these constraints there are only about {len(made)} different exercises, and count is {count}; "
                "give fewer, or allow more topics, words or difficulties"
            )
        made[new.prompt] = new
    return list(made.values())


def _check_constraints(topics: Sequence[str], words: Sequence[str], difficulty: Sequence[int]) -> None:
    for topic in topics:
        if topic not in exercise_topics():
            raise UnknownNameError("topic of exercises", topic, exercise_topics())
    known = {part for step in (*FILTERS, *MAPPINGS, *REDUCTIONS) for part in _parts(step.name)}
    for word in words:
        if word not in known:
            raise UnknownNameError("word of a function's name", word, known)
    for steps in difficulty:
        if not 1 <= steps <= MAX_DIFFICULTY:
            raise UsageError(f"the difficulty is {steps}; give whole numbers from 1 to {MAX_DIFFICULTY}")


def _new_exercises(
    generator: random.Random, topics: Sequence[str], words: Sequence[str], difficulty: Sequence[int], made: Any
) -> Iterator[Exercise]:
    """Exercises that fit and are not among those made, of a bounded number of draws."""
    for _ in range(_TRIES):
        plan = _draw_plan(generator, topics, generator.choice(difficulty))
        if words and not set(words) <= set(_parts(" ".join(step.name for step in plan.steps).replace(" ", "_"))):
            continue
        exercise = _write(plan, generator)
        if exercise is not None and exercise.prompt not in made:
            yield exercise


def _draw_plan(generator: random.Random, topics: Sequence[str], difficulty: int) -> _Plan:
    topic = generator.choice([topic for topic in TOPICS if not topics or topic.name in topics])
    # Which of the four places are taken: two filters, the mapping, the reduction.
    places = generator.choice([
        (filters, mapping, reduction)
        for filters, mapping, reduction in itertools.product(range(3), range(2), range(2))
        if filters + mapping + reduction == difficulty
    ])  # fmt: skip
    filters = generator.sample([step for step in FILTERS if step.takes == topic.takes], places[0])
    mapping = generator.choice([step for step in MAPPINGS if step.takes == topic.takes]) if places[1] else None
    gives = mapping.gives if mapping else topic.takes
    reduction = generator.choice([step for step in REDUCTIONS if step.takes == gives]) if places[2] else LISTING
    constants = tuple(generator.choice(_CONSTANTS) for _ in range(sum(places[:2]) + 1))
    return _Plan(topic, tuple(filters), mapping, reduction, constants, generator.random() < 0.5)


def _write(plan: _Plan, generator: random.Random) -> Exercise | None:
    """The exercise of a plan; None where no test tells one of its steps."""
    name = "_".join(step.name.format(k=k) for step, k in _backwards(plan)) + f"_of_{plan.topic.argument}"
    prompt = f'def {name}({plan.topic.argument}: {plan.topic.annotation}):\n    """{_docstring(plan)}"""\n'
    tests = _tests(plan, generator)
    if tests is None:
        return None
    return Exercise(
        name=name,
        prompt=prompt,
        solution=_body(plan),
        tests=tests,
        topic=plan.topic.name,
        difficulty=len(plan.filters) + (plan.mapping is not None) + (plan.reduction is not LISTING),
        group=plan.group,
    )


def _backwards(plan: _Plan) -> list[tuple[Step, int]]:
    """The steps with their constants from the last to the first, as English says them."""
    pairs = list(zip(plan.steps, plan.constants, strict=True))
    return [*reversed(pairs[len(plan.filters) :]), *pairs[: len(plan.filters)]]


def _docstring(plan: _Plan) -> str:
    items = f"the {plan.topic.items} in `{plan.topic.argument}`"
    number = len(plan.filters)
    clauses = [step.phrase.format(k=k) for step, k in zip(plan.filters, plan.constants[:number], strict=True)]
    if clauses:
        items += f" that {' and '.join(clauses)}"
    rest = zip(plan.steps[number:], plan.constants[number:], strict=True)
    for step, k in rest:
        items = step.phrase.format(items=items, k=k)
    return f"Return {items}."


def _body(plan: _Plan) -> str:
    """The body of the reference solution."""
    item, number = plan.topic.item, len(plan.filters)
    source = plan.topic.expression.format(argument=plan.topic.argument)
    conditions = [step.code.format(x=item, k=k) for step, k in zip(plan.filters, plan.constants[:number], strict=True)]
    value = plan.mapping.code.format(x=item, k=plan.constants[number]) if plan.mapping else item
    condition = " and ".join(conditions)
    if plan.loop:
        indent = "        " + ("    " if condition else "")
        test = f"        if {condition}:\n" if condition else ""
        found = plan.reduction.code.format(items="found")
        return (
            f"    found = []\n    for {item} in {source}:\n{test}{indent}found.append({value})\n    return "
            f"{'found' if plan.reduction is LISTING else found}\n"
        )
    items = f"[{value} for {item} in {source}{f' if {condition}' if condition else ''}]"
    return f"    return {items if plan.reduction is LISTING else plan.reduction.code.format(items=items)}\n"


def _tests(plan: _Plan, generator: random.Random) -> tuple[FunctionTest, ...] | None:
    """Tests that the solution passes, and every program with a step left out or with one answer to all fails.

    None where there are none, as for filters that exclude each other.
    """
    right = _function(plan)
    others = [_function(shorter) for shorter in _ablated(plan)]
    # The empty input is always the first: programs most often fail there.
    inputs = [draw_input(plan.topic, generator, empty=number == 0) for number in range(_TESTS)]
    for _ in range(_TRIES):
        alike = [other for other in others if all(right(one) == other(one) for one in inputs)]
        if not alike:
            break
        one = draw_input(plan.topic, generator)
        if any(right(one) != other(one) for other in alike):
            inputs.append(one)
    alike = [other for other in others if all(right(one) == other(one) for one in inputs)]
    if alike or len(inputs) > _MAX_TESTS or len({repr(right(one)) for one in inputs}) < _MIN_ANSWERS:
        return None
    return tuple(FunctionTest(arguments=(one,), expected=right(one)) for one in inputs)


def _ablated(plan: _Plan) -> Iterator[_Plan]:
    """The plan with one of its steps left out, for each of them where what is left is still a function."""
    for place in range(len(plan.filters)):
        yield replace(
            plan,
            filters=plan.filters[:place] + plan.filters[place + 1 :],
            constants=plan.constants[:place] + plan.constants[place + 1 :],
        )
    # A reduction of texts cannot be made of numbers.
    if plan.mapping is not None and plan.mapping.takes == plan.mapping.gives:
        number = len(plan.filters)
        yield replace(plan, mapping=None, constants=plan.constants[:number] + plan.constants[number + 1 :])
    if plan.reduction is not LISTING:
        yield replace(plan, reduction=LISTING)


def _function(plan: _Plan) -> Callable[[Any], Any]:
    """The solution as a function: our own source, from the table of steps alone."""
    space: dict[str, Any] = {}
    # Not in the sandbox: the source is made of this table of steps, and nothing of it is anybody's input.
    exec(f"def solution({plan.topic.argument}):\n{_body(plan)}", space)
    found: Callable[[Any], Any] = space["solution"]
    return found


def _parts(name: str) -> list[str]:
    return [part for part in name.split("_") if part.isalpha()]
