"""An ensemble of language models as one model, whose probabilities are a mixture of its members' probabilities.

Two mixtures of the same members and weights, both sums of probabilities and never of logits:

- **per token**: p(x_t | x_<t) = Σ_k w_k p_k(x_t | x_<t), with the same weights at each token;
- **per text**: p(x) = Σ_k w_k p_k(x), whose next token is p(x_t | x_<t) = Σ_k w_k(t) p_k(x_t | x_<t) with the posterior
  weights w_k(t) ∝ w_k Π_{s<t} p_k(x_s | x_<s), where s runs over the tokens after the first. It settles on the member
  that has read the text best so far (Bayesian model averaging).

The model gives log-probabilities of the mixture as its logits, so that whatever scores or decodes a causal language
model does the same with an ensemble. Cost: one pass of each member, and one table of B · L · V numbers.

Shapes: B rows, L positions, V vocabulary, K members.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import nn
from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel

from shoal.errors import ModelError, UsageError
from shoal.models.factorization import factor_model
from shoal.models.probing import context_of
from shoal.statistics import checked_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

Mixture = Literal["token", "text"]
"""Whether the weights are the same at each token, or those of whole texts."""

MIXTURES: tuple[Mixture, ...] = ("token", "text")


class EnsembleConfig(PreTrainedConfig):
    """What of an ensemble is not in its members."""

    model_type = "shoal_ensemble"

    vocab_size: int = 1
    max_position_embeddings: int = 1
    mixture: str = "token"
    weights: tuple[float, ...] | list[float] = (1.0,)
    tie_word_embeddings: bool = False


class EnsembleForCausalLM(PreTrainedModel):
    """A mixture of causal language models with one vocabulary; it scores and decodes, and is not trained itself."""

    config_class = EnsembleConfig

    def __init__(
        self, members: Sequence[PreTrainedModel], weights: Sequence[float] | None = None, *, mixture: Mixture = "token"
    ) -> None:
        """Put models together.

        Args:
            members: at least one, in evaluation mode; they are used as they are and not copied.
            weights: of the members, which sum to 1; None for equal ones.
            mixture: ``token`` or ``text``, see the module.

        Raises:
            ModelError: there are no members, or they differ in their vocabulary.
            UsageError: the weights are no shares, or there is no such mixture.
        """
        if not members:
            raise ModelError("an ensemble needs at least one member")
        if mixture not in MIXTURES:
            raise UsageError(f"the mixture is {mixture!r}; give token or text")
        sizes = [member.get_input_embeddings().num_embeddings for member in members]
        if len(set(sizes)) > 1:
            raise ModelError(f"the members have vocabularies of {sizes} tokens; an ensemble needs one vocabulary")
        shares = checked_weights([1 / len(members)] * len(members) if weights is None else weights, len(members))
        contexts = [context for member in members if (context := context_of(member)) is not None]
        super().__init__(
            EnsembleConfig(
                vocab_size=sizes[0],
                max_position_embeddings=min(contexts, default=1 << 20),
                mixture=mixture,
                weights=tuple(shares.tolist()),
            )
        )
        self.members = nn.ModuleList(members)
        # Members of one tokenizer end their texts alike; those who generate look here for the tokens that do.
        self.generation_config = getattr(members[0], "generation_config", None)

    @property
    def models(self) -> tuple[PreTrainedModel, ...]:
        """The members, in the order of their weights."""
        return tuple(cast("PreTrainedModel", member) for member in self.members)

    @property
    def log_weights(self) -> list[float]:
        """The logarithms of the members' weights; minus infinity for a member without weight."""
        return [math.log(weight) if weight else -math.inf for weight in self.config.weights]

    def get_input_embeddings(self) -> nn.Module:
        """Those of the first member: all have the same ids."""
        embeddings: nn.Module = self.models[0].get_input_embeddings()
        return embeddings

    def get_output_embeddings(self) -> None:
        """None: no single layer gives the probabilities."""

    def forward(self, input_ids: torch.Tensor, **_: Any) -> CausalLMOutputWithPast:
        """Log-probabilities of the mixture (B × L × V) as logits; rows are padded on the right or not at all."""
        mixed_BLV: torch.Tensor | None = None
        posterior_BLK = self.posterior(input_ids) if self.config.mixture == "text" else None
        for place, (member, log_weight) in enumerate(zip(self.models, self.log_weights, strict=True)):
            if log_weight == -math.inf:
                continue
            log_p_BLV = member_log_probabilities(member, input_ids)
            log_p_BLV += log_weight if posterior_BLK is None else posterior_BLK[..., place, None]
            # One table at a time, so that memory does not grow with the members.
            mixed_BLV = log_p_BLV if mixed_BLV is None else torch.logaddexp(mixed_BLV, log_p_BLV)
        return CausalLMOutputWithPast(logits=mixed_BLV)

    def posterior(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """The log-weights of the members behind each position (B × L × K), given all that was read up to there.

        Args:
            ids_BL: rows; the first token of each is given, and tells nothing of the members.
        """
        read_BLK = torch.stack([_log_likelihoods(member, ids_BL) for member in self.models], dim=-1)
        prior_K = torch.tensor(self.log_weights, dtype=torch.float64, device=ids_BL.device)
        # In float64: likelihoods of long texts differ by thousands of nats. What they leave is no narrower than the
        # log-probabilities that it is added to (`member_log_probabilities`), whatever the weights are stored in.
        posterior_BLK = (prior_K + read_BLK.cumsum(1)).log_softmax(-1)
        return posterior_BLK if self.dtype == torch.float64 else posterior_BLK.float()


def member_log_probabilities(member: PreTrainedModel, ids_BL: torch.Tensor) -> torch.Tensor:
    """The log-probabilities (B × L × V) of the token behind each position, by the fastest exact way.

    Args:
        member: a causal language model in evaluation mode.
        ids_BL: rows, padded on the right or not at all.
    """
    factored = factor_model(member)
    with torch.inference_mode():
        if factored.head is None:
            logits_BLV = factored.full_logits(ids_BL)
        else:
            logits_BLV = factored.head.logits(factored.hidden(ids_BL))
        # 16-bit numbers could not be summed over a vocabulary.
        wide = logits_BLV if logits_BLV.dtype == torch.float64 else logits_BLV.float()
        return wide.log_softmax(-1)


def _log_likelihoods(member: PreTrainedModel, ids_BL: torch.Tensor) -> torch.Tensor:
    """The log-probability of each token given those before it (B × L, float64); 0 for the first."""
    log_p_BLV = member_log_probabilities(member, ids_BL)[:, :-1]
    found_BL = log_p_BLV.gather(-1, ids_BL[:, 1:, None])[..., 0].double()
    return torch.cat([found_BL.new_zeros(len(ids_BL), 1), found_BL], dim=1)
