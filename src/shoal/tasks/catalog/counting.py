"""The counting task: its prompts, with typos, the rule that reads them, its options, examples and shortcuts.

Its shortcuts count well, and to the wrong number: each leaves the near end of the count (the ``start`` of the task) and
the base that the prompt names, and puts another number in the place of the far end: where counting up stops, where
counting down begins.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, UsageError
from shoal.tasks import checks
from shoal.tasks.registry import register_task
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Example, Tag, Task, TaskMeasure, Variant
from shoal.text import misspell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.tasks.task import Shortcut


Base = Literal["unary", "decimal"]
BASES: tuple[Base, ...] = ("unary", "decimal")


@dataclass(frozen=True, slots=True)
class Count:
    """The count that a prompt requests."""

    first: int
    last: int
    base: str


def numeral(number: int, base: str) -> str:
    """The number in unary (``111``) or decimal (``3``).

    Args:
        number: at least 1 in unary.
        base: ``unary`` or ``decimal``.
    """
    return "1" * number if base == "unary" else str(number)


def count_text(first: int, last: int, base: str) -> str:
    """The completion of a prompt: each number after a space.

    Args:
        first: where the count begins.
        last: where it stops, up or down from there; both are included.
        base: ``unary`` or ``decimal``.
    """
    step = 1 if first <= last else -1
    return "".join(f" {numeral(number, base)}" for number in range(first, last + step, step))


def counting_rule(prompt: str) -> str:
    """The count that the prompt requests, each number after a space.

    The prompt is parsed as a reader would: the first numeral is where to begin and the second is where to stop, and
    the base is the word nearest to ``unary`` or ``decimal``, so that typos do no harm.

    Raises:
        DataError: the prompt does not hold two numerals and a base.
    """
    count = parse_count(prompt)
    return count_text(count.first, count.last, count.base)


# A shortcut parses the prompts of all seen examples again for each held-out one.
@functools.lru_cache(maxsize=65536)
def parse_count(prompt: str) -> Count:
    """Read the request of a prompt.

    Raises:
        DataError: the prompt does not hold two numerals and a base.
    """
    numerals = re.findall(r"[0-9]+", prompt)
    base = _nearest_base(prompt)
    if len(numerals) != 2 or base is None:
        raise DataError(
            f"the prompt {prompt[:60]!r} is no instruction to count: it needs two numbers and the word 'unary' or "
            "'decimal'"
        )
    first, last = (len(text) if base == "unary" else int(text) for text in numerals)
    return Count(first, last, base)


WORDINGS: Mapping[str, str] = {
    "exact": "Please count {direction} in {base}, starting at {first} and stopping at {last}:",
    "from-to": "Count {direction} in {base} from {first} to {last}:",
    "begin-end": "In {base}, begin at {first}, count {direction} and end at {last}:",
    "write-out": "Write out the {base} numbers from {first} {direction} to {last}:",
    "list": "Here is a list of {base} numbers that starts at {first}, goes {direction} and stops at {last}:",
    "until": "Keep counting {direction} in {base}, beginning with {first}, until you reach {last}:",
    "question": "What do you say if you count {direction} in {base} from {first} to {last}?",
    "request": "Could you count {direction} for me in {base}? First say {first}, last say {last}:",
}
"""The paraphrases by name. The number counted from always comes before the number counted to."""

VARIED = "varied"


def parse_wordings(value: Any) -> tuple[str, ...]:
    """The names of wordings that a value of the option ``wording`` selects.

    Raises:
        UnknownNameError: a name is not known.
    """
    if value == VARIED:
        return tuple(WORDINGS)
    if isinstance(value, (list, tuple)) and value:
        return tuple(checks.one_of("wording", name, tuple(WORDINGS)) for name in value)
    return (checks.one_of("wording", value, (*WORDINGS, VARIED)),)


def instruction(wording: str, *, first: int, last: int, base: str, noise: float, draw: random.Random) -> str:
    """The prompt, with typos in its words and never in its numbers.

    Args:
        wording: a name in `WORDINGS`.
        first: where the count begins.
        last: where it stops.
        base: ``unary`` or ``decimal``.
        noise: the probability of a typo in a word, 0 to 1.
        draw: draws the typos.
    """
    text = WORDINGS[wording].replace("{base}", base).replace("{direction}", "up" if first <= last else "down")
    if noise:
        # While the numbers are placeholders still, so that they cannot be hit.
        def typed(match: re.Match[str]) -> str:
            word = match[0]
            return word if word.startswith("{") or draw.random() >= noise else misspell(word, draw)

        text = re.sub(r"\{\w+\}|[A-Za-z]{2,}", typed, text)
    return text.replace("{first}", numeral(first, base)).replace("{last}", numeral(last, base))


def _nearest_base(prompt: str) -> str | None:
    """The base whose name is at most one typo away from a word of the prompt."""
    words = re.findall(r"[a-z]+", prompt.lower())
    near = [base for base in BASES if any(_is_typo_of(word, base) for word in words)]
    return near[0] if len(near) == 1 else None


def _is_typo_of(word: str, target: str) -> bool:
    """Whether one letter dropped, doubled or replaced, or two neighbours swapped, separate the two."""
    # Whatever the typo is, it lies at the first letter that differs; behind it the rest must agree.
    start = next((k for k, (a, b) in enumerate(zip(word, target, strict=False)) if a != b), min(len(word), len(target)))
    rest, goal = word[start:], target[start:]
    return (
        rest == goal
        or rest[1:] == goal[1:]
        or rest[1:] == goal
        or rest == goal[1:]
        or (len(rest) > 1 and len(goal) > 1 and rest[:2] == goal[1::-1] and rest[2:] == goal[2:])
    )


FarEnd = Callable[[int, Sequence[int]], int]
"""From the number requested and the numbers seen to the number that is counted to."""


def next_ten(requested: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or above the number requested.

    Args:
        requested: the number that the prompt counts to.
        seen: not used.
    """
    return -(-requested // 10) * 10


def previous_ten(requested: int, seen: Sequence[int]) -> int:  # noqa: ARG001
    """The multiple of ten at or below the number requested.

    Args:
        requested: the number that the prompt counts to.
        seen: not used.
    """
    return requested // 10 * 10


def nearest_seen(requested: int, seen: Sequence[int]) -> int:
    """The seen number that is nearest; of equals, the lower.

    Args:
        requested: the number that the prompt counts to.
        seen: the numbers that the seen prompts count to; without any, the one requested.
    """
    return min(seen, key=lambda number: (abs(number - requested), number), default=requested)


def never(requested: int, seen: Sequence[int]) -> int:
    """Counts on and on: to twice the greatest number seen or requested, as a text must end somewhere.

    Args:
        requested: the number that the prompt counts to.
        seen: the numbers that the seen prompts count to.
    """
    return 2 * max(requested, *seen, 1)


def whole_token(period: int) -> FarEnd:
    """The end of the token that holds the number requested: the next multiple of the token period."""
    return lambda requested, seen: -(-requested // period) * period  # noqa: ARG005


def same_phase(period: int) -> FarEnd:
    """The nearest seen number with the same remainder by the token period: the right token, a cycle off or right."""

    def far_end(requested: int, seen: Sequence[int]) -> int:
        # Where no seen number has the same remainder, the nearest of all.
        return nearest_seen(requested, [number for number in seen if number % period == requested % period] or seen)

    return far_end


def counting_shortcuts(direction: str, token_period: int) -> Mapping[str, Shortcut]:
    """The shortcuts of the task by name; counting down has no ``never-stop``, as it runs out of numbers.

    Args:
        direction: ``up`` or ``down``.
        token_period: how many ones a token holds at most.
    """
    far_ends: dict[str, FarEnd] = {
        "stop-at-next-ten": next_ten,
        "stop-at-previous-ten": previous_ten,
        "stop-at-nearest-seen": nearest_seen,
        "stop-at-token-phase": same_phase(token_period),
        "stop-at-whole-token": whole_token(token_period),
    }
    if direction == "up":
        far_ends["never-stop"] = never
    return {**COPYING, **{name: _counting_to(far_end) for name, far_end in far_ends.items()}}


def _counting_to(far_end: FarEnd) -> Shortcut:
    """The shortcut that counts as the prompt requests, but to another far end."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        count = parse_count(prompt)
        near = min(count.first, count.last)
        numbers = [max(known.first, known.last) for known in (parse_count(example.prompt) for example in seen)]
        # The ten before 7 is 0: a far end below the near one would turn the count around.
        far = max(near, far_end(max(count.first, count.last), numbers))
        return count_text(near, far, count.base) if count.first <= count.last else count_text(far, near, count.base)

    return shortcut


_MAX_CHARACTERS = 200_000_000
"""Of all completions: some 200 MB as text, and several times that once they are encoded."""

MEASURES = {
    "counting": TaskMeasure(
        label="counting",
        meaning="share of items whose first divergence, if any, is about where to stop and not about what comes next",
        axis="share without a counting error",
        binary=True,
        of_divergence=lambda divergence: float(divergence != "other"),
    ),
    "stopping": TaskMeasure(
        label="stopping",
        meaning="share that ends where it should, of the items without a counting error",
        axis="share of those that stop where due",
        of_divergence=lambda divergence: None if divergence == "other" else float(divergence is None),
    ),
}
"""*Counting* and *stopping* are separate, since a model may know one and not the other. An item goes wrong at its first
divergence only once: by the end coming early or not coming when due (a stopping error), or otherwise (a counting
error). Then exact match = counting x stopping, both being shares."""


@register_task("counting", structural_split="length(share=0.3)", measures=MEASURES)
def counting(
    *,
    smallest: int = 1,
    largest: int = 100,
    start: int | Sequence[int] = 1,
    direction: str = "up",
    wording: str | Sequence[str] = "exact",
    spelling_noise: float = 0.0,
    base: str = "unary",
    token_period: int = 4,
    split: SplitSpec = "last-digit",
    seed: int = 0,
) -> Task:
    """Count to i, for every i of a range: prompt ``... stopping at 111:``, completion `` 1 11 111``, which ends.

    Each example has the tags ``index`` (i) and ``group`` (i again, as text: all prompts of one i are one cluster of
    the statistics), and ``start`` or ``wording`` where there are several.

    Args:
        smallest: the least i.
        largest: the greatest i.
        start: the other end of the count, where counting up starts and counting down stops; of several, each is
            used with every i that is not less.
        direction: ``up`` from start to i, or ``down`` from i to start.
        wording: the name of an instruction in ``WORDINGS``, several, or ``varied`` for all; of several, one is
            drawn for each example.
        spelling_noise: the probability of a typo in a word of the instruction, never in the numbers.
        base: ``unary`` or ``decimal``.
        token_period: how many ones a token holds at most, for the shortcuts that follow the token cycle; 4 with
            GPT-2's tokens.
        split: the split by name, table or object.
        seed: random seed of the wording and the typos.

    Raises:
        UnknownNameError: a name given is not known.
        UsageError: a value given cannot be used.
    """
    checks.whole_number("smallest", smallest, minimum=1)
    checks.whole_number("largest", largest, minimum=smallest)
    starts = checks.whole_numbers("start", start, minimum=1, maximum=largest)
    checks.one_of("direction", direction, ("up", "down"))
    names = parse_wordings(wording)
    noise = checks.share("spelling_noise", spelling_noise, open_ends=False)
    checks.one_of("base", base, BASES)
    checks.whole_number("token_period", token_period, minimum=2)
    checks.whole_number("seed", seed, minimum=0)
    _check_size(largest, len(starts), base)
    form = _Form(direction=direction, base=base, wordings=names, noise=noise, starts=starts)
    examples = [
        # A generator per example, so that a wider range leaves the prompts of a narrower one as they are.
        form.example(number, other, random.Random(f"{seed} {number} {other}"))
        for number, other in _pairs(smallest, largest, starts)
    ]
    return Task(
        name="counting",
        examples=tuple(examples),
        split=bind_split(split, examples),
        rule=counting_rule,
        shortcuts=counting_shortcuts(direction, token_period),
        draw=lambda generator: form.draw(generator, smallest, largest),
        variants=form.variants,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How the prompts of one counting task are written."""

    direction: str
    base: str
    wordings: tuple[str, ...]
    noise: float
    starts: tuple[int, ...]

    def example(self, number: int, other: int, generator: random.Random) -> Example:
        """The example that counts between the two; the generator draws its wording and typos."""
        first, last = (other, number) if self.direction == "up" else (number, other)
        chosen = generator.choice(self.wordings)
        prompt = instruction(chosen, first=first, last=last, base=self.base, noise=self.noise, draw=generator)
        tags: dict[str, Tag] = {"index": number, "group": str(number)}
        if len(self.starts) > 1:
            tags["start"] = other
        if len(self.wordings) > 1:
            tags["wording"] = chosen
        return Example(prompt=prompt, completion=count_text(first, last, self.base), tags=tags)

    def draw(self, generator: random.Random, smallest: int, largest: int) -> Example:
        """An example of the range, or of the half as large again beyond it."""
        other = generator.choice(self.starts)
        return self.example(generator.randint(max(smallest, other), largest + largest // 2 + 1), other, generator)

    def variants(self, example: Example, generator: random.Random) -> tuple[Variant, ...]:
        """The prompt with a near number in place of the one counted to, and the same count in other words."""
        count = parse_count(example.prompt)
        number, other = max(count.first, count.last), min(count.first, count.last)
        numbers = [near for near in (number - 1, number + 1) if near >= other]
        near = [self._counted_to(one, other, example) for one in numbers]
        reworded = instruction(
            generator.choice([name for name in WORDINGS if name != example.tags.get("wording", self.wordings[0])]),
            first=count.first,
            last=count.last,
            base=self.base,
            noise=0.0,
            draw=generator,
        )
        same = Example(prompt=reworded, completion=example.completion, tags=example.tags)
        return (
            *(Variant(example=one, kind="same-surface-other-answer") for one in near),
            Variant(example=same, kind="other-surface-same-answer"),
        )

    def _counted_to(self, number: int, other: int, example: Example) -> Example:
        """The example with another number in the place of the far end; its wording and typos stay."""
        upwards = self.direction == "up"
        far = list(re.finditer(r"[0-9]+", example.prompt))[1 if upwards else 0]
        prompt = example.prompt[: far.start()] + numeral(number, self.base) + example.prompt[far.end() :]
        first, last = (other, number) if upwards else (number, other)
        tags = {**example.tags, "index": number, "group": str(number)}
        return Example(prompt=prompt, completion=count_text(first, last, self.base), tags=tags)


def _pairs(smallest: int, largest: int, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each number with each start that is not beyond it."""
    return ((number, start) for number in range(smallest, largest + 1) for start in starts if start <= number)


def _check_size(largest: int, starts: int, base: str) -> None:
    """Refuse a range whose completions would fill the memory."""
    # Over all counts to i <= n, the mean of the numbers counted is n / 3.
    mean_numeral = largest / 3 if base == "unary" else len(str(largest))
    characters = starts * largest**2 / 2 * (mean_numeral + 1)
    if characters > _MAX_CHARACTERS:
        raise UsageError(
            f"largest is {largest}: the completions would hold {characters:.1e} characters; choose a smaller one"
        )
