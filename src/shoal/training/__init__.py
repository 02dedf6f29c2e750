"""The small training loop: fine-tuning on examples and pretraining on documents or on a stream of tokens.

Importing this room imports neither numpy, torch nor transformers; what needs them does when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from shoal.training.settings import CurvePoint, TrainResult, TrainSettings
from shoal.training.tuning import pretrain, pretrain_documents, train

if TYPE_CHECKING:
    from shoal.training.crew import Crew, crew_of_processes
    from shoal.training.documents import PackedDocuments, Portion
    from shoal.training.tokenfile import TokenFile, open_token_file, tokens_in_memory, write_token_file

_HOMES = {
    "Crew": "crew",
    "PackedDocuments": "documents",
    "Portion": "documents",
    "TokenFile": "tokenfile",
    "crew_of_processes": "crew",
    "open_token_file": "tokenfile",
    "tokens_in_memory": "tokenfile",
    "write_token_file": "tokenfile",
}

__all__ = [
    "Crew",
    "CurvePoint",
    "PackedDocuments",
    "Portion",
    "TokenFile",
    "TrainResult",
    "TrainSettings",
    "crew_of_processes",
    "open_token_file",
    "pretrain",
    "pretrain_documents",
    "tokens_in_memory",
    "train",
    "write_token_file",
]


def __getattr__(name: str) -> Any:
    """Import a name from its file when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
