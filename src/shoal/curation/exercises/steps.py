"""The steps that exercises are made of: which items are taken, what each becomes, and what is made of all.

A step is a phrase and an expression. In both, ``{x}`` is an item, ``{items}`` what came before, and ``{k}`` a small
number that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ItemType = Literal["int", "str"]


@dataclass(frozen=True, slots=True)
class Step:
    """A filter, a mapping or a reduction."""

    name: str
    """Its part of the function's name; in it ``{k}`` too."""

    phrase: str
    """Of a filter: a clause behind ``that``; of the others a phrase around ``{items}``."""

    code: str
    """An expression; of a reduction around ``{items}``, an iterable."""

    takes: ItemType
    gives: ItemType = "int"
    """Of a mapping: the type of what an item becomes."""


FILTERS = (
    Step("even", "are even", "{x} % 2 == 0", "int"),
    Step("odd", "are odd", "{x} % 2 == 1", "int"),
    Step("positive", "are above zero", "{x} > 0", "int"),
    Step("greater_than_{k}", "are greater than {k}", "{x} > {k}", "int"),
    Step("at_most_{k}", "are at most {k}", "{x} <= {k}", "int"),
    Step("multiples_of_{k}", "can be divided by {k}", "{x} % {k} == 0", "int"),
    Step("longer_than_{k}", "have more than {k} letters", "len({x}) > {k}", "str"),
    Step("up_to_{k}_letters", "have at most {k} letters", "len({x}) <= {k}", "str"),
    Step("with_vowel_first", "begin with a vowel", "{x}[:1].lower() in set('aeiou')", "str"),
    Step("with_e", "contain the letter e", "'e' in {x}", "str"),
    Step("capitalized", "begin with a capital letter", "{x}[:1].isupper()", "str"),
    Step("palindromes", "read the same backwards", "{x} == {x}[::-1]", "str"),
)

MAPPINGS = (
    Step("squares", "the squares of {items}", "{x} * {x}", "int"),
    Step("doubles", "the doubles of {items}", "2 * {x}", "int"),
    Step("distances_to_{k}", "the distances to {k} of {items}", "abs({x} - {k})", "int"),
    Step("remainders_by_{k}", "the remainders by {k} of {items}", "{x} % {k}", "int"),
    Step("lengths", "the lengths of {items}", "len({x})", "str"),
    Step("vowel_counts", "the numbers of vowels of {items}", "sum(c in 'aeiou' for c in {x}.lower())", "str"),
    Step("uppercase", "in capital letters {items}", "{x}.upper()", "str", "str"),
    Step("reversed", "written backwards {items}", "{x}[::-1]", "str", "str"),
    Step("initials", "the first letters of {items}", "{x}[:1]", "str", "str"),
    Step("endings", "the last {k} letters of {items}", "{x}[-{k}:]", "str", "str"),
)

LISTING = Step("list", "a list of {items}", "list({items})", "int")
"""The reduction that leaves the items as they are."""

REDUCTIONS = (
    Step("sum", "the sum of {items}", "sum({items})", "int"),
    Step("largest", "the largest of {items}, or 0 if there is none", "max({items}, default=0)", "int"),
    Step("smallest", "the smallest of {items}, or 0 if there is none", "min({items}, default=0)", "int"),
    Step("sorted", "a list, in ascending order, of {items}", "sorted({items})", "int"),
    Step("distinct", "the set of {items}", "set({items})", "int"),
    Step("count", "the number of {items}", "len(list({items}))", "int"),
    Step("joined", "one text, with a blank between, of {items}", "' '.join({items})", "str"),
    Step("longest", "the longest, or if several the first, of {items}, or '' if there is none",
         "max({items}, key=len, default='')", "str"),
    Step("sorted", "a list, in alphabetical order, of {items}", "sorted({items})", "str"),
    Step("distinct", "the set of {items}", "set({items})", "str"),
    Step("count", "the number of {items}", "len(list({items}))", "str"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """What the items of exercises of one topic are."""

    name: str
    argument: str
    item: str
    """The variable of one item."""

    items: str
    """As the docstring names them, behind ``the``."""

    takes: ItemType
    annotation: str
    expression: str = "{argument}"
    """From the argument to its items."""


TOPICS = (
    Topic("shopping", "prices", "price", "prices", "int", "list[int]"),
    Topic("school", "marks", "mark", "marks", "int", "list[int]"),
    Topic("weather", "temperatures", "degree", "temperatures", "int", "list[int]"),
    Topic("sports", "points", "score", "scores", "int", "list[int]"),
    Topic("digits", "number", "digit", "digits of the whole number", "int", "int", "[int(c) for c in str({argument})]"),
    Topic("animals", "animals", "animal", "names of animals", "str", "list[str]"),
    Topic("cities", "cities", "city", "names of cities", "str", "list[str]"),
    Topic("text", "text", "word", "words of the text", "str", "str", "{argument}.split()"),
    Topic("library", "titles", "title", "titles of books", "str", "list[str]"),
)
