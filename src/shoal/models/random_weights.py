"""Fresh weights for a known architecture: the control of every experiment that asks what pretraining brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.models.config_checks import check_memory, check_runs
from shoal.models.source import Source
from shoal.models.transformers_io import quiet

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast


class RandomSource(Source):
    """The architecture and tokenizer of another source, with weights drawn by the architecture's own initialization."""

    def __init__(self, inner: Source, seed: int) -> None:
        self.inner = inner
        self.seed = seed
        self.origin = f"fresh weights (seed {seed}) in the architecture of {inner.origin}"

    def config(self) -> PreTrainedConfig:
        """That of the other source."""
        return self.inner.config()

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the other source."""
        return self.inner.tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The same weights for the same seed: they are drawn in float32 on the CPU, whatever ``dtype`` is.

        The generator of the process is left as it was.
        """
        import torch
        from transformers import AutoModelForCausalLM

        config = self.config()
        check_memory(config, self.inner.origin)
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(self.seed)
            model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        check_runs(model, self.inner.origin)
        return model.to(dtype)


def shuffle_weights(model: nn.Module, generator: torch.Generator) -> None:
    """Permute the entries of every weight tensor in place; each keeps its mean, spread and shape.

    Source: the shuffled initialisation of Zhang, Backurs, Bubeck et al. (2022), "Unveiling Transformers with LEGO",
    arXiv:2206.04301, section 4 and of Raghu et al. (2019), "Transfusion", arXiv:1902.07208, section 4.2 ("mean var").

    Args:
        model: any model; tensors that are tied are shuffled once.
        generator: draws the permutations, on the CPU.
    """
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.flatten()[order].view_as(weight))
