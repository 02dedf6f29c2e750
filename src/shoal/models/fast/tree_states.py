"""Texts that share their beginnings, read as one tree in which each token is computed once.

The tokens stand in the order in which the tree is walked (a token, then all that follows it, then its next sibling).
A token sees itself, its ancestors, and a prefix that was read before; its position is its depth, as if its text stood
alone (tree attention: Miao et al. 2024, "SpecInfer", section 4.2). Siblings are not multiplied and then masked: each
run of tokens without a branch meets the line of its ancestors (`shoal.models.fast.run_groups`).

On a CPU in float32 exponentials are summed without subtracting the maximum, so that sums over the prefix and over the
line may be added, and the filler of a line counts for nothing by a zero in place of its value. Where a sum comes near
to overflow, or to nothing, and elsewhere throughout, a kernel of torch is used with a mask.

Shapes: N tokens, P tokens of the prefix, H heads, G heads of keys, S heads of each of them, K width of a head, R runs
of a group, Q tokens of a run, J tokens of its line, T = R · Q summed over groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import scaled_dot_product_attention

from shoal.models.attention import LOG2_E, sums_are_safe
from shoal.models.fast.kv_cache import KeyValues
from shoal.models.fast.run_groups import group_runs, split_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.fast.kv_cache import PrefixCache, States
    from shoal.models.fast.run_groups import RunGroup, TreeRun


class TreeStates(KeyValues):
    """The tokens of a tree, behind a prefix that all of its texts share."""

    def __init__(
        self, depths: Sequence[int], runs: Sequence[TreeRun], device: torch.device, prefix: PrefixCache | None = None
    ) -> None:
        """Nothing of the tree is read yet.

        Args:
            depths: the position of each token in its own text, the prefix counted.
            runs: the tokens, each in one run.
            device: of the model.
            prefix: what was read before; it stays as it is.
        """
        self._depths_1N = torch.tensor([depths], device=device)
        self._deepest = max(depths)
        self._runs = split_runs(runs)
        self._prefix = prefix
        self._lines: dict[tuple[int, bool], _Lines] = {}

    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 (the positions are those of the tree)
        """The depth of each token (1 × N)."""
        return self._depths_1N

    def attend(
        self, layer: int, query_BHLK: torch.Tensor, states: States, *, window: int, scale: float
    ) -> torch.Tensor:
        """See `KeyValues.attend`."""
        query_NHK, key_NGK, value_NGK = (part[0].transpose(0, 1) for part in (query_BHLK, *states))
        prefix = None if self._prefix is None else self._prefix.states(layer)
        out_NHK = None
        if query_NHK.device.type == "cpu" and query_NHK.dtype == torch.float32:
            # A token that sees all of its text sees all of the prefix, which then is one product for many tokens.
            lines = self._lines_of(query_NHK, key_NGK, window, prefix_apart=self._deepest < window)
            out_NHK = _by_sums(lines, query_NHK * (scale * LOG2_E), key_NGK, value_NGK, prefix)
        if out_NHK is None:
            lines = self._lines_of(query_NHK, key_NGK, window, prefix_apart=False)
            out_NHK = _by_kernel(lines, query_NHK, key_NGK, value_NGK, prefix, scale)
        return out_NHK.transpose(0, 1)[None]

    def _lines_of(self, query_NHK: torch.Tensor, key_NGK: torch.Tensor, window: int, *, prefix_apart: bool) -> _Lines:
        """The lines for a window; every layer asks, and there are one or two windows in a model."""
        window = min(window, self._deepest + 1)
        if (window, prefix_apart) not in self._lines:
            runs, length = self._runs, 0 if self._prefix is None else self._prefix.length
            filler, heads = len(query_NHK), (query_NHK.shape[1], key_NGK.shape[1])
            if not prefix_apart:
                prefix = range(filler + 1, filler + 1 + length)
                runs, length = [run.seeing(prefix, window) for run in runs], 0
            found, places = group_runs(runs, filler, length)
            groups = [_indexed(group, window, *heads, query_NHK.device) for group in found]
            place_N = torch.from_numpy(places).to(query_NHK.device)
            self._lines[window, prefix_apart] = _Lines(groups, place_N, prefix_apart)
        return self._lines[window, prefix_apart]


@dataclass(frozen=True, slots=True)
class _Group:
    """Runs of similar shape, and where their states lie."""

    query_RQ: torch.Tensor
    line_RJ: torch.Tensor
    seen_JQ: torch.Tensor
    """Which of its line each token of a run may see."""

    band_JE: torch.Tensor
    """The same as what scores are added to (0 or -∞), for the S heads of a head of keys side by side (E = S · Q)."""

    query_index: torch.Tensor
    """Rows of queries of all tokens and heads: (G, R, S, Q) of them."""

    line_index: torch.Tensor
    """Rows of states of all tokens and heads of keys: (G, R, J) of them."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """The runs of a tree in groups, for one window."""

    groups: list[_Group]
    place_N: torch.Tensor
    """The place of each token among the T of all groups."""

    prefix_apart: bool
    """Whether the prefix is no part of the lines, since every token sees all of it."""


def _indexed(group: RunGroup, window: int, heads: int, key_heads: int, device: torch.device) -> _Group:
    query_RQ, line_RJ = torch.from_numpy(group.query_RQ).to(device), torch.from_numpy(group.line_RJ).to(device)
    count = query_RQ.shape[1]
    behind_JQ = line_RJ.shape[1] - count + torch.arange(count) - torch.arange(line_RJ.shape[1])[:, None]
    seen_JQ = ((behind_JQ >= 0) & (behind_JQ < window)).to(device)
    band_JQ = torch.zeros(seen_JQ.shape, device=device).masked_fill_(~seen_JQ, -torch.inf)
    head_GS = torch.arange(heads, device=device).view(key_heads, -1)
    head_G = torch.arange(key_heads, device=device)
    return _Group(
        query_RQ=query_RQ,
        line_RJ=line_RJ,
        seen_JQ=seen_JQ,
        band_JE=band_JQ.repeat(1, heads // key_heads),
        query_index=(query_RQ[None, :, None] * heads + head_GS[:, None, :, None]).flatten(),
        line_index=(line_RJ[None] * key_heads + head_G[:, None, None]).flatten(),
    )


def _by_sums(
    lines: _Lines, query_NHK: torch.Tensor, key_NGK: torch.Tensor, value_NGK: torch.Tensor, prefix: States | None
) -> torch.Tensor | None:
    """The output (N × H × K) by sums of powers of two, queries scaled for it; None where a sum is not safe."""
    tokens, heads, width = query_NHK.shape
    key_heads = key_NGK.shape[1]
    query_AK = query_NHK.reshape(-1, width)
    states_AK = _stored(key_NGK, value_NGK, None if lines.prefix_apart else prefix)
    shared = _stored_prefix(prefix) if lines.prefix_apart and prefix is not None else None
    out_THK = query_NHK.new_empty(sum(group.query_RQ.numel() for group in lines.groups), heads, width)
    total = query_NHK.new_empty(out_THK.shape[:2].numel())
    buffer = query_NHK.new_empty(max(group.band_JE.numel() * len(group.query_RQ) for group in lines.groups) * key_heads)
    done = 0
    for group in lines.groups:
        (runs, count), length = group.query_RQ.shape, group.line_RJ.shape[1]
        query_XEK = query_AK.index_select(0, group.query_index).view(key_heads * runs, -1, width)
        line_XJK = states_AK.index_select(0, group.line_index).view(key_heads * runs, length, -1)
        weight_XJE = buffer[: key_heads * runs * group.band_JE.numel()].view(key_heads * runs, length, -1)
        torch.baddbmm(group.band_JE, line_XJK[..., :width], query_XEK.transpose(1, 2), out=weight_XJE).exp2_()
        sums_XKE = torch.bmm(line_XJK[..., width:].transpose(1, 2), weight_XJE)
        if shared is not None:
            key_GPK, value_GKP = shared
            weight_GPY = torch.bmm(key_GPK, query_XEK.view(key_heads, -1, width).transpose(1, 2)).exp2_()
            more_GKRE = torch.bmm(value_GKP, weight_GPY).view(key_heads, width + 1, runs, -1)
            sums_XKE.view(key_heads, runs, width + 1, -1).add_(more_GKRE.transpose(1, 2))
        total[done * heads : (done + runs * count) * heads].view(-1, 1, sums_XKE.shape[2]).copy_(sums_XKE[:, width:])
        out = sums_XKE[:, :width].div_(sums_XKE[:, width:]).view(key_heads, runs, width, -1, count)
        part = slice(done, done + runs * count)
        out_THK[part].view(runs, count, key_heads, -1, width).copy_(out.permute(1, 4, 0, 3, 2))
        done += runs * count
    if not sums_are_safe(total):
        return None
    return out_THK.view(done, -1).index_select(0, lines.place_N).view(tokens, heads, width)


def _stored(key_NGK: torch.Tensor, value_NGK: torch.Tensor, prefix: States | None) -> torch.Tensor:
    """Each key with its value and a one, whose weighted sum is the sum of weights; then the filler, and the prefix."""
    tokens, key_heads, width = key_NGK.shape
    length = 0 if prefix is None else prefix[0].shape[2]
    stored = key_NGK.new_empty(tokens + 1 + length, key_heads, 2 * width + 1)
    stored[..., -1] = 1.0
    stored[:tokens, :, :width] = key_NGK
    stored[:tokens, :, width:-1] = value_NGK
    stored[tokens] = 0.0
    if prefix is not None:
        stored[tokens + 1 :, :, :width], stored[tokens + 1 :, :, width:-1] = (
            part[0].transpose(0, 1) for part in prefix
        )
    return stored.view(-1, 2 * width + 1)


def _stored_prefix(prefix: States) -> tuple[torch.Tensor, torch.Tensor]:
    """Its keys (G × P × K), and its values with a row of ones (G × (K + 1) × P)."""
    key_GPK, value_GPK = prefix[0][0], prefix[1][0]
    value_GKP = torch.cat([value_GPK, value_GPK.new_ones(*value_GPK.shape[:2], 1)], dim=2).transpose(1, 2)
    return key_GPK.contiguous(), value_GKP.contiguous()


def _by_kernel(
    lines: _Lines,
    query_NHK: torch.Tensor,
    key_NGK: torch.Tensor,
    value_NGK: torch.Tensor,
    prefix: States | None,
    scale: float,
) -> torch.Tensor:
    """The output (N × H × K) by torch's kernel."""
    tokens, heads, width = query_NHK.shape
    states_AK = _stored(key_NGK, value_NGK, prefix).view(-1, key_NGK.shape[1], 2 * width + 1)
    parts = []
    for group in lines.groups:
        query_RHQK = query_NHK[group.query_RQ].transpose(1, 2)
        line_RGJK = states_AK[group.line_RJ].transpose(1, 2)
        mask_RQJ = group.seen_JQ.T & (group.line_RJ != tokens)[:, None]
        out_RHQK = scaled_dot_product_attention(
            query_RHQK,
            line_RGJK[..., :width],
            line_RGJK[..., width:-1],
            attn_mask=mask_RQJ[:, None],
            scale=scale,
            enable_gqa=heads != key_NGK.shape[1],
        )
        parts.append(out_RHQK.transpose(1, 2).reshape(-1, heads, width))
    return torch.cat(parts)[lines.place_N]
