"""Folds of examples: no template, prompt or near repeat of a prompt is on both sides."""

import random

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import Example, example_folds, example_groups, make_task


def example(prompt, **tags):
    return Example(prompt=prompt, completion=" a", tags=tags)


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), min_size=6, max_size=40), folds=st.integers(2, 4)
)
@settings(deadline=None, max_examples=60)
def test_no_fold_shares_a_template_or_a_prompt(rows, folds):
    examples = [example(f"prompt {prompt}", template=f"template {template}") for template, prompt in rows]
    groups = example_groups(examples)
    if len(set(groups)) < folds:
        with pytest.raises(UsageError):
            example_folds(examples, folds)
        return
    for fold in example_folds(examples, folds):
        for read in (lambda one: one.tags["template"], lambda one: one.prompt):
            assert not {read(examples[place]) for place in fold.train} & {read(examples[place]) for place in fold.test}


def test_near_repeats_of_a_prompt_are_one_group():
    words = [f"word{number}" for number in range(40)]
    near = [" ".join(words), " ".join([*words[:-1], "other"]), " ".join(random.Random(0).sample(words, 40))]
    assert example_groups([example(prompt) for prompt in near]) == [0, 0, 1]
    assert example_groups([example(prompt, group=number) for number, prompt in enumerate(near)]) == [0, 1, 2]
    tagged = [example(prompt, group=number) for number, prompt in enumerate(near)]
    assert example_groups(tagged, near_duplicates=0.7) == [0, 0, 1]


@pytest.mark.parametrize("threshold", [0, 0.0, 0.49, 1, -0.5, 1.5])
def test_a_threshold_that_cannot_be_looked_for_is_refused_and_not_replaced(threshold):
    with pytest.raises(UsageError, match=r"give a Jaccard index from 0\.5 to 1"):
        example_groups([example("one"), example("two")], near_duplicates=threshold)


def test_belonging_together_is_passed_on():
    chain = [example("a", group=1), example("a", group=2), example("b", group=2), example("c", group=3)]
    assert example_groups(chain) == [0, 0, 0, 1]


def test_the_examples_of_a_task_are_divided_by_its_groups():
    task = make_task("counting", largest=20)
    for fold in example_folds(task.examples, 4):
        groups = [{task.examples[place].tags["group"] for place in part} for part in (fold.train, fold.test)]
        assert not groups[0] & groups[1]


def test_without_a_number_of_folds_each_group_is_left_out_once():
    examples = [example(f"{number}", group=number // 2) for number in range(6)]
    assert [fold.test.tolist() for fold in example_folds(examples, None)] == [[0, 1], [2, 3], [4, 5]]


def test_tags_that_are_not_there_are_named():
    examples = [example("a", group=1), example("b", group=2, kind="x")]
    with pytest.raises(UnknownNameError, match="group"):
        example_folds(examples, 2, by="grop")
    with pytest.raises(DataError, match="'kind'"):
        example_folds(examples, 2, stratify="kind")
    with pytest.raises(DataError, match="has no members"):
        example_folds(examples, 2, stratify="completion", classes=["zero"])
