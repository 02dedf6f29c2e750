"""Log-likelihoods of requests that share beginnings, each shared token computed once.

A batch is rows of trees (`shoal.evaluation.prefix_trees`), behind a prefix that all of its rows share and that is read
as one row of its own. The head looks at the nodes that predict something, once each: a node that predicts several ids
(the answers A, B, C and D behind one question) has one normaliser. What is found of a batch depends on the batch alone,
so that it is the same in every process and in every order of batches. Models that shoal has no fast forward pass for
read each request by itself, as `shoal.evaluation.batching` batches them.

Shapes: B rows, N nodes of a row, M nodes of a batch, U of them that predict, E edges of a batch, F target ids of all
requests, D hidden width, V vocabulary.
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

    def score(self, rows: Sequence[Sequence[TokenRequest]], prefix: int = 0) -> list[list[RequestScore]]:
        """Score a batch.

        Args:
            rows: the requests of each row, which are packed into one tree.
            prefix: how many ids all requests of the batch begin with, to be read once; less than any boundary.

        Raises:
            ModelError: the model's logits are not numbers.
        """
        with torch.inference_mode():
            found = self._by_trees(rows, prefix) if self._factored.fast is not None else self._one_by_one(rows)
        if any(math.isnan(score.log_likelihood) for row in found for score in row):
            raise ModelError("the model's logits are not numbers; its weights are broken, or the dtype is too narrow")
        return found

    def _by_trees(self, rows: Sequence[Sequence[TokenRequest]], prefix: int) -> list[list[RequestScore]]:
        fast, head = self._factored.fast, self._factored.head
        assert fast is not None
        assert head is not None
        trees = [build_tree(requests, prefix) for requests in rows]
        hidden_BND = _read_trees(fast, trees, self._read_header(fast, rows[0][0].ids[:prefix]))
        edges = _Edges(trees, rows, self._factored.vocabulary)
        nats, right = edges.score(head, hidden_BND.flatten(0, 1))
        found, first = [], 0
        for requests in rows:
            scores = []
            for request in requests:
                last = first + len(request.ids) - request.boundary
                scores.append(RequestScore(math.fsum(nats[first:last]), all(right[first:last])))
                first = last
            found.append(scores)
        return found

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

    def _one_by_one(self, rows: Sequence[Sequence[TokenRequest]]) -> list[list[RequestScore]]:
        factored = self._factored
        unique = list(dict.fromkeys(request for requests in rows for request in requests))
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
        return [[of_request[request] for request in requests] for requests in rows]


def _read_trees(fast: FastModel, trees: Sequence[TokenTree], header: PrefixCache | None) -> torch.Tensor:
    """The hidden states of the nodes (B × N × D); rows are padded on the right with nodes that nothing sees."""
    length = max(len(tree.ids) for tree in trees)

    def padded(values: list[int], filler: int) -> list[int]:
        return values + [filler] * (length - len(values))

    ids_BN = torch.tensor([padded(tree.ids, 0) for tree in trees], device=fast.device)
    depths_BN = torch.tensor([padded(tree.depths, tree.prefix) for tree in trees], device=fast.device)
    # The filler ends with itself, so that a padding node sees itself alone and no softmax is over nothing.
    ends = [tree.ends + list(range(len(tree.ends) + 1, length + 1)) for tree in trees]
    return fast.hidden(ids_BN, TreeStates(depths_BN, torch.tensor(ends, device=fast.device), header))


class _Edges:
    """The different (node, target id) of a batch, and the nodes that they begin at.

    Args:
        trees: of the rows.
        rows: the requests of each row.
        vocabulary: V.
    """

    def __init__(self, trees: Sequence[TokenTree], rows: Sequence[Sequence[TokenRequest]], vocabulary: int) -> None:
        length = max(len(tree.ids) for tree in trees)
        nodes: list[int] = []
        tokens: list[int] = []
        counts: list[int] = []
        for tree, requests in zip(trees, rows, strict=True):
            before = len(nodes)
            for path, request in zip(tree.paths, requests, strict=True):
                nodes += path
                tokens += request.ids[request.boundary :]
            counts.append(len(nodes) - before)
        rows_F = np.repeat(np.arange(len(trees)) * length, counts)
        keys_F = (np.array(nodes) + rows_F) * vocabulary + np.array(tokens)
        keys_E, self._edge_F = np.unique(keys_F, return_inverse=True)
        places_U, unit_E = np.unique(keys_E // vocabulary, return_inverse=True)
        self._places_U = torch.from_numpy(places_U)
        self._unit_E = torch.from_numpy(unit_E)
        self._token_E = torch.from_numpy(keys_E % vocabulary)
        self._vocabulary = vocabulary

    def score(self, head: LMHead, hidden_MD: torch.Tensor) -> tuple[list[float], list[bool]]:
        """Log p of each target id of each request, row after row, and whether it is the argmax.

        Args:
            head: of the model.
            hidden_MD: hidden states of the nodes, row after row, padding included.
        """
        device = hidden_MD.device
        hidden_UD = hidden_MD[self._places_U.to(device)]
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
