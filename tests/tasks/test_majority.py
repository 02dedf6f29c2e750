"""The majority: which variants of a list leave its answer, and which do not."""

from __future__ import annotations

import random

from shoal.tasks import Example, Variant, make_task

TASK = make_task("majority", examples=20)


def variants_of(prompt: str) -> list[Variant]:
    assert TASK.variants is not None
    example = Example(prompt=prompt, completion=TASK.rule(prompt))
    return list(TASK.variants(example, random.Random(0)))


def changed_once(prompt: str) -> dict[str, str]:
    """The variants in which one symbol is another, with what they are."""
    found = variants_of(prompt)
    return {
        variant.example.prompt: variant.kind
        for variant in found
        if len(variant.example.prompt) == len(prompt)
        and sum(a != b for a, b in zip(variant.example.prompt, prompt, strict=True)) == 1
    }


def test_a_symbol_that_decides_makes_another_answer() -> None:
    assert changed_once("majority a b a:") == {
        "majority b b a:": "same-surface-other-answer",
        "majority a a a:": "other-surface-same-answer",
        "majority a b b:": "same-surface-other-answer",
    }


def test_a_symbol_that_decides_nothing_leaves_the_answer() -> None:
    found = changed_once("majority a a a a b:")
    assert len(found) == 5
    assert set(found.values()) == {"other-surface-same-answer"}


def test_no_variant_is_a_tie() -> None:
    for prompt in ("majority a a b b a b a a:", "majority b b b a:"):
        for variant in variants_of(prompt):
            symbols = variant.example.prompt.removeprefix("majority ").removesuffix(":").replace(",", " ").split()
            assert symbols.count("a") != symbols.count("b")


def test_every_prompt_comes_once_among_the_variants() -> None:
    for example in TASK.examples:
        prompts = [variant.example.prompt for variant in variants_of(example.prompt)]
        assert len(set(prompts)) == len(prompts)
        assert example.prompt not in prompts
