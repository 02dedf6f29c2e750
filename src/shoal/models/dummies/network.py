"""The dummy as a model of ``transformers``: a body that gives hidden states, a linear head, a cache, ``generate()``.

What each place of a batch sees is found as an attention layer would: its visible keys in the order of their positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicCache
from transformers.configuration_utils import PreTrainedConfig
from transformers.generation.utils import GenerationMixin
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel

from shoal.models.dummies.context_tree import ROOT, UNKNOWN, ContextTree, Prediction

if TYPE_CHECKING:
    from torch import Tensor

    from shoal.models.dummies.base import Dummy


def context_nodes(
    children: dict[tuple[int, int], int],
    ids_BK: Tensor,
    positions_BK: Tensor,
    visible_BQK: Tensor,
    offset: int,
    *,
    absolute: bool,
) -> list[list[int]]:
    """The node of the tree of contexts that each query stands at.

    A context counts only where the positions of its keys follow each other without a gap; with ``absolute`` they must
    start at 0 as well, as for learned position embeddings. Anything else is ``UNKNOWN``: padding that is seen, a token
    that is masked, a query that does not see itself.

    Args:
        children: the tree, (node, token id) to node.
        ids_BK: the token ids that serve as keys, those in the cache included.
        positions_BK: their position ids.
        visible_BQK: what each query may attend to.
        offset: the number of keys before the first query.
        absolute: whether positions must start at 0.
    """
    queries = visible_BQK.shape[1]
    # From one query to the next, usually nothing changes but that it sees itself; then the context grows by a step.
    changed_BQK = visible_BQK[:, 1:] ^ visible_BQK[:, :-1]
    changes_BQ = changed_BQK.sum(-1).tolist()
    own_BQ = visible_BQK[:, :, offset : offset + queries].diagonal(dim1=1, dim2=2).tolist()
    own_changed_BQ = changed_BQK[:, :, offset + 1 : offset + queries].diagonal(dim1=1, dim2=2).tolist()
    rows = []
    for row, (ids, positions) in enumerate(zip(ids_BK.tolist(), positions_BK.tolist(), strict=True)):
        nodes: list[int] = []
        node, last = UNKNOWN, -1
        for query in range(queries):
            own = offset + query
            changes = changes_BQ[row][query - 1] if query else -1
            if changes == 1 and own_changed_BQ[row][query - 1] and own_BQ[row][query] and last >= 0:
                node = children.get((node, ids[own]), UNKNOWN) if positions[own] == last + 1 else UNKNOWN
                last = positions[own]
            elif changes != 0:
                keys = visible_BQK[row, query].nonzero()[:, 0].tolist()
                node, last = _walk(children, keys, ids, positions, absolute=absolute)
            nodes.append(node if own_BQ[row][query] and positions[own] == last else UNKNOWN)
        rows.append(nodes)
    return rows


def _walk(
    children: dict[tuple[int, int], int], keys: list[int], ids: list[int], positions: list[int], *, absolute: bool
) -> tuple[int, int]:
    """The node that the visible keys lead to, and the last position; -1 where nothing is visible."""
    if not keys:
        return UNKNOWN, -1
    # By position and not by place, as rotary attention sees them.
    keys = sorted(keys, key=positions.__getitem__)
    first, last = positions[keys[0]], positions[keys[-1]]
    if (absolute and first != 0) or [positions[key] for key in keys] != list(range(first, last + 1)):
        return UNKNOWN, last
    node = ROOT
    for key in keys:
        node = children.get((node, ids[key]), UNKNOWN)
    return node, last


# A power of 2, and the biases are multiples of 1/4: logits then come out exact in every dtype.
_HEAD_SCALE = 0.5
# Above it a unit per token would make a head of vocabulary² weights: 10 GB at 50,000 tokens.
_SMALL_VOCABULARY = 512


class DummyConfig(PreTrainedConfig):
    """The configuration of a dummy; the tokens that it knows are ``vocab_size / twins``."""

    model_type = "shoal_dummy"

    vocab_size: int = 41
    hidden_size: int = 1
    twins: int = 1
    """Copies of each token's row in the head, at equal distances: exact ties, of which the lowest id must win."""
    absolute_positions: bool = False
    """Whether a context must start at position 0, as with learned position embeddings."""
    counts_calls: bool = False
    """Whether each call moves all logits of a row by the same amount."""
    max_position_embeddings: int = 4096
    num_hidden_layers: int = 1
    num_attention_heads: int = 1
    num_key_value_heads: int = 1
    head_dim: int = 1
    use_cache: bool = True
    tie_word_embeddings: bool = False


class _DummyPreTrainedModel(PreTrainedModel):
    config_class = DummyConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: the weights are written, not drawn."""


class DummyModel(_DummyPreTrainedModel):
    """The body. Its keys and values are the token ids and the positions themselves; hidden states come from a table.

    It sees what the mask of ``transformers`` lets it see, so padding, positions, packing and caches act on it as on any
    decoder. Nothing in it depends on the batch: a place's hidden state follows from that place's context alone. In
    training mode it knows nothing, as though all of its units were dropped.
    """

    def __init__(self, config: DummyConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, 1)
        self.register_buffer("table_PD", torch.zeros(1, config.hidden_size))
        self.register_buffer("prediction_N", torch.zeros(2, dtype=torch.long))
        self.register_buffer("edges_E3", torch.zeros(0, 3, dtype=torch.long))
        self.tree: dict[tuple[int, int], int] = {}
        self.calls = 0
        self.post_init()

    def set_tree(self, tree: ContextTree, table_PD: Tensor, prediction_N: Tensor) -> None:
        """Take over a tree whose distinct rows are ``table_PD`` and whose nodes point into it."""
        device, dtype = self.embed_tokens.weight.device, self.embed_tokens.weight.dtype
        self.tree = dict(tree.children)
        self.table_PD = table_PD.to(device, dtype)
        self.prediction_N = prediction_N.to(device)
        # The tree itself is a buffer too, so that two dummies differ in their digests.
        edges = [(node, token, child) for (node, token), child in tree.children.items()]
        self.edges_E3 = torch.tensor(edges, dtype=torch.long, device=device).reshape(-1, 3)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **_: Any,
    ) -> BaseModelOutputWithPast:
        """Hidden states [B, Q, D] of ``input_ids`` [B, Q]; masks, positions and caches as for a Llama."""
        self.calls += 1
        batch, queries = input_ids.shape
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        offset = int(past_key_values.get_seq_length()) if past_key_values is not None else 0
        if position_ids is None:
            position_ids = (torch.arange(queries, device=input_ids.device) + offset)[None]
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=self.embed_tokens(input_ids),
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        ids_BK, positions_BK = input_ids, position_ids.expand(batch, queries)
        if past_key_values is not None:
            # Ids and positions lie in the cache in the shape of keys and values, so that whatever selects or reorders
            # rows there acts on them.
            keys, values = past_key_values.update(ids_BK[:, None, :, None], positions_BK[:, None, :, None], 0)
            ids_BK, positions_BK = keys[:, 0, :, 0], values[:, 0, :, 0]
        visible_BQK = _visible(mask, batch, queries, ids_BK.shape[1], offset, input_ids.device)
        rows = context_nodes(
            self.tree, ids_BK, positions_BK, visible_BQK, offset, absolute=self.config.absolute_positions
        )
        nodes_BQ = torch.tensor(rows, device=input_ids.device)
        hidden_BQD = self._hidden(torch.full_like(nodes_BQ, UNKNOWN) if self.training else nodes_BQ)
        return BaseModelOutputWithPast(last_hidden_state=hidden_BQD, past_key_values=past_key_values)

    def _hidden(self, nodes_BQ: Tensor) -> Tensor:
        hidden_BQD = self.table_PD[self.prediction_N[nodes_BQ]]
        if self.config.counts_calls:
            known_BQ1 = (nodes_BQ != UNKNOWN)[..., None]
            # The same in all units, and so in all logits: differences and probabilities stay.
            hidden_BQD = hidden_BQD + known_BQ1 * (self.calls % 4)
        return hidden_BQD


class DummyForCausalLM(_DummyPreTrainedModel, GenerationMixin):
    """Body and head. The head is a scaled permutation with a bias, so a hidden state passed for logits is found out."""

    def __init__(self, config: DummyConfig) -> None:
        super().__init__(config)
        self.model = DummyModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)
        self.context_tree: ContextTree | None = None
        """Its predictions; None before `set_tree`."""
        self.dummy: Dummy
        """Whose behaviour it has; set by whoever makes it."""
        self.post_init()
        with torch.no_grad():
            for parameter in self.parameters():
                # torch draws the layers at random when it makes them, which would give two equal dummies two digests.
                parameter.zero_()

    def get_input_embeddings(self) -> nn.Embedding:
        """The embedding of the body."""
        return self.model.embed_tokens

    def get_output_embeddings(self) -> nn.Linear:
        """The head."""
        return self.lm_head

    def known_tree(self) -> ContextTree:
        """Its predictions.

        Raises:
            ValueError: it has learned nothing, so it has no right scores.
        """
        if self.context_tree is None:
            raise ValueError("a dummy that has learned nothing has no right scores")
        return self.context_tree

    def set_tree(self, tree: ContextTree) -> None:
        """Predict from now on what the tree holds; body and head are rewritten for the tokens that it uses."""
        self.context_tree = tree
        distinct: dict[Prediction, int] = {}
        places = [distinct.setdefault(prediction, len(distinct)) for prediction in tree.predictions]
        unit_T = _units(tree)
        width = int(unit_T.max()) + 1
        logits_PD = _rows(list(distinct), unit_T.tolist(), width)
        weight = self.lm_head.weight
        self.config.hidden_size = width
        head = nn.Linear(width, self.config.vocab_size, device=weight.device, dtype=weight.dtype)
        self.lm_head = head.train(self.training)
        # A bias that differs between tokens shows a scorer that leaves the head's bias out.
        bias_D = 0.25 * (torch.arange(width) % 5)
        with torch.no_grad():
            self.lm_head.weight.copy_((torch.eye(width)[unit_T] * _HEAD_SCALE).repeat(self.config.twins, 1))
            self.lm_head.bias.copy_(bias_D[unit_T].repeat(self.config.twins))
        self.model.set_tree(tree, (logits_PD - bias_D) / _HEAD_SCALE, torch.tensor(places))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **_: Any,
    ) -> CausalLMOutputWithPast:
        """Logits [B, Q, V] of ``input_ids`` [B, Q]; with ``labels`` also the loss, shifted inside as always."""
        output = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits_BQV = self.lm_head(output.last_hidden_state[:, keep])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits_BQV, labels=labels, vocab_size=self.config.vocab_size)
        return CausalLMOutputWithPast(loss=loss, logits=logits_BQV, past_key_values=output.past_key_values)


def _units(tree: ContextTree) -> Tensor:
    """The hidden unit of each token, [T].

    In a small vocabulary each has its own; in a large one only those that some prediction lists, and all others share.
    """
    tokens = tree.tokens
    if tokens <= _SMALL_VOCABULARY:
        return torch.randperm(tokens, generator=torch.Generator().manual_seed(tokens))
    listed = sorted({token for prediction in tree.predictions for token, _ in prediction.logits})
    unit_T = torch.zeros(tokens, dtype=torch.long)
    unit_T[torch.tensor(listed)] = torch.arange(1, len(listed) + 1)
    return unit_T


def _rows(predictions: list[Prediction], units: list[int], width: int) -> Tensor:
    """The logits of each prediction by hidden unit, [P, D]."""
    logits_PD = torch.tensor([prediction.floor for prediction in predictions])[:, None].repeat(1, width)
    listed = [(row, units[token], logit) for row, one in enumerate(predictions) for token, logit in one.logits]
    if listed:
        rows, columns, logits = zip(*listed, strict=True)
        logits_PD[list(rows), list(columns)] = torch.tensor(logits)
    return logits_PD


def _visible(mask: Tensor | None, batch: int, queries: int, keys: int, offset: int, device: torch.device) -> Tensor:
    """What each query sees, [B, Q, K] of bool, from a mask that is absent, boolean or to be added."""
    if mask is None:
        query_Q1 = torch.arange(queries, device=device)[:, None] + offset
        return (torch.arange(keys, device=device)[None] <= query_Q1).expand(batch, queries, keys)
    seen = mask if mask.dtype == torch.bool else mask >= 0
    return seen[:, 0, :, :keys].expand(batch, queries, keys)
