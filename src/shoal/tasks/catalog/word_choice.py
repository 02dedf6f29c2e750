"""The task of choosing a word by its class: ``Which is a verb? king, think, red, three:`` gives `` think``.

The words are those of the task of word classes: the first four come from one set, so that they have the same number of
letters and neither the longest nor the shortest word is the answer more often than another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein

from shoal.errors import DataError
from shoal.tasks import checks
from shoal.tasks.answer_measures import TEXT_MEASURES
from shoal.tasks.catalog.article import article_of
from shoal.tasks.catalog.word_classes import class_by_ending, class_of, word_sets, words_of_class
from shoal.tasks.generated import MAX_EDITS, OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt, read_prompt
from shoal.tasks.registry import register_task
from shoal.tasks.taggers import WORD_CLASSES

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.taggers import WordClass
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

Choice = tuple["WordClass", list[str]]
"""The class that is looked for, and the words to choose from."""

_CHOICES = 3
"""How many words are tried for each kind of variant."""


@register_task("word-choice", structural_split="tag(tag='length',at_least=5)", measures=TEXT_MEASURES)
def word_choice(
    *,
    min_words: int = 3,
    max_words: int = 5,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Choose the one word of a class: prompt ``Which is a verb? king, think, red, three:``, completion `` think``.

    The tags are ``length`` (words), ``class`` (the one looked for), ``misleading`` (whether endings suggest another
    word) and ``group`` (the set that the answer is of, by its number).

    Args:
        min_words: the fewest words to choose from.
        max_words: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object; ``tag(tag='class',values='verb')`` holds out a class.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "word-choice",
        sizes=checks.size_range("words", min_words, max_words, maximum=30),
        draw=_draw,
        rule=choice_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def choice_rule(prompt: str) -> str:
    """The word of a prompt that is of the class looked for.

    Raises:
        DataError: the prompt is of another form, or not exactly one word is of that class.
    """
    name, words = _read(prompt)
    found = [word for word in words if class_of(word) == name]
    if len(found) != 1:
        raise DataError(f"{len(found)} of the words {', '.join(words)[:60]} are of the class {name}; give exactly one")
    return f" {found[0]}"


def _prompt_of(name: WordClass, words: Sequence[str]) -> str:
    return f"Which is {article_of(name)} {name}? {', '.join(words)}:"


def _read(prompt: str) -> Choice:
    classes = "|".join(WORD_CLASSES)
    form = "Which is a verb? king, think, red, three:"
    match = read_prompt(rf"Which is an? ({classes})\? ([a-z-]+(?:, [a-z-]+)*) *:", prompt, form)
    return next(name for name in WORD_CLASSES if name == match[1]), match[2].split(", ")


def _draw(generator: random.Random, size: int) -> str:
    words_by_class = generator.choice(word_sets())
    name = generator.choice(WORD_CLASSES)
    answer = words_by_class[name]
    others = [word for known, word in words_by_class.items() if known != name]
    words = [answer, *generator.sample(others, min(size - 1, len(others)))]
    while len(words) < size:
        word = generator.choice(words_of_class(generator.choice([known for known in WORD_CLASSES if known != name])))
        # Of about the same length, as those of the set.
        if word not in words and abs(len(word) - len(answer)) <= 1:
            words.append(word)
    return _prompt_of(name, generator.sample(words, size))


def _tags(prompt: str) -> Mapping[str, Tag]:
    name, words = _read(prompt)
    answer = choice_rule(prompt).strip()
    group = next((known["number"] for known in word_sets() if answer in known.values()), answer)
    misleading = _by_ending((name, words)) != answer
    return {"length": len(words), "class": name, "misleading": misleading, "group": group}


def _by_ending(choice: Choice) -> str:
    """The first word whose ending suggests the class; the first of all where none does."""
    name, words = choice
    return next((word for word in words if class_by_ending(word) == name), words[0])


def _answered_before(prompt: str, seen: Sequence[Example]) -> str:
    """The first word that was the answer to a seen prompt about the same class; nothing where none was."""
    name, words = _read(prompt)
    known = {example.completion.strip() for example in seen if _read(example.prompt)[0] == name}
    return next((f" {word}" for word in words if word in known), "")


SHORTCUTS: Mapping[str, Shortcut] = {
    "first-word": by_prompt(_read, lambda choice: choice[1][0]),
    "last-word": by_prompt(_read, lambda choice: choice[1][-1]),
    "longest-word": by_prompt(_read, lambda choice: max(choice[1], key=len)),
    "first-in-alphabet": by_prompt(_read, lambda choice: min(choice[1])),
    "ending": by_prompt(_read, _by_ending),
    "answered-before": _answered_before,
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    name, words = _read(prompt)
    answer = choice_rule(prompt).strip()
    place = words.index(answer)
    free = [word for word in words_of_class(name) if word not in words]
    for other in sorted(free, key=lambda word: Levenshtein.distance(word, answer))[:_CHOICES]:
        if Levenshtein.distance(other, answer) <= MAX_EDITS:
            yield SAME_SURFACE, _prompt_of(name, [*words[:place], other, *words[place + 1 :]])
    for known in WORD_CLASSES:
        if sum(class_of(word) == known for word in words) == 1 and Levenshtein.distance(known, name) <= MAX_EDITS:
            yield SAME_SURFACE, _prompt_of(known, words)
    for _ in range(_CHOICES):
        yield OTHER_SURFACE, _prompt_of(name, generator.sample(words, len(words)))
