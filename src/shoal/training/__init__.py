"""The small training loop: fine-tuning on examples and pretraining on a stream of tokens.

Importing this room imports neither torch nor transformers; training does.
"""

from __future__ import annotations

from shoal.training.settings import CurvePoint, TrainResult, TrainSettings
from shoal.training.tuning import pretrain, train

__all__ = ["CurvePoint", "TrainResult", "TrainSettings", "pretrain", "train"]
