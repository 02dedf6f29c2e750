"""Dummy models: real models of ``transformers`` in form, whose right scores are known by construction.

A dummy reads its context as any decoder does, through masks, positions and caches, and answers from a tree of contexts
written when it was made. `truth_of` reads the right scores off that tree without a tensor.
"""

from __future__ import annotations

# The families register themselves by name when they are imported.
from shoal.models.dummies import accuracy, ending, logits, slips, spelling  # noqa: F401
from shoal.models.dummies.making import dummy_names, make_dummy, teach
from shoal.models.dummies.script import chance
from shoal.models.dummies.tokenizer import tiny_tokenizer
from shoal.models.dummies.truth import Truth, truth_of

__all__ = ["Truth", "chance", "dummy_names", "make_dummy", "teach", "tiny_tokenizer", "truth_of"]
