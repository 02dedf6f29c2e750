"""The score of a model that tells stories: what a program can see, and what a judge says of its completions.

Importing this room imports neither torch nor transformers; asking for a function that needs them does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shoal.evaluation.stories.completing import Completion, complete_prompts
    from shoal.evaluation.stories.copying import CopyFinder
    from shoal.evaluation.stories.facts import make_questions, score_facts
    from shoal.evaluation.stories.heldout import held_out_bits
    from shoal.evaluation.stories.measures import Measure
    from shoal.evaluation.stories.minimal import PairScores, minimal_pairs
    from shoal.evaluation.stories.pairs import MinimalPair, read_pairs
    from shoal.evaluation.stories.prompts import StoryPrompt, default_prompts, read_beginnings, read_prompts
    from shoal.evaluation.stories.rating import Material, Sampling, StoryRating, rate_model

__all__ = [
    "Completion",
    "CopyFinder",
    "Material",
    "Measure",
    "MinimalPair",
    "PairScores",
    "Sampling",
    "StoryPrompt",
    "StoryRating",
    "complete_prompts",
    "default_prompts",
    "held_out_bits",
    "make_questions",
    "minimal_pairs",
    "rate_model",
    "read_beginnings",
    "read_pairs",
    "read_prompts",
    "score_facts",
]

_HOMES = {
    "Completion": "completing",
    "CopyFinder": "copying",
    "Material": "rating",
    "Measure": "measures",
    "MinimalPair": "pairs",
    "PairScores": "minimal",
    "Sampling": "rating",
    "StoryPrompt": "prompts",
    "StoryRating": "rating",
    "complete_prompts": "completing",
    "default_prompts": "prompts",
    "held_out_bits": "heldout",
    "make_questions": "facts",
    "minimal_pairs": "minimal",
    "rate_model": "rating",
    "read_beginnings": "prompts",
    "read_pairs": "pairs",
    "read_prompts": "prompts",
    "score_facts": "facts",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
