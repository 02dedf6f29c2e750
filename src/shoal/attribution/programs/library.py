"""The programs that are tried on some prompts, with their answers: built once, compared with any number of models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.computing import RuleOfEdited, Write
from shoal.attribution.programs.context import Context, PromptBatch
from shoal.attribution.programs.copying import CHOICES, ConstantAnswer, CopyMatching, CopyNearest
from shoal.attribution.programs.distances import DISTANCES
from shoal.attribution.programs.enumeration import LEVELS, Expressions, Limits
from shoal.attribution.programs.expressions import Expression
from shoal.attribution.programs.tables import TableKeys, table_keys
from shoal.attribution.programs.voting import VOTES, Vote
from shoal.progress import Progress, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.attribution.programs.program import Program
    from shoal.tasks import Example, Rule

_EDITS = 300
_KEYS = 1200
_NEAREST = 150
_LOOK_UPS = 60
_VOTES = 100


class TextNumbers(dict[str | None, int]):
    """A number for each text, given when it is first looked up; None has -1."""

    def __init__(self) -> None:
        super().__init__({None: -1})

    def __missing__(self, text: str | None) -> int:
        self[text] = len(self)
        return self[text]

    def row(self, texts: Sequence[str | None]) -> NDArray[np.int32]:
        """The numbers of texts.

        Args:
            texts: answers, one per prompt.
        """
        return np.array(list(map(self.__getitem__, texts)), np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramLibrary:
    """Programs with their answers on some prompts, as numbers of texts."""

    context: Context
    batch: PromptBatch
    programs: list[Program]
    """One per behaviour on these prompts: the one with the shortest code."""

    bits: NDArray[np.float64]
    """Of each behaviour minus log2 of the prior of all programs that have it, the longer ones too."""

    outputs: NDArray[np.int32]
    """Programs by prompts: the number of the answer's text, -1 where a program does not apply."""

    equal: list[int]
    """How many longer programs give the same answers."""

    keys: TableKeys
    """Features with few values, of which tables can be made."""

    texts: TextNumbers


def build_library(
    seen: Sequence[Example],
    rule: Rule,
    prompts: Sequence[str],
    expected: Sequence[str],
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> ProgramLibrary:
    """Enumerate programs and compute their answers; a few seconds for 300 prompts and 1,000 seen examples.

    Args:
        seen: the examples that the model was trained on.
        rule: the rule of the task.
        prompts: the prompts that the model answered.
        expected: the right answer to each.
        limits: how many expressions of each level are tried.
        progress: called after each step.
    """
    report = progress or no_progress
    context = Context(seen, rule)
    batch = PromptBatch(context, prompts, expected)
    mean = sum(len(row or ()) for row in [*batch.words, *context.seen.words]) / (len(batch) + len(context.seen))
    expressions = Expressions(batch, (limits or Limits()).for_length(mean))
    for step, level in enumerate(expressions.enumerate()):
        report(level, step, LEVELS + 1)
    report("programs", LEVELS, LEVELS + 1)
    texts = TextNumbers()
    behaviours: dict[bytes, tuple[float, int, Program]] = {}
    counts: dict[bytes, int] = {}
    priors: dict[bytes, float] = {}
    for place, program in enumerate(chain(*(make(expressions) for make in _FAMILIES))):
        row = texts.row(program.answers(batch))
        if (row < 0).all():
            continue
        row_bytes, found = row.tobytes(), (program.bits(context), place, program)
        counts[row_bytes] = counts.get(row_bytes, -1) + 1
        priors[row_bytes] = priors.get(row_bytes, 0.0) + 2.0 ** -found[0]
        behaviours[row_bytes] = min(behaviours.get(row_bytes, found), found)
    ranked = sorted(behaviours.items(), key=lambda item: item[1][:2])
    library = ProgramLibrary(
        context=context,
        batch=batch,
        programs=[program for _, (_, _, program) in ranked],
        bits=np.array([-math.log2(priors[row]) for row, _ in ranked]),
        outputs=np.array([np.frombuffer(row, np.int32) for row, _ in ranked]).reshape(-1, len(prompts)),
        equal=[counts[row] for row, _ in ranked],
        keys=table_keys(batch, sorted([*expressions.numbers, *expressions.words], key=context.bits)),
        texts=texts,
    )
    report("programs", LEVELS + 1, LEVELS + 1)
    return library


def _constants(expressions: Expressions) -> Iterator[Program]:
    """The commonest seen completions."""
    completions = expressions.batch.context.completions
    distinct, counts = np.unique(np.array(completions, dtype=object), return_counts=True)
    yield from (ConstantAnswer(str(distinct[place])) for place in np.argsort(-counts, kind="stable")[:50])


def _written(expressions: Expressions) -> Iterator[Program]:
    """Values of expressions over the prompt."""
    if expressions.batch.context.format.numeric:
        yield from map(Write, expressions.numbers)
    yield from map(Write, expressions.words)


def _matching(expressions: Expressions) -> Iterator[Program]:
    """Copies from prompts with the same key."""
    numbers, words = _prompt_only(expressions.numbers)[:_KEYS], _prompt_only(expressions.words)[:_KEYS]
    yield from (CopyMatching(choice) for choice in CHOICES)
    look_ups = [*numbers[:_LOOK_UPS], *words[:_LOOK_UPS]]
    yield from (CopyMatching("commonest", key, otherwise=False) for key in look_ups)
    yield from (CopyMatching("commonest", key) for key in chain(numbers, words))
    bits = expressions.batch.context.bits
    yield from (
        CopyMatching(choice, key) for choice in list(CHOICES)[1:] for key in sorted([*numbers, *words], key=bits)[:150]
    )


def _nearest(expressions: Expressions) -> Iterator[Program]:
    """Copies from the nearest prompt."""
    numbers = expressions.numbers[:_NEAREST]
    yield from (CopyNearest(value, ties=ties) for value in numbers for ties in ("lower", "higher"))
    # The text as it stands is compared, but nothing is computed from its blanks.
    texts = [Expression("text"), *expressions.words[:15]]
    yield from (CopyNearest(value, distance) for value in texts for distance in DISTANCES)
    bits = expressions.batch.context.bits
    keys = sorted(_prompt_only([*expressions.numbers[:60], *expressions.words[:60]]), key=bits)[:40]
    sources = [each for each in expressions.sources if each.gives == "number"][:4]
    yield from (CopyNearest(value, ties="lower", key=key) for value, key in product(sources, keys) if value != key)


def _right_elsewhere(expressions: Expressions) -> Iterator[Program]:
    """The rule of edited prompts."""
    numbers = [each for each in expressions.numbers if leaves(each) <= {"number", "constant"}]
    places = [each.parameter for each in expressions.sources if each.operator == "number"]
    for place, value in product(places, numbers[:_EDITS]):
        assert isinstance(place, int)  # the parameter of the operator `number`
        yield RuleOfEdited("number", value, place)
    if len(places) > 1:
        chains = [each for each in numbers if _only_first(each)]
        yield from (RuleOfEdited("numbers", value) for value in chains[:_EDITS])
    words = [each for each in expressions.words if leaves(each) <= {"words", "letters"}]
    for letters in (False, True):
        own = [each for each in words if letters == ("letters" in leaves(each))]
        yield from (RuleOfEdited("argument", value) for value in own[: 3 * _EDITS])


def _votes(expressions: Expressions) -> Iterator[Program]:
    """What features went with in training."""
    if expressions.batch.context.labels:
        features = _prompt_only(expressions.words)[:_VOTES]
        yield from (Vote(voters, each) for voters, each in product(VOTES, features))


_FAMILIES = (_constants, _written, _matching, _nearest, _right_elsewhere, _votes)


@cache
def leaves(expression: Expression) -> frozenset[str]:
    """The names of the sources of an expression.

    Args:
        expression: a tree.
    """
    if not expression.arguments:
        return frozenset([expression.operator])
    return frozenset().union(*map(leaves, expression.arguments))


def _prompt_only(expressions: Sequence[Expression]) -> list[Expression]:
    """Those that do not look at the right answer: the right answer as a key would be a copy of the rule."""
    return [each for each in expressions if not leaves(each) & {"right", "right-words"}]


def _only_first(expression: Expression) -> bool:
    """Whether all its sources are the first number."""
    if not expression.arguments:
        return expression == Expression("number", 0)
    return all(map(_only_first, expression.arguments))
