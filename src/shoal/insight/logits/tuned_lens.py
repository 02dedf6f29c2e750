"""The tuned lens: an affine map per layer, after which the unembedding predicts what the model predicts.

First the map that takes the layer's residual stream nearest to the last one (ridge regression, closed form), then a few
steps of Adam on KL(model ‖ lens), as Belrose et al. 2023 (arXiv:2303.08112, section 2) train all the way. Cost: one
forward pass over the texts, one D × D solve per layer, and the steps.

Shapes: N positions, D width, M layers (the embedding and all blocks but the last).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from shoal.errors import CorruptModelError, DataError, ModelError
from shoal.files import atomic_file
from shoal.insight.hooks import find_parts, read_activations
from shoal.insight.logits.lens import find_unembedding
from shoal.insight.options import DEFAULTS
from shoal.insight.tokens.reading import encode_texts
from shoal.models import model_digest

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.logits.lens import Unembedding
    from shoal.insight.options import AnalysisOptions

_RIDGE = 1e-3
"""Strength of the ridge, as a share of the mean variance of a direction."""

_BATCH = 256
"""Positions per step of Adam."""

_MAX_POSITIONS = 16384
"""Positions that are read at most: 64 times the width of a small model, so that its map is well determined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedLens:
    """The affine maps that `train_tuned_lens` returns."""

    weight_MDD: torch.Tensor
    bias_MD: torch.Tensor
    model: str
    """The digest of the model's weights."""

    positions: int
    """The number of tokens it was trained on."""

    def translate(self, layer: int, residual_ND: torch.Tensor) -> torch.Tensor:
        """Map the residual stream of a layer to that after the last block.

        Args:
            layer: 0 is the embedding, N + 1 is block N.
            residual_ND: the residual stream after it.
        """
        weight_DD = self.weight_MDD[layer].to(residual_ND.device)
        return residual_ND.to(weight_DD.dtype) @ weight_DD.T + self.bias_MD[layer].to(residual_ND.device)

    def check(self, parts: Parts) -> None:
        """Refuse a model other than the one that the lens was trained for.

        Raises:
            ModelError: the lens was trained for another model.
        """
        if model_digest(parts.model) != self.model:
            raise ModelError("this tuned lens was trained for another model by its digest; train one for this")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the lens as one safetensors file, atomically."""
        path = Path(path)
        header = {"shoal": json.dumps({"model": self.model, "positions": self.positions})}
        tensors = {"weight": self.weight_MDD.contiguous(), "bias": self.bias_MD.contiguous()}
        with atomic_file(path) as partial:
            save_file(tensors, partial, metadata=header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TunedLens:
        """Read a lens that was saved.

        Raises:
            CorruptModelError: the file is no tuned lens, or damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads(file.metadata()["shoal"])
                weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
                return cls(weight_MDD=weight, bias_MD=bias, model=header["model"], positions=header["positions"])
        except (SafetensorError, ValueError, KeyError, TypeError) as fault:
            raise CorruptModelError(f"{path} is no tuned lens that can be read ({fault}); train it again") from fault


def train_tuned_lens(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    steps: int = 50,
    learning_rate: float = 1e-3,
    max_tokens: int = 256,
    options: AnalysisOptions = DEFAULTS,
) -> TunedLens:
    """Train a tuned lens; the model is left as it was.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        texts: what to train on; the beginning of each is read, at most 16,384 tokens in all.
        steps: steps of Adam per layer, after the closed form.
        learning_rate: of Adam; it falls linearly to 0.
        max_tokens: maximum number of tokens that are read of one text.
        options: seed of the batches, and progress callback.

    Raises:
        DataError: the texts hold fewer tokens than the model is wide.
        ModelError: the model could not be split into body and head.
    """
    parts = find_parts(model)
    unembed = find_unembedding(parts)
    layers = _residuals(parts, tokenizer, texts, max_tokens)
    width = layers[-1].shape[1]
    if len(layers[-1]) < width:
        raise DataError(
            f"the texts hold {len(layers[-1])} tokens, and a lens of width {width} needs at least as many; give more"
        )
    found = []
    for number, residual_ND in enumerate(layers[:-1]):
        start = _closed_form(residual_ND, layers[-1])
        training = _Training(steps, learning_rate, options.seed)
        found.append(_improve(unembed, residual_ND, layers[-1], start, training))
        options.progress("tuned lens", number + 1, len(layers) - 1)
    return TunedLens(
        weight_MDD=torch.stack([weight for weight, _ in found]),
        bias_MD=torch.stack([bias for _, bias in found]),
        model=model_digest(model),
        positions=len(layers[-1]),
    )


class _Training(NamedTuple):
    """Settings of the steps of Adam."""

    steps: int
    learning_rate: float
    seed: int


@torch.inference_mode()
def _residuals(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_tokens: int
) -> list[torch.Tensor]:
    """The residual stream at every layer (each N × D), from the embedding to the last block."""
    names = ["embedding", *(f"blocks.{number}.residual_out" for number in range(len(parts.blocks)))]
    collected: list[list[torch.Tensor]] = [[] for _ in names]
    max_tokens, count = min(max_tokens, parts.context or max_tokens), 0
    for ids in encode_texts(tokenizer, texts, max_tokens=max_tokens):
        if not ids or count >= _MAX_POSITIONS:
            continue
        seen = read_activations(parts.model, torch.tensor([ids], device=parts.model.device), names)
        for layer, name in enumerate(names):
            collected[layer].append(seen[name][0].float().clone())
        count += len(ids)
    if not count:
        raise DataError("no text holds a token; give texts to train the lens on")
    return [torch.cat(part) for part in collected]


def _closed_form(from_ND: torch.Tensor, to_ND: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias by ridge regression towards the identity, so that directions that never vary pass unchanged."""
    mean_D, goal_D = from_ND.double().mean(0), to_ND.double().mean(0)
    # In float64: the Gram matrix squares the condition number of the residual stream.
    centred_ND, goal_ND = from_ND.double() - mean_D, to_ND.double() - goal_D
    gram_DD = centred_ND.T @ centred_ND
    ridge_DD = _RIDGE * gram_DD.diagonal().mean() * torch.eye(len(gram_DD), dtype=torch.float64, device=gram_DD.device)
    weight_DD = torch.linalg.solve(gram_DD + ridge_DD, centred_ND.T @ goal_ND + ridge_DD).T
    return weight_DD.float(), (goal_D - weight_DD @ mean_D).float()


def _improve(
    unembed: Unembedding,
    from_ND: torch.Tensor,
    to_ND: torch.Tensor,
    start: tuple[torch.Tensor, torch.Tensor],
    training: _Training,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take a few steps on KL(model ‖ lens) from the given weight and bias."""
    # The caller may be in inference mode, whose tensors take no gradients.
    with torch.inference_mode(False), torch.enable_grad():
        weight_DD, bias_D = (each.clone().requires_grad_() for each in start)
        optimizer = torch.optim.Adam([weight_DD, bias_D], lr=training.learning_rate)
        draws = torch.Generator().manual_seed(training.seed)
        for step in range(training.steps):
            for group in optimizer.param_groups:
                group["lr"] = training.learning_rate * (1 - step / training.steps)
            rows = torch.randint(len(from_ND), (_BATCH,), generator=draws).to(from_ND.device)
            with torch.no_grad():
                # A clone, since the rows may be inference tensors.
                goal = unembed.logits(to_ND[rows].clone()).float().log_softmax(-1)
            normed = unembed.normed(from_ND[rows].clone() @ weight_DD.T + bias_D)
            lens = _logits_with_gradient(unembed, normed).float().log_softmax(-1)
            loss = torch.nn.functional.kl_div(lens, goal, reduction="batchmean", log_target=True)
            weight_DD.grad, bias_D.grad = torch.autograd.grad(loss, [weight_DD, bias_D])
            optimizer.step()
    return weight_DD.detach(), bias_D.detach()


def _logits_with_gradient(unembed: Unembedding, normed_ND: torch.Tensor) -> torch.Tensor:
    """Compute the logits out of place: `Head.logits` works in place, which gradients cannot follow."""
    head = unembed.head
    products = torch.nn.functional.linear(normed_ND, head.weight_VD.detach(), head.bias_V) * head.scale
    return products if head.soft_cap is None else torch.tanh(products / head.soft_cap) * head.soft_cap
