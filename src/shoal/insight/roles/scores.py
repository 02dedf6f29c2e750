"""How much of its attention each head gives to the keys that a role looks at.

A role is a relation between a query and a key. Its score is the attention that lies on such keys, averaged over the
queries that have one; it lies between 0 and 1, and a head that does nothing but the role has 1.

| role | looks at |
|---|---|
| previous token | the token before |
| induction | the token after an earlier occurrence of this token (Olsson et al. 2022, arXiv:2209.11895) |
| duplicate token | an earlier occurrence of this token (Wang et al. 2022, arXiv:2211.00593) |
| first token | the first token of the row, the sink of idle heads (Xiao et al. 2023, arXiv:2309.17453) |
| same token | itself |

Shapes: B rows, L positions (queries and keys), H heads, N blocks, R roles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.insight.hooks.capture import capture

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ROLES = ("previous token", "induction", "duplicate token", "first token", "same token")

_FIRST_QUERY = 2
"""Before it, previous and first token are one."""

_TOKENS = 2048
"""In a pass; weights are summed up layer by layer, so that memory stays small."""


@torch.inference_mode()
def role_scores(model: PreTrainedModel, ids_BL: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """The score of every head in every role (N × H × R); not a number where no query has such a key.

    Args:
        model: in evaluation mode.
        ids_BL: rows of token ids, padded on the right.
        lengths: of the rows.
    """
    mass, queries = torch.zeros(()), torch.zeros(len(ROLES), dtype=torch.float64)
    step = max(1, _TOKENS // ids_BL.shape[1])
    for first in range(0, len(ids_BL), step):
        ids, sizes = ids_BL[first : first + step], lengths[first : first + step]
        looked_BRLL = looked_at(ids, sizes)
        part_NHR = _mass(model, ids, sizes, looked_BRLL)
        mass = mass + part_NHR
        queries += looked_BRLL.any(-1).sum((0, 2)).cpu().double()
    return (mass / queries).float()


def looked_at(ids_BL: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """Which keys each role looks at, for each query (B × R × L × L, bool)."""
    length = ids_BL.shape[1]
    place = torch.arange(length, device=ids_BL.device)
    behind_LL = place[:, None] - place
    same_BLL = ids_BL[:, :, None] == ids_BL[:, None, :]
    follows_BLL = torch.nn.functional.pad(same_BLL, (1, 0))[:, :, :-1]
    relations = (
        (behind_LL == 1).expand_as(same_BLL),
        follows_BLL & (behind_LL > 0),
        same_BLL & (behind_LL > 0),
        (place == 0).expand_as(same_BLL),
        (behind_LL == 0).expand_as(same_BLL),
    )
    counts_BL = (place >= _FIRST_QUERY) & (place < torch.tensor(lengths, device=ids_BL.device)[:, None])
    return torch.stack(relations, dim=1) & counts_BL[:, None, :, None]


def _mass(model: PreTrainedModel, ids_BL: torch.Tensor, lengths: list[int], looked_BRLL: torch.Tensor) -> torch.Tensor:
    """The attention on the looked-at keys, summed over queries and rows (N × H × R, float64)."""
    looked_BRM = looked_BRLL.flatten(2).float()

    def keep(_: str, weights_BHLL: torch.Tensor) -> torch.Tensor:
        return torch.bmm(weights_BHLL.flatten(2).float(), looked_BRM.transpose(1, 2)).sum(0).double().cpu()

    mask_BL = torch.arange(ids_BL.shape[1]) < torch.tensor(lengths)[:, None]
    with capture(model, ["blocks.*.attention.weights"], keep=keep) as seen:
        model(ids_BL, attention_mask=mask_BL.long().to(ids_BL.device), use_cache=False)
    return torch.stack(list(seen.values()))
