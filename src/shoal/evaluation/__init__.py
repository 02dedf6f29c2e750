"""Scoring without `generate()`, the reference that does use it, certification and statistics.

Importing this room imports neither torch nor transformers; asking for a function that needs them does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from shoal.evaluation.scores import ItemScore, Scores

if TYPE_CHECKING:
    from shoal.evaluation.certification.certificate import Certificate
    from shoal.evaluation.certification.certify import certify
    from shoal.evaluation.evaluator import evaluate
    from shoal.evaluation.metrics import bleu, sentence_bleus
    from shoal.evaluation.reference import evaluate_by_generation

__all__ = [
    "Certificate",
    "ItemScore",
    "Scores",
    "bleu",
    "certify",
    "evaluate",
    "evaluate_by_generation",
    "sentence_bleus",
]

_HOMES = {
    "Certificate": "certification",
    "bleu": "metrics",
    "certify": "certification",
    "evaluate": "evaluator",
    "evaluate_by_generation": "reference",
    "sentence_bleus": "metrics",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
