"""Log-likelihoods of requests that share beginnings, each shared token computed once.

A batch is a tree (`shoal.evaluation.prefix_trees`), behind a prefix that all of its requests share and that is read as
a row of its own. The head looks at the nodes that predict something, once each: a node that predicts several ids
(the answers A, B, C and D behind one question) has one normaliser. What is found of a batch depends on the batch alone,
so that it is the same in every process and in every order of batches. Models that shoal has no fast forward pass for
read each request by itself, as `shoal.evaluation.batching` batches them.

Shapes: N nodes of a tree, U of them that predict, E edges of a tree, F target ids of all requests, D hidden width, V
vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import ModelError
from shoal.evaluation.batching import ScoringRow, fill_batches, split_row
from shoal.evaluation.head import find_rivals, head_blocks, score_positions
from shoal.evaluation.prefix_trees import TokenRequest, TokenTree, build_tree
from shoal.evaluation.scoring import batch_budget, score_batch
from shoal.models.fast import PrefixCache, TreeStates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import FactoredModel, LMHead
    from shoal.models.fast import FastModel


@dataclass(frozen=True, slots=True)
class RequestScore:
    """What the model gives the target of a request."""

    log_likelihood: float
    """Σ log p in nats."""

    greedy: bool
    """Whether each target id is the argmax given what stands before it, the lowest id at a tie."""


class PrefixScorer:
    """Scores batches of requests with one model, which is in evaluation mode.

    Args:
        factored: the model.
        token_budget: tokens of a batch where requests are read one by one.
    """

    def __init__(self, factored: FactoredModel, token_budget: int = 4096) -> None:
        self._factored = factored
        self._budget = token_budget
        self._header: tuple[tuple[int, ...], PrefixCache] | None = None

    @property
    def reuses(self) -> bool:
        """Whether shared beginnings are computed once; not so where the model has no fast forward pass."""
        return self._factored.fast is not None

    def score(self, requests: Sequence[TokenRequest], prefix: int = 0) -> list[RequestScore]:
        """Score a batch.

        Args:
            requests: at least one; their shared beginnings are computed once.
            prefix: how many ids all requests begin with, to be read once and kept; less than any boundary.

        Raises:
            ModelError: the model's logits are not numbers.
        """
        with torch.inference_mode():
            fast = self._factored.fast
            found = self._one_by_one(requests) if fast is None else self._as_tree(fast, requests, prefix)
        if any(math.isnan(score.log_likelihood) for score in found):
            raise ModelError("the model's logits are not numbers; its weights are broken, or the dtype is too narrow")
        return found

    def _as_tree(self, fast: FastModel, requests: Sequence[TokenRequest], prefix: int) -> list[RequestScore]:
        tree = build_tree(requests, prefix)
        header = self._read_header(fast, requests[0].ids[:prefix])
        states = TreeStates(tree.depths, tree.runs, fast.device, header)
        hidden_1ND = fast.hidden(torch.tensor([tree.ids], device=fast.device), states)
        nats, right = _Edges(tree, requests, self._factored.vocabulary).score(fast.head, hidden_1ND[0])
        scores, first = [], 0
        for request in requests:
            last = first + len(request.ids) - request.boundary
            scores.append(RequestScore(math.fsum(nats[first:last]), all(right[first:last])))
            first = last
        return scores

    def _read_header(self, fast: FastModel, ids: tuple[int, ...]) -> PrefixCache | None:
        """The states of a shared prefix; the last one is remembered, since the batches of a task have one."""
        if not ids:
            return None
        if self._header is None or self._header[0] != ids:
            cache = PrefixCache()
            fast.hidden(torch.tensor([ids], device=fast.device), cache)
            cache.close()
            self._header = (ids, cache)
        return self._header[1]

    def _one_by_one(self, requests: Sequence[TokenRequest]) -> list[RequestScore]:
        factored = self._factored
        unique = list(dict.fromkeys(requests))
        whole = [
            ScoringRow(place, request.ids, request.boundary, 0, len(request.target))
            for place, request in enumerate(unique)
        ]
        pieces = [piece for row in whole for piece in split_row(row, factored.lengths)]
        nats: dict[int, list[float]] = {row.item: [] for row in whole}
        greedy = dict.fromkeys(nats, True)
        for batch in fill_batches(pieces, batch_budget(factored, self._budget), factored.lengths):
            scores = score_batch(factored, batch).scores
            values = (scores.target_N - scores.log_normalizer_N).tolist()
            right, first = scores.right_N.tolist(), 0
            for piece in batch:
                last = first + piece.stop - piece.start
                nats[piece.item] += values[first:last]
                greedy[piece.item] &= all(right[first:last])
                first = last
        of_request = {
            request: RequestScore(math.fsum(nats[place]), greedy[place]) for place, request in enumerate(unique)
        }
        return [of_request[request] for request in requests]


class _Edges:
    """The different (node, target id) of a tree, and the nodes that they begin at.

    Args:
        tree: of the requests.
        requests: in the tree's order of paths.
        vocabulary: V.
    """

    def __init__(self, tree: TokenTree, requests: Sequence[TokenRequest], vocabulary: int) -> None:
        nodes_F = [node for path in tree.paths for node in path]
        tokens_F = [token for request in requests for token in request.target]
        keys_F = np.array(nodes_F) * vocabulary + np.array(tokens_F)
        keys_E, self._edge_F = np.unique(keys_F, return_inverse=True)
        places_U, unit_E = np.unique(keys_E // vocabulary, return_inverse=True)
        self._places_U = torch.from_numpy(places_U)
        self._unit_E = torch.from_numpy(unit_E)
        self._token_E = torch.from_numpy(keys_E % vocabulary)
        self._vocabulary = vocabulary

    def score(self, head: LMHead, hidden_ND: torch.Tensor) -> tuple[list[float], list[bool]]:
        """Log p of each target id, request after request, and whether it is the argmax.

        Args:
            head: of the model.
            hidden_ND: hidden states of the nodes.
        """
        device = hidden_ND.device
        hidden_UD = hidden_ND[self._places_U.to(device)]
        unit_E, token_E = self._unit_E.to(device), self._token_E.to(device)
        # The first edge of each node goes through the head; the others share its normaliser. Edges are sorted by node.
        several_U = torch.bincount(unit_E, minlength=len(hidden_UD))
        first_U = several_U.cumsum(0) - several_U
        target_U = token_E[first_U]
        blocks = head_blocks(head, hidden_UD)
        scores = score_positions(blocks, target_U, self._vocabulary)
        logit_E = scores.target_N.to(device)[unit_E]
        right_E = scores.right_N.to(device)[unit_E] & (token_E == target_U[unit_E])
        branching_E = (several_U[unit_E] > 1).nonzero()[:, 0]
        if len(branching_E):
            # All of a node's ids by the same product, so that equal weights give equal numbers.
            logit_E[branching_E] = _logits_of(head, hidden_UD[unit_E[branching_E]], token_E[branching_E]).double()
            wrong = ((several_U > 1) & ~scores.right_N.to(device)).nonzero()[:, 0]
            if len(wrong):
                argmax_U = torch.full_like(target_U, -1)
                rivals = find_rivals(blocks, target_U, scores.home_N.to(device), wrong, self._vocabulary)
                argmax_U[wrong] = rivals.to(device)
                right_E |= token_E == argmax_U[unit_E]
        # A probability is at most 1: two products of the same logit may differ in their last digit.
        nats_E = (logit_E - scores.log_normalizer_N.to(device)[unit_E]).clamp(max=0.0)
        return nats_E.cpu().numpy()[self._edge_F].tolist(), right_E.cpu().numpy()[self._edge_F].tolist()


def _logits_of(head: LMHead, hidden_ED: torch.Tensor, token_E: torch.Tensor) -> torch.Tensor:
    """The logit of one id at each of some positions."""
    products_E = torch.bmm(hidden_ED[:, None], head.weight_VD[token_E][:, :, None])[:, 0, 0]
    if head.bias_V is not None:
        products_E += head.bias_V[token_E]
    return head.finish_(products_E)
