from __future__ import annotations

import pytest

from shoal.errors import DataError, UsageError
from shoal.tasks import Example, make_split

ROWS = [
    Example(prompt=str(place), completion="x", tags={"digits": size, "word": word})
    for place, (size, word) in enumerate([(1, "cat"), (1, "dog"), (2, "cat"), (2, "cow"), (2, "cow"), (3, "dog")])
]


def held_out(spec: str) -> list[int]:
    split = make_split(spec).bind(ROWS)
    return [int(row.prompt) for row in ROWS if split.holds_out(row)]


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ("tag(tag='digits',at_least=3)", [5]),
        ("tag(tag='digits',at_least=2)", [2, 3, 4, 5]),
        ("tag(tag='digits',share=0.2)", [5]),
        ("tag(tag='digits',share=0.6)", [2, 3, 4, 5]),
        ("tag(tag='digits',share=0.99)", [2, 3, 4, 5]),
        ("tag(tag='word',values=('cow','dog'))", [1, 3, 4, 5]),
        ("tag(tag='word',values='cow')", [3, 4]),
        ("tag('word',values=['cow'])", [3, 4]),
    ],
)
def test_it_holds_out_by_the_tag_and_never_divides_one_value(spec: str, places: list[int]) -> None:
    assert held_out(spec) == places


def test_its_label_gives_the_split_again() -> None:
    label = make_split("tag(tag='digits',at_least=2)").bind(ROWS).name
    assert label == "tag(tag='digits',at_least=2)"
    assert held_out(label) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tag", "needs tag"),
        ("tag(tag='digits')", "neither share, at_least nor values; give exactly one"),
        ("tag(tag='digits',share=0.3,at_least=2)", "was given share and at_least; give exactly one"),
        ("tag(tag='digits',at_least='two')", "at_least is 'two'; give a number"),
        ("tag(tag='digits',share=1)", "share is 1; give a number above 0 and below 1"),
        ("tag(tag='digits',at_least=9)", "holds out none of the 6 examples"),
        ("tag(tag='',at_least=9)", "tag is ''; give the name of a tag"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        held_out(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "tag(tag='size',share=0.3)",
            "reads the tag 'size', which the example '0' does not have; its tags: 'digits', ",
        ),
        (
            "tag(tag='word',share=0.3)",
            "compares the tag 'word', and the example '0' has 'cat' there; name the held-out",
        ),
    ],
)
def test_a_tag_that_is_absent_or_no_number_is_named(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        held_out(spec)


def test_one_value_alone_cannot_be_divided() -> None:
    same = [Example(prompt=text, completion="x", tags={"digits": 1}) for text in "abc"]
    with pytest.raises(UsageError, match="holds out none of the 3 examples"):
        make_split("tag(tag='digits',share=0.5)").bind(same)
