"""A dummy named by a model spec, such as ``oracle?p=0.3``, told the answers to what it will be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.models.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.spec import ModelSpec


class DummySource(Source):
    """A dummy with the tokenizer of another model, so that it can be asked about any text."""

    def __init__(self, spec: ModelSpec, answers: Sequence[tuple[str, str, bool]], seed: int, speaker: Source) -> None:
        self.spec = spec
        self.answers = answers
        self.seed = seed
        self.speaker = speaker
        self.origin = f"the dummy {spec.text} (seed {seed}), told {len(answers)} answers"

    def config(self) -> PreTrainedConfig:
        """That of the dummy's own architecture."""
        return self._make()[0].config

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the other model."""
        return self.speaker.tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The dummy, which knows the answers."""
        return self._make()[0].to(dtype)

    def _make(self) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
        from shoal.models.dummies import make_dummy

        parameters: dict[str, Any] = {"seed": self.seed, **dict(self.spec.options)}
        return make_dummy(self.spec.name, pairs=self.answers, tokenizer=self.tokenizer(), **parameters)
