"""Distillation: a student learns the distributions of a teacher, such as a mixture of models, and not text alone.

The loss of a token is share · T² · KL(q_T ‖ p_T) + (1 - share) · (-log p(target)), where q_T and p_T are the
distributions of teacher and student at temperature T (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a
neural network", arXiv:1503.02531, section 2). The factor T² keeps the size of the gradient, which otherwise falls with
1 / T². Where tokens count differently (`Document.weights`), so do their losses here. The teacher reads the same
documents and nothing is stored. Texts that the teacher has written are documents
like any others.

Cost: one pass of the teacher besides the student's own, and two tables of N · V numbers.

Shapes: B documents, L positions, N predicted positions, D hidden width, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.errors import UsageError
from shoal.training.batches import weights_of
from shoal.training.gradients import PaddedGradient, padded_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from shoal.models import LMHead
    from shoal.training.batches import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """What a student learns from.

    Raises:
        UsageError: a temperature that is not above 0, or a share outside [0, 1].
    """

    model: PreTrainedModel
    """In evaluation mode, of the student's vocabulary; `shoal.models.EnsembleForCausalLM` for a mixture."""

    digest: str
    """Of its weights: a training that is resumed must have the same teacher."""

    temperature: float = 1.0
    share: float = 1.0
    """How much of the loss is the teacher's; the rest is that of the text itself."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise UsageError(f"temperature = {self.temperature}; a student learns at a temperature above 0")
        if not 0 <= self.share <= 1:
            raise UsageError(f"share = {self.share}; the teacher's share of the loss is a number from 0 to 1")

    def fingerprint(self) -> str:
        """What a resumed training must have again, as text."""
        return f"{self.digest} at temperature {self.temperature!r} with share {self.share!r}"


class DistilledGradient(PaddedGradient):
    """The gradient of the distillation loss, by the student's own forward and autograd."""

    def __init__(self, model: PreTrainedModel, head: LMHead, teacher: Teacher) -> None:
        super().__init__(model, head)
        self._teacher = teacher

    def _loss(self, hidden_ND: torch.Tensor, targets_N: torch.Tensor, documents: Sequence[Document]) -> torch.Tensor:
        """The mean loss of the predicted tokens of some documents (a scalar)."""
        teacher = self._teacher
        # The head's weights in the dtype of the products, as the plain loss has them.
        head, dtype = self._head, hidden_ND.dtype
        bias = None if head.bias_V is None else head.bias_V.to(dtype)
        logits_NV = torch.nn.functional.linear(hidden_ND, head.weight_VD.to(dtype), bias).float() * head.scale
        if head.soft_cap is not None:
            logits_NV = torch.tanh(logits_NV / head.soft_cap) * head.soft_cap
        student_NV = (logits_NV / teacher.temperature).log_softmax(-1)
        wanted_NV = self._distribution(documents, hidden_ND.device)
        divergence_N = torch.nn.functional.kl_div(student_NV, wanted_NV, log_target=True, reduction="none").sum(-1)
        loss_N = teacher.share * teacher.temperature**2 * divergence_N
        if teacher.share < 1:
            losses_N = torch.nn.functional.cross_entropy(logits_NV, targets_N, reduction="none")
            loss_N = loss_N + (1 - teacher.share) * losses_N
        weights_N = weights_of(documents)
        return (loss_N if weights_N is None else loss_N * weights_N.to(loss_N.device)).mean()

    def _distribution(self, documents: Sequence[Document], device: torch.device) -> torch.Tensor:
        """The teacher's log-probabilities at the predicted places (N × V)."""
        ids_BL, rows_N, _ = padded_rows(documents)
        with torch.inference_mode():
            logits_BLV = self._teacher.model(input_ids=ids_BL.to(device)).logits
            rows_NV = logits_BLV.flatten(0, 1).index_select(0, rows_N.to(device)).float()
            wanted_NV = (rows_NV / self._teacher.temperature).log_softmax(-1)
        # A tensor of inference mode may not be saved for a backward pass.
        usable_NV: torch.Tensor = wanted_NV.clone()
        return usable_NV
