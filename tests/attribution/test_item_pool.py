"""The pool: new items only, grouped by how they divide the explanations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.attribution import candidates_of, item_pool, pool_of
from shoal.errors import DataError, UsageError
from shoal.tasks import Example, make_task, task_from_rows

ADDITION = make_task("addition", examples=60)


def test_items_are_new_and_no_item_comes_twice() -> None:
    pool = item_pool(ADDITION, size=300)
    seen = {example.prompt for example in ADDITION.seen}
    assert len(set(pool.table.prompts)) == len(pool) == 300
    assert not seen & set(pool.table.prompts)


def test_items_of_one_pattern_divide_the_explanations_alike() -> None:
    pool = item_pool(ADDITION, size=200)
    for item, pattern in enumerate(pool.pattern_of_N):
        for first in range(len(pool.classes)):
            for second in range(len(pool.classes)):
                numbers = pool.patterns_UE[pattern, [first, second]]
                texts = pool.candidate(item, first), pool.candidate(item, second)
                if None not in texts:
                    assert (numbers[0] == numbers[1]) == (texts[0] == texts[1])
        assert (pool.patterns_UE[pattern] == -1).tolist() == [
            pool.candidate(item, group) is None for group in range(len(pool.classes))
        ]


def test_variants_keep_the_surface_and_without_them_other_items_are_drawn() -> None:
    variants = item_pool(ADDITION, size=100)
    drawn = item_pool(ADDITION, size=100, variants=False)
    assert set(drawn.table.prompts) != set(variants.table.prompts)
    # A sum with blanks around its sign is a variant with another surface.
    assert not any(" " in prompt for prompt in variants.table.prompts)


def test_items_are_longer_than_all_examples_only_on_request() -> None:
    limit = max(len(example.prompt) for example in ADDITION.examples)
    assert max(map(len, item_pool(ADDITION, size=300).table.prompts)) <= limit
    assert max(map(len, item_pool(ADDITION, size=300, extrapolate=True).table.prompts)) > limit


def test_another_seed_draws_other_items_and_the_same_seed_the_same() -> None:
    first, again, other = (item_pool(ADDITION, size=50, seed=seed).table.prompts for seed in (1, 1, 2))
    assert first == again != other


def test_a_task_without_a_generator_gives_its_held_out_examples() -> None:
    task = replace(ADDITION, draw=None, variants=None)
    pool = item_pool(task)
    assert set(pool.table.prompts) == {example.prompt for example in task.held_out} - {
        example.prompt for example in task.seen
    }


def test_explanations_without_a_difference_are_one_class() -> None:
    rule = ADDITION.rule
    pool = item_pool(ADDITION, size=50, shortcuts={"twin": lambda prompt, seen: rule(prompt)})
    assert ("rule", "twin") in pool.classes


def test_one_explanation_alone_is_refused() -> None:
    task = replace(ADDITION, shortcuts={})
    with pytest.raises(DataError, match=r"one explanation only \(rule\).*give the task shortcuts"):
        item_pool(task, size=20)


def test_explanations_that_never_differ_are_refused() -> None:
    rule = ADDITION.rule
    task = replace(ADDITION, shortcuts={"twin": lambda prompt, seen: rule(prompt)})
    with pytest.raises(DataError, match=r"no item of the 20 items separates any two explanations \(rule and twin\)"):
        item_pool(task, size=20)


def test_a_pool_without_a_size_is_refused() -> None:
    with pytest.raises(UsageError, match="size of at least 1; got 0"):
        item_pool(ADDITION, size=0)


def test_a_task_whose_items_are_all_trained_on_is_refused() -> None:
    rows = [Example(prompt=f"{number}:", completion=f" {number}") for number in range(6)]
    task = task_from_rows(rows, split="random(share=0.3)")
    leaked = replace(task, draw=lambda generator: generator.choice(task.seen))
    with pytest.raises(DataError, match=r"every item .* is in its training set.*hold examples out"):
        item_pool(leaked)


def test_a_prompt_that_comes_twice_is_refused() -> None:
    table = candidates_of(ADDITION)
    with pytest.raises(DataError, match="comes twice among the items of a pool; give each prompt once"):
        pool_of(table.rows([0, 1, 2, 1]))


def test_a_table_of_candidates_is_a_pool_too() -> None:
    table = candidates_of(ADDITION)
    pool = pool_of(table)
    assert pool.table.prompts == table.prompts
