"""All views of one text by one model; a view that this model cannot have says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from shoal.errors import DataError, ModelError, TooLongError, UsageError
from shoal.figures import HeadPattern
from shoal.insight.causes import Ablations, PatchEffects
from shoal.insight.hooks.parts import find_parts
from shoal.insight.inspection.patterns import head_patterns
from shoal.insight.inspection.stream import StreamReading, stream_readings
from shoal.insight.logits.attribution import Attribution, direct_attribution
from shoal.insight.logits.lens import LensReading, lens_readings
from shoal.insight.logits.surprise import surprisal
from shoal.insight.neurons.watched import watch_neurons
from shoal.insight.over_training import NeuronHistory, RoleHistory
from shoal.insight.roles.named import HeadRole, HeadRoles, head_roles
from shoal.insight.tokens.reading import TokenPiece, TokenReading, read_tokens
from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts
    from shoal.insight.logits.tuned import TunedLens
    from shoal.insight.neurons.watched import NeuronReports
    from shoal.progress import Progress

View = TypeVar("View")

Findings = Mapping[str, PatchEffects | Ablations | RoleHistory | NeuronHistory]
"""What was found besides the views of one text, by name: ``patching``, ``ablation``, ``neuron_ablation``,
``over_training``, ``neurons_over_training``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect_text` returns."""

    model: str
    reading: TokenReading
    tokens: tuple[str, ...]
    """What each token that the model reads says, those included that the tokenizer adds."""

    surprisal: tuple[float | None, ...]
    """Bits of each token; None for the first."""

    roles: HeadRoles | None
    patterns: tuple[HeadPattern, ...]
    stream: tuple[StreamReading, ...]
    """The residual stream, layer by layer."""

    lens: tuple[LensReading, ...]
    lens_kind: str
    """``logit lens`` or ``tuned lens``."""

    attribution: Attribution | None
    neurons: NeuronReports | None
    names: dict[int, str]
    """Ids that stand in lens and attribution, as text."""

    missing: dict[str, str]
    """By view, why it is not there."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "text": self.reading.text,
            "reading": asdict(self.reading),
            "tokens": list(self.tokens),
            "surprisal": list(self.surprisal),
            "roles": None if self.roles is None else self.roles.to_dict(),
            "attention": [
                {
                    "block": each.block,
                    "head": each.head,
                    "share": each.share,
                    "keys": each.keys_LT.tolist(),
                    "weights": each.weights_LT.tolist(),
                    "note": each.note,
                }
                for each in self.patterns
            ],
            "stream": [reading.to_dict() for reading in self.stream],
            "lens": {"kind": self.lens_kind, "layers": [reading.to_dict() for reading in self.lens]},
            "attribution": None if self.attribution is None else self.attribution.to_dict(),
            "neurons": None if self.neurons is None else self.neurons.to_dict(),
            "names": self.names,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Inspection:
        """The inspection that `to_dict` wrote, also after a trip through JSON; neurons are left out."""
        reading, roles, attribution = record["reading"], record["roles"], record["attribution"]
        return cls(
            model=record["model"],
            reading=TokenReading(
                **reading
                | {
                    "pieces": tuple(TokenPiece(**piece) for piece in reading["pieces"]),
                    "named": {name: pair and (pair[0], pair[1]) for name, pair in reading["named"].items()},
                }
            ),
            tokens=tuple(record["tokens"]),
            surprisal=tuple(record["surprisal"]),
            roles=roles and HeadRoles(**roles | {"heads": tuple(map(_head_role, roles["heads"]))}),
            patterns=tuple(
                HeadPattern(
                    block=each["block"],
                    head=each["head"],
                    keys_LT=np.asarray(each["keys"], np.uint16),
                    weights_LT=np.asarray(each["weights"], np.float32),
                    note=each["note"],
                )
                for each in record["attention"]
            ),
            stream=tuple(StreamReading(**each) for each in record["stream"]),
            lens=tuple(LensReading(**each) for each in record["lens"]["layers"]),
            lens_kind=record["lens"]["kind"],
            attribution=attribution and Attribution(**attribution),
            neurons=None,
            names={int(id_): text for id_, text in record["names"].items()},
            missing=record["missing"]
            if record["neurons"] is None
            else record["missing"] | {"neurons": "they are not read back from a record"},
        )


def _head_role(record: Mapping[str, Any]) -> HeadRole:
    return HeadRole(**dict(record) | {"roles": tuple(record["roles"])})


def inspect_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    text: str,
    *,
    name: str = "",
    corpus: Sequence[str] = (),
    target: str | None = None,
    foil: str | None = None,
    position: int = -1,
    tuned: TunedLens | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Inspection:
    """Look at a text through every view that the model has.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: its tokenizer.
        text: what the model reads.
        name: of the model, usually its spec.
        corpus: texts on which roles of place and neurons are judged; without them there are no neurons.
        target: the token whose logit is shared out; None is what the model predicts.
        foil: the token it is compared with; None is the model's second choice.
        position: where that is predicted, as a token of the text; -1 is the last.
        tuned: a tuned lens for the layers; None is the logit lens.
        seed: of random tokens and null models.
        progress: called with (what, done, total).

    Raises:
        DataError: the text has no token.
        TooLongError: it does not fit into the model's context.
        UsageError: a target or foil that is not one token, or a position outside the text.
        ModelError: the model has no blocks that could be found.
    """
    parts = find_parts(model)
    reading = read_tokens(tokenizer, text, model=name)
    ids_L = _ids(parts, reading, position)
    missing: dict[str, str] = {}

    def view(title: str, make: Callable[[], View]) -> View | None:
        try:
            return make()
        except (ModelError, DataError) as fault:
            missing[title] = str(fault)
            return None

    with torch.inference_mode():
        logits_LV = model(ids_L[None], use_cache=False).logits[0].float()
    if not bool(logits_LV.isfinite().all()):
        raise ModelError(f"{name or parts.name} gives logits that are not numbers on this text; nothing can be shown")
    goal, other = _target(tokenizer, target), _target(tokenizer, foil)
    first, second = logits_LV[position].topk(2).indices.tolist()
    goal = first if goal is None else goal
    other = (second if goal == first else first) if other is None else other
    roles = view("roles", lambda: head_roles(model, tokenizer, list(corpus), seed=seed, progress=progress))
    lens = view("lens", lambda: lens_readings(model, ids_L, tuned=tuned)) or ()
    if corpus:
        neurons = view("neurons", lambda: watch_neurons(model, tokenizer, corpus, seed=seed, progress=progress))
    else:
        neurons, missing["neurons"] = None, "no corpus was given; what neurons fire on is found on one (--corpus FILE)"
    attribution = view(
        "attribution", lambda: direct_attribution(model, ids_L, target=goal, foil=other, position=position)
    )
    told = {goal, other} | {id_ for each in lens for ids in each.top_ids for id_ in ids}
    return Inspection(
        model=name,
        reading=reading,
        tokens=tuple(piece.text or piece.token for piece in reading.pieces),
        surprisal=tuple(surprisal(logits_LV, ids_L)),
        roles=roles,
        patterns=view("attention", lambda: head_patterns(parts, ids_L, roles)) or (),
        stream=stream_readings(parts, ids_L),
        lens=lens,
        lens_kind="logit lens" if tuned is None else "tuned lens",
        attribution=attribution,
        neurons=neurons,
        names={id_: tokenizer.decode([id_]) for id_ in sorted(told)},
        missing=missing,
    )


def check_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    text: str,
    *,
    target: str | None = None,
    foil: str | None = None,
    position: int = -1,
) -> None:
    """Raise what `inspect_text` would raise of its arguments; for before anything that takes long."""
    _ids(find_parts(model), read_tokens(tokenizer, text), position)
    for token in (target, foil):
        _target(tokenizer, token)


def _ids(parts: Parts, reading: TokenReading, position: int) -> torch.Tensor:
    """The ids of the text, where the model can read them and the position is one of theirs."""
    ids = [piece.id for piece in reading.pieces]
    if not ids or not reading.plain:
        raise DataError("the text is empty, so there is nothing to look at; give at least one word")
    if parts.context is not None and len(ids) > parts.context:
        raise TooLongError(
            f"the text takes {len(ids)} tokens, and {parts.name} reads at most {parts.context}; give a shorter text"
        )
    entries = parts.model.get_input_embeddings().weight.shape[0]
    if max(ids) >= entries:
        raise DataError(f"the text has the token id {max(ids)}, and the model knows {entries}; use its own tokenizer")
    if not -len(ids) <= position < len(ids):
        raise UsageError(f"position {position} is outside of the text's {len(ids)} tokens, 0 to {len(ids) - 1}")
    return torch.tensor(ids, device=parts.model.device)


def _target(tokenizer: PreTrainedTokenizerFast, text: str | None) -> int | None:
    """The id of a token that was given as text."""
    if text is None:
        return None
    check_coverage(tokenizer, [text])
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    if len(ids) != 1:
        cut = " ".join(repr(token) for token in tokenizer.convert_ids_to_tokens(ids)) or "nothing"
        raise UsageError(f"{text!r} is not one token of this model but {cut}; give one token, its space included")
    return int(ids[0])
