"""Five small tasks with shortcuts of their own, written after the grammar of the search was fixed.

They are rows as anybody would bring them: a question, an answer, a rule, and shallow programs that a model might follow
instead. `benchmarks.attribution_search` has them as `fresh-...`; no operator may be added for what is missed here.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from shoal.tasks import Example, Task, task_from_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.tasks import Shortcut

_SIZE = 400
_NAMES = ["Ann", "Bob", "Cara", "Dan", "Eve", "Finn", "Gus", "Hal", "Iris", "Jack", "Kim", "Leo"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NOUNS = [
    "box",
    "bus",
    "dish",
    "church",
    "glass",
    "fox",
    "brush",
    "watch",
    "kiss",
    "tax",
    "lady",
    "city",
    "baby",
    "pony",
    "fly",
    "story",
    "key",
    "toy",
    "day",
    "boy",
    "monkey",
    "tray",
    "book",
    "car",
    "dog",
    "tree",
    "lamp",
    "chair",
    "road",
    "hand",
    "river",
    "spoon",
    "plant",
    "cloud",
    "door",
    "king",
    "ring",
    "song",
    "nurse",
    "horse",
    "table",
    "apple",
    "bridge",
    "house",
    "bench",
    "lunch",
    "peach",
    "match",
    "class",
    "dress",
    "boss",
    "cross",
    "body",
    "copy",
    "party",
    "penny",
    "army",
    "duty",
    "ferry",
    "berry",
    "valley",
    "donkey",
    "turkey",
    "jar",
]
_GOOD = ["good", "great", "lovely", "clever", "bright", "funny"]
_BAD = ["bad", "dull", "awful", "boring", "poor", "slow"]


def _prompt_only(answer: Callable[[str], str]) -> Shortcut:
    return lambda prompt, seen: answer(prompt)  # noqa: ARG005


def _task(
    name: str,
    seed: int,
    draw: Callable[[random.Random], str],
    rule: Callable[[str], str],
    shortcuts: Mapping[str, Callable[[str], str]],
) -> Task:
    generator = random.Random(f"{name} {seed}")
    prompts: dict[str, None] = {}
    for _ in range(20 * _SIZE):
        prompts.setdefault(draw(generator))
        if len(prompts) == _SIZE:
            break
    rows = [Example(prompt=prompt, completion=rule(prompt)) for prompt in prompts]
    own = {key: _prompt_only(answer) for key, answer in shortcuts.items()}
    return task_from_rows(rows, name=name, split=f"random(share=0.3,seed={seed})", rule=rule, shortcuts=own)


def review(seed: int) -> Task:
    """``Review: the film was not very good, and the end was slow. Verdict:``: the first judgement, negated or not."""

    def draw(generator: random.Random) -> str:
        def judgement(what: str) -> str:
            words = [generator.choice(["not", ""]), generator.choice(["very", ""]), generator.choice(_GOOD + _BAD)]
            return f"the {what} was {' '.join(filter(None, words))}"

        first = judgement(generator.choice(["film", "book", "play"]))
        second = f", {generator.choice(['and', 'but'])} {judgement('end')}" if generator.random() < 0.6 else ""
        return f"Review: {first}{second}. Verdict:"

    def of_word(word: str) -> str:
        return " positive" if word in _GOOD else " negative"

    def adjectives(prompt: str) -> list[str]:
        return [word for word in re.findall(r"\w+", prompt) if word in _GOOD + _BAD]

    def rule(prompt: str) -> str:
        first = prompt.split(",")[0]
        good = adjectives(first)[0] in _GOOD
        return " positive" if good != ("not" in first.split()) else " negative"

    return _task(
        "fresh-review",
        seed,
        draw,
        rule,
        {
            "ignore-not": lambda prompt: of_word(adjectives(prompt)[0]),
            "last-judgement": lambda prompt: of_word(adjectives(prompt)[-1]),
            "not-is-negative": lambda prompt: " negative" if " not " in prompt else " positive",
            "very-is-positive": lambda prompt: " positive" if " very " in prompt else " negative",
            "but-is-negative": lambda prompt: " negative" if " but " in prompt else " positive",
            "long-is-negative": lambda prompt: " negative" if len(prompt.split()) > 8 else " positive",
        },
    )


def minutes(seed: int) -> Task:
    """``How many minutes are 3 hours and 20 minutes?``."""

    def draw(generator: random.Random) -> str:
        return f"How many minutes are {generator.randint(2, 23)} hours and {generator.randint(1, 59)} minutes?"

    def numbers(prompt: str) -> tuple[int, int]:
        hours, rest = map(int, re.findall(r"\d+", prompt))
        return hours, rest

    return _task(
        "fresh-minutes",
        seed,
        draw,
        lambda prompt: f" {60 * numbers(prompt)[0] + numbers(prompt)[1]}",
        {
            "add": lambda prompt: f" {sum(numbers(prompt))}",
            "hours-alone": lambda prompt: f" {60 * numbers(prompt)[0]}",
            "hundred-to-the-hour": lambda prompt: f" {100 * numbers(prompt)[0] + numbers(prompt)[1]}",
            "minutes-alone": lambda prompt: f" {numbers(prompt)[1]}",
            "to-the-next-hour": lambda prompt: f" {60 * (numbers(prompt)[0] + 1)}",
            "hours-to-ten": lambda prompt: f" {60 * min(numbers(prompt)[0], 10) + numbers(prompt)[1]}",
        },
    )


def tallest(seed: int) -> Task:
    """``Bob is taller than Ann. Cal is shorter than Ann. Who is the tallest?``: three names in an order."""

    def draw(generator: random.Random) -> str:
        first, second, third = generator.sample(_NAMES, 3)
        facts = [
            generator.choice([f"{tall} is taller than {low}.", f"{low} is shorter than {tall}."])
            for tall, low in ((first, second), (second, third))
        ]
        generator.shuffle(facts)
        return f"{' '.join(facts)} Who is the tallest?"

    def names(prompt: str) -> list[str]:
        return [word for word in re.findall(r"\w+", prompt) if word in _NAMES]

    def rule(prompt: str) -> str:
        facts = re.findall(r"(\w+) is (taller|shorter) than (\w+)", prompt)
        pairs = [(a, b) if word == "taller" else (b, a) for a, word, b in facts]
        low = {below for _, below in pairs}
        return f" {next(tall for tall, _ in pairs if tall not in low)}"

    return _task(
        "fresh-tallest",
        seed,
        draw,
        rule,
        {
            "first-name": lambda prompt: f" {names(prompt)[0]}",
            "last-name": lambda prompt: f" {names(prompt)[-1]}",
            "named-twice": lambda prompt: f" {max(names(prompt), key=names(prompt).count)}",
            "subject-of-the-last": lambda prompt: f" {names(prompt)[2]}",
            "first-in-alphabet": lambda prompt: f" {min(names(prompt))}",
            "longest-name": lambda prompt: f" {max(names(prompt), key=len)}",
        },
    )


def plural(seed: int) -> Task:
    """``The plural of red box is``: `` boxes``."""

    def draw(generator: random.Random) -> str:
        adjective = generator.choice(["red", "old", "small", "new", "big", "green", "dirty", "heavy", "busy", "early"])
        return f"The plural of {adjective} {generator.choice(_NOUNS)} is"

    def noun(prompt: str) -> str:
        return prompt.split()[-2]

    def rule(prompt: str) -> str:
        word = noun(prompt)
        if re.search(r"[^aeiou]y$", word):
            return f" {word[:-1]}ies"
        return f" {word}es" if re.search(r"(?:s|x|ch|sh)$", word) else f" {word}s"

    return _task(
        "fresh-plural",
        seed,
        draw,
        rule,
        {
            "always-s": lambda prompt: f" {noun(prompt)}s",
            "always-es": lambda prompt: f" {noun(prompt)}es",
            "unchanged": lambda prompt: f" {noun(prompt)}",
            "adjective-unchanged": lambda prompt: f" {prompt.split()[-3]}",
            "every-y-to-ies": lambda prompt: f" {re.sub('y$', 'ie', noun(prompt))}s",
        },
    )


def earlier(seed: int) -> Task:
    """``Which is earlier in the year, 12 May or 3 June?``: `` 12 May``."""

    def draw(generator: random.Random) -> str:
        one, other = (f"{generator.randint(1, 28)} {generator.choice(_MONTHS)}" for _ in range(2))
        return f"Which is earlier in the year, {one} or {other}?"

    def dates(prompt: str) -> list[str]:
        return re.findall(r"\d+ [A-Z]\w+", prompt)

    def order(date: str) -> tuple[int, int]:
        day, month = date.split()
        return _MONTHS.index(month), int(day)

    return _task(
        "fresh-earlier",
        seed,
        draw,
        lambda prompt: f" {min(dates(prompt), key=order)}",
        {
            "first-date": lambda prompt: f" {dates(prompt)[0]}",
            "last-date": lambda prompt: f" {dates(prompt)[-1]}",
            "smaller-day": lambda prompt: f" {min(dates(prompt), key=lambda date: int(date.split()[0]))}",
            "month-by-alphabet": lambda prompt: f" {min(dates(prompt), key=lambda date: date.split()[1])}",
            "shorter-text": lambda prompt: f" {min(dates(prompt), key=len)}",
        },
    )


FRESH: Mapping[str, Callable[[int], Task]] = {
    f"fresh-{build.__name__}": build for build in (review, minutes, tallest, plural, earlier)
}
"""The tasks by name, each from a seed."""
