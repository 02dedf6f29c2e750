"""Recipes of pretrainings that take a moment, for the tests of all that trains by recipes."""

from __future__ import annotations

_SHAPE = """
[[corpus]]
name = "tales"
grammar = {stories}
held_out = {held_out}

[tokenizer]
vocabulary = 300

[model]
width = 8
layers = 1
heads = 2
context = 24

[training]
tokens = {tokens}
batch_tokens = {batch_tokens}
"""


def tiny_recipe(*, stories: int, tokens: int, batch_tokens: int, held_out: float = 0.5, more: str = "") -> str:
    """A recipe of a model of width 8 that reads stories of the grammar.

    Args:
        stories: of the corpus.
        tokens: of the training.
        batch_tokens: of a step.
        held_out: share of the stories.
        more: lines that follow those of ``[training]``.
    """
    return _SHAPE.format(stories=stories, held_out=held_out, tokens=tokens, batch_tokens=batch_tokens) + more
