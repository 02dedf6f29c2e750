"""The refusal direction: one direction of the residual stream on which refusing hangs, where there is one.

The difference of the mean activations of harmful and harmless prompts, at the last token before the answer, block by
block. Ablated, it is projected out of everything that is written to the residual stream; added, it is put onto what
its block reads. The block is chosen on a tuning part of the prompts by the odds that the answer opens as a refusal.

Source: Arditi, Obeso, Syed, Paleka, Panickssery, Gurnee and Nanda (2024), "Refusal in language models is mediated by a
single direction", arXiv:2406.11717, sections 2.3, 2.4 and appendix C. Two departures: the last position alone is
tried, and the block maximizes the effect of adding plus that of ablating, since a model that hardly refuses shows
nothing of the second.

Shapes: N prompts, K blocks, D width, V vocabulary.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError
from shoal.insight import capture, edit, find_parts
from shoal.models import factor_model
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedModel

    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.safety.tuning.chat_format import ChatFormat
    from shoal.safety.tuning.rows import SafetyRequest

REFUSAL_OPENINGS = ("I'm sorry", "I cannot", "I can't", "Sorry", "As an AI", "Unfortunately", "I apologize")
"""How refusals open; the first tokens of these stand for a refusal where a block is chosen."""

MAX_DIVERGENCE = 0.1
"""Nats by which ablation may change the first token of harmless answers, by default; as in the paper, appendix C."""

MAX_DEPTH = 0.8
"""The share of the blocks in which the direction is sought; later ones are near the words themselves (appendix C)."""

# A batch of 16 short prompts captures the residual stream of all blocks in tens of megabytes.
_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCandidate:
    """The direction of one block, on the tuning part."""

    block: int
    norm: float
    """Of the difference of means."""

    ablated_log_odds: float
    """Mean log-odds that answers to harmful prompts open as refusals, with the direction ablated."""

    added_log_odds: float
    """The same of harmless prompts, with the direction added."""

    divergence: float
    """Of the first token of harmless answers by ablation, in nats (Kullback-Leibler)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalDirection:
    """A direction and how it was chosen."""

    block: int
    """It reads the residual stream with the direction added."""

    difference_D: torch.Tensor
    """The difference of means; its length is that of the step that is added."""

    candidates: tuple[BlockCandidate, ...]
    harmful_log_odds: float
    """Of harmful prompts, without a change."""

    harmless_log_odds: float
    within_divergence: bool
    """Whether the chosen block keeps to the bound; where none does, the one that diverges least is taken."""


@contextmanager
def direction_ablated(model: PreTrainedModel, direction_D: torch.Tensor) -> Iterator[None]:
    """Within it nothing that is written to the residual stream has a part along a direction.

    Args:
        model: any causal language model of transformers.
        direction_D: of any length above 0.
    """
    unit_D = direction_D / direction_D.norm()

    def project(value: torch.Tensor) -> torch.Tensor:
        along_D = unit_D.to(value.dtype)
        projected: torch.Tensor = value - (value @ along_D)[..., None] * along_D
        return projected

    # All that writes to the residual stream; projecting the stream itself would leave later writes untouched.
    names = ("embedding", "blocks.*.attention.output", "blocks.*.mlp.output")
    with edit(model, dict.fromkeys(names, project)):
        yield


@contextmanager
def direction_added(model: PreTrainedModel, direction_D: torch.Tensor, block: int) -> Iterator[None]:
    """Within it a block reads the residual stream with a direction added, at every position.

    Args:
        model: any causal language model of transformers.
        direction_D: what is added.
        block: its number.
    """
    with edit(model, {f"blocks.{block}.residual_in": lambda value: value + direction_D.to(value.dtype)}):
        yield


def find_direction(
    model: LoadedModel,
    chat: ChatFormat,
    fit: Sequence[SafetyRequest],
    tune: Sequence[SafetyRequest],
    *,
    stride: int = 1,
    max_divergence: float = MAX_DIVERGENCE,
    progress: Progress = no_progress,
) -> RefusalDirection:
    """The difference of means of the block that moves refusals most.

    Args:
        model: a causal language model.
        chat: how a prompt stands before it.
        fit: harmful and harmless prompts, whose activations are averaged.
        tune: others, on which the block is chosen.
        stride: distance between the blocks that are tried; 2 tries every second one.
        max_divergence: nats by which ablation may change the first token of harmless answers.
        progress: called with (what, done, total).

    Raises:
        DataError: a part has no harmful or no harmless prompts, or no block differs between them; or the model has
            one block alone.
        ModelError: the model's blocks cannot be found.
    """
    means = [residual_means(model, [chat.prompt_ids(one.prompt) for one in _of_kind(fit, kind)]) for kind in (1, 0)]
    difference_KD = means[0] - means[1]
    openings = _openings(chat)
    harmful, harmless = (
        [[*chat.prompt_ids(one.prompt), *openings.before] for one in _of_kind(tune, kind)] for kind in (1, 0)
    )
    plain_NV = first_log_probabilities(model, harmless)
    depth = max(1, round(MAX_DEPTH * len(difference_KD)))
    # The first block reads the embeddings, in which the last token of all prompts is the same.
    if depth < 2:
        raise DataError(
            "the model has one block, which reads the embeddings: no direction is known before it; give a model of "
            "several blocks"
        )
    blocks = [block for block in range(1, depth, stride) if float(difference_KD[block].norm()) > 0]
    if not blocks:
        raise DataError("harmful and harmless prompts have the same activations; give prompts that differ")
    candidates = []
    for place, block in enumerate(blocks):
        progress("blocks", place, len(blocks))
        candidates.append(_try_block(model, difference_KD[block], block, (harmful, harmless), openings, plain_NV))
    progress("blocks", len(blocks), len(blocks))
    allowed = [one for one in candidates if one.divergence <= max_divergence]
    chosen = (
        max(allowed, key=lambda one: one.added_log_odds - one.ablated_log_odds)
        if allowed
        else min(candidates, key=lambda one: one.divergence)
    )
    return RefusalDirection(
        block=chosen.block,
        difference_D=difference_KD[chosen.block],
        candidates=tuple(candidates),
        harmful_log_odds=_log_odds(first_log_probabilities(model, harmful), openings),
        harmless_log_odds=_log_odds(plain_NV, openings),
        within_divergence=bool(allowed),
    )


def _of_kind(requests: Sequence[SafetyRequest], kind: int) -> list[SafetyRequest]:
    found = [one for one in requests if one.harmful == bool(kind)]
    if not found:
        raise DataError(
            f"there is no {'harmful' if kind else 'harmless'} prompt among {len(requests)}; a direction is the "
            "difference of both: give some of either"
        )
    return found


def _try_block(
    model: LoadedModel,
    difference_D: torch.Tensor,
    block: int,
    prompts: tuple[list[list[int]], list[list[int]]],
    openings: _Openings,
    plain_NV: torch.Tensor,
) -> BlockCandidate:
    harmful, harmless = prompts
    with direction_ablated(model.model, difference_D):
        both_NV = first_log_probabilities(model, [*harmful, *harmless])
    with direction_added(model.model, difference_D, block):
        added_NV = first_log_probabilities(model, harmless)
    ablated_NV = both_NV[len(harmful) :]
    # From the model as it is to the ablated one, so that a token that becomes impossible counts and noise in rare ones
    # not.
    divergence = float((plain_NV.exp() * (plain_NV - ablated_NV)).sum(-1).mean())
    return BlockCandidate(
        block=block,
        norm=float(difference_D.norm()),
        ablated_log_odds=_log_odds(both_NV[: len(harmful)], openings),
        added_log_odds=_log_odds(added_NV, openings),
        divergence=divergence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Openings:
    """The tokens by which an answer shows itself as a refusal, and what stands before them in every answer."""

    before: tuple[int, ...]
    """Where a space is a token of its own, every answer in plain text begins with it."""

    tokens: tuple[int, ...]


def _openings(chat: ChatFormat) -> _Openings:
    space = " " if chat.layout == "plain" else ""
    rows = chat.tokenizer([space + text for text in REFUSAL_OPENINGS], add_special_tokens=False)["input_ids"]
    # What all openings share, such as a space token, cannot distinguish a refusal from any other answer.
    shared = next(place for place, ids in enumerate(zip(*rows, strict=False)) if len(set(ids)) > 1)
    return _Openings(before=tuple(rows[0][:shared]), tokens=tuple(sorted({row[shared] for row in rows})))


def _log_odds(log_NV: torch.Tensor, openings: _Openings) -> float:
    """The mean log-odds that an answer opens with one of the tokens (the paper's refusal metric, section 2.3)."""
    inside_N = log_NV[:, list(openings.tokens)].logsumexp(-1)
    # Where the openings have all of the probability, rounding would give the logarithm of 0.
    outside_N = torch.log1p(-inside_N.exp().clamp(max=1 - 1e-6))
    return float((inside_N - outside_N).mean())


@torch.inference_mode()
def residual_means(model: LoadedModel, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """What each block reads at the last token, the mean over prompts (K × D).

    Args:
        model: a causal language model.
        prompts: ids.
    """
    blocks = len(find_parts(model.model).blocks)
    last: list[int] = []

    def take(_: str, value_BLD: torch.Tensor) -> torch.Tensor:
        # In float64: the direction is a small difference of two large sums, and rounding would be a part of it.
        return value_BLD[torch.arange(len(last)), torch.tensor(last)].double().sum(0)

    total_KD: torch.Tensor | None = None
    names = [f"blocks.{block}.residual_in" for block in range(blocks)]
    for rows in _batches(prompts):
        last[:] = [len(row) - 1 for row in rows]
        ids_BL, mask_BL = _padded(rows, model.model.device)
        with capture(model.model, names, reduce=take) as cache:
            model.model(input_ids=ids_BL, attention_mask=mask_BL, use_cache=False)
        sums_KD = torch.stack([cache[name] for name in names])
        total_KD = sums_KD if total_KD is None else total_KD + sums_KD
    assert total_KD is not None  # there are prompts
    return (total_KD / len(prompts)).float()


@torch.inference_mode()
def first_log_probabilities(model: LoadedModel, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """The log-probabilities of the first token of the answers (N × V).

    Args:
        model: a causal language model, with whatever is edited in it.
        prompts: ids.
    """
    factored = factor_model(model.model)
    found = []
    for rows in _batches(prompts):
        ids_BL, _ = _padded(rows, model.model.device)
        places_B = torch.arange(len(rows)), torch.tensor([len(row) - 1 for row in rows])
        if factored.head is not None and factored.padding == "right":
            found.append(factored.head.logits(factored.hidden(ids_BL)[places_B]))
        else:
            found += [factored.full_logits(torch.tensor([row], device=ids_BL.device))[:, -1] for row in rows]
    return torch.cat(found).float().log_softmax(-1)


def _batches(prompts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    for start in range(0, len(prompts), _ROWS):
        yield list(prompts[start : start + _ROWS])


def _padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, rows))
    ids_BL = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    mask_BL = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    return ids_BL, mask_BL
