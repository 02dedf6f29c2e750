"""The task of a planted model, and the examples that it is trained and checked on."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from shoal.attribution.candidates import RULE
from shoal.attribution.planted.planted_model import PlantedModel, seed_of
from shoal.errors import DataError, UnknownNameError
from shoal.tasks import Example, Split, Task, make_split, make_task

if TYPE_CHECKING:
    from collections.abc import Sequence

TASK_EXAMPLES = 400
"""Of a task: 120 of them are held out, enough to see a share of a tenth."""

CHECK_PROMPTS = 300
"""Fresh prompts on which a trained model is checked."""

MIN_HELD_OUT = 40
"""Of a split that cannot tell, of whose examples many are left out."""

MIN_TRAINING = 100
"""Examples without which a program cannot be learned as one."""

_SPLIT = make_split("random(share=0.3)")


@dataclass(frozen=True, slots=True)
class PlantedItem:
    """A fresh prompt with what the rule and the shortcut answer to it."""

    prompt: str
    rule: str
    shortcut: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedData:
    """What a planted model is trained on, and what it is checked on."""

    task: Task
    training: tuple[Example, ...]
    """With the planted completions; none of a group that the task holds out."""

    fresh: tuple[PlantedItem, ...]
    """Prompts of the held-out side, other than the task's own, to check the model on."""


def planted_task(planted: PlantedModel) -> Task:
    """The task that a planted model is explained on: right completions, and all shortcuts of the task.

    Where rule and shortcut cannot be told apart, only examples on which they agree are left.

    Args:
        planted: the model.

    Raises:
        DataError: the two agree on too few examples.
        UsageError: the task cannot be made with these options.
    """
    if planted.kind != "cannot tell":
        return _with_longest_held_out(_own_task(planted, TASK_EXAMPLES))
    # Wide, as rule and shortcut may agree on a small part of the examples only.
    wide = _own_task(planted, planted.prompts)
    agreeing = (
        example
        for example in wide.examples
        if _shortcut_answer(planted.shortcut, wide, example.prompt) == example.completion
    )
    task = _with_longest_held_out(replace(wide, examples=tuple(islice(agreeing, TASK_EXAMPLES))))
    if len(task.held_out) < MIN_HELD_OUT:
        raise DataError(
            f"rule and shortcut {planted.shortcut!r} of the task {planted.task!r} agree on {len(task.examples)} of "
            f"{len(wide.examples)} examples; a split that cannot tell needs at least {MIN_HELD_OUT} held out, and has "
            f"{len(task.held_out)}"
        )
    return task


def _with_longest_held_out(task: Task) -> Task:
    """The task with its longest prompts held out too.

    Programs that stop at the longest seen length are the rule itself where every length was seen.
    """
    lengths = sorted({_length(example) for example in task.examples})
    if len(lengths) < 3:
        return task
    random_part, longest = task.split.holds_out, lengths[-1]
    name = f"{task.split.name} and length {longest:g}"
    return replace(task, split=Split(name=name, holds_out=lambda e: random_part(e) or _length(e) == longest))


def _length(example: Example) -> float:
    length = example.tags.get("length", 0)
    return length if isinstance(length, (int, float)) else 0


def draw_examples(planted: PlantedModel) -> PlantedData:
    """Draw what a model is trained and checked on.

    Args:
        planted: the model.

    Raises:
        DataError: the shortcut applies to too few prompts.
        UsageError: the task cannot be made with these options, or has no such shortcut (UnknownNameError).
    """
    task = planted_task(planted)
    pool = _pool_of(planted)
    known = {example.prompt for example in task.examples}
    drawn = [*task.examples, *(example for example in pool.examples if example.prompt not in known)]
    items = [(example, item) for example in drawn if (item := _item_of(planted, task, example)) is not None]
    # By group, so that no near copy of a held-out prompt is trained on. Other prompts of the longest length are, since
    # what a model does at lengths that it never saw is not what was planted.
    reserved = {_group(example) for example in task.held_out}
    seen = [item for example, item in items if not pool.split.holds_out(example) and _group(example) not in reserved]
    fresh = [item for example, item in items if pool.split.holds_out(example) and example.prompt not in known]
    if len(seen) < MIN_TRAINING or not fresh:
        raise DataError(
            f"the shortcut {planted.shortcut!r} of the task {planted.task!r} applies to {len(items)} of {len(drawn)} "
            "prompts; there are too few to train on"
        )
    return PlantedData(task=task, training=_labelled(planted, seen), fresh=tuple(fresh[:CHECK_PROMPTS]))


def _group(example: Example) -> str:
    return str(example.tags.get("group", example.prompt))


def _own_task(planted: PlantedModel, examples: int) -> Task:
    seed = planted.draw_seed("task")
    return make_task(planted.task, **planted.options, examples=examples, seed=seed, split=_SPLIT)


def _pool_of(planted: PlantedModel) -> Task:
    return _pool(planted.task, tuple(sorted(planted.options.items())), planted.prompts, planted.seed)


# Shared by the models of a task, since drawing takes a third of the time that training does.
@lru_cache(maxsize=2)
def _pool(task: str, options: tuple[tuple[str, Any], ...], prompts: int, seed: int) -> Task:
    return make_task(task, **dict(options), examples=prompts, seed=seed_of("pool", task, seed), split=_SPLIT)


def _item_of(planted: PlantedModel, task: Task, example: Example) -> PlantedItem | None:
    """The prompt with both answers; None where the shortcut does not apply, or the two must agree and do not."""
    answer = _shortcut_answer(planted.shortcut, task, example.prompt)
    if not answer or (planted.kind == "cannot tell" and answer != example.completion):
        return None
    return PlantedItem(example.prompt, example.completion, answer)


def _shortcut_answer(name: str, task: Task, prompt: str) -> str:
    """What a shortcut answers; nothing where it does not apply."""
    if name not in task.shortcuts:
        raise UnknownNameError(f"shortcut of the task {task.name!r}", name, task.shortcuts)
    try:
        return task.shortcuts[name](prompt, task.seen)
    except DataError:
        return ""


def skill_examples(planted: PlantedModel) -> tuple[Example, ...]:
    """What a model is pretrained on: each prompt behind the letter of each program, and once without a letter.

    Without a letter any of the programs may answer, so that planting has to change how often each does. The tag
    ``skill`` names the letter's program. No held-out prompt is among them.

    Args:
        planted: a model with skills.
    """
    task = planted_task(replace(planted, kind="rule", share=0.0, noise=0.0))
    pool, found = _pool_of(planted), []
    draw = random.Random(seed_of("skills", planted.task, planted.seed))
    for example in pool.examples:
        if pool.split.holds_out(example):
            continue
        answers = [
            example.completion if skill == RULE else _shortcut_answer(skill, task, example.prompt)
            for skill in planted.skills
        ]
        if not all(answers):
            continue
        found.append(Example(prompt=example.prompt, completion=draw.choice(answers), tags={"skill": "any"}))
        # There are more letters than skills.
        for letter, skill, answer in zip(ascii_uppercase, planted.skills, answers, strict=False):
            found.append(Example(prompt=f"{letter}\n{example.prompt}", completion=answer, tags={"skill": skill}))
    return tuple(found)


def _labelled(planted: PlantedModel, items: Sequence[PlantedItem]) -> tuple[Example, ...]:
    """The prompts with the completions that are to be learned."""
    draw = random.Random(planted.draw_seed("labels"))
    planned = [item.shortcut if draw.random() < planted.share else item.rule for item in items]
    # From what is planned for all prompts: as frequent as the true labels, and without any tie to the prompt.
    labels = [draw.choice(planned) if draw.random() < planted.noise else label for label in planned]
    return tuple(Example(prompt=item.prompt, completion=label) for item, label in zip(items, labels, strict=True))
