"""All views of one text by one model; a view that the model cannot have gets a reason.

Shapes: L positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from shoal.errors import DataError, ModelError, TooLongError, UsageError
from shoal.figures import HeadPattern
from shoal.insight.head_types import HeadType, HeadTypes, find_head_types, head_patterns
from shoal.insight.hooks import find_parts, read_activations
from shoal.insight.interventions import Ablations, PatchEffects
from shoal.insight.logits import Attribution, LensReading, direct_attribution, lens_readings, surprisal
from shoal.insight.logits.lens import ResidualReading, residual_readings
from shoal.insight.neurons import find_selective_neurons
from shoal.insight.options import DEFAULTS
from shoal.insight.tokens import TokenPiece, TokenReading, read_tokens
from shoal.insight.tokens.reading import encode_texts
from shoal.insight.training_dynamics import HeadHistory, NeuronHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.logits import TunedLens
    from shoal.insight.neurons import NeuronReports
    from shoal.insight.options import AnalysisOptions

View = TypeVar("View")

Findings = Mapping[str, PatchEffects | Ablations | HeadHistory | NeuronHistory]
"""Results besides the views of one text, by name: ``patching``, ``ablation``, ``neuron_ablation``, ``over_training``,
``neurons_over_training``."""

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuery:
    """A text, and the prediction in it that is attributed to the parts of the model."""

    text: str

    target: str | None = None
    """The token whose logit is attributed; None for the token that the model predicts."""

    foil: str | None = None
    """The token it is compared with; None for the model's second choice."""

    position: int = -1
    """The token after which the target is predicted; -1 is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect_text` returns."""

    model: str
    reading: TokenReading
    tokens: tuple[str, ...]
    """The text of each token that the model reads, including those that the tokenizer adds."""

    surprisal: tuple[float | None, ...]
    """Surprisal of each token in bits; None for the first."""

    roles: HeadTypes | None
    """The types of the heads."""

    patterns: tuple[HeadPattern, ...]
    stream: tuple[ResidualReading, ...]
    """The residual stream, layer by layer."""

    lens: tuple[LensReading, ...]
    lens_kind: str
    """``logit lens`` or ``tuned lens``."""

    attribution: Attribution | None
    neurons: NeuronReports | None
    names: dict[int, str]
    """The text of the ids in lens and attribution."""

    missing: dict[str, str]
    """By name of a view, why it is missing."""

    def __str__(self) -> str:
        sections = [self._title(), *map(str, filter(None, (self.roles,)))]
        if self.lens:
            sections.append("\n".join(self._lens_lines()))
        if self.attribution is not None:
            sections.append("\n".join(self._attribution_lines(self.attribution)))
        sections += [str(self.neurons)] if self.neurons is not None else []
        sections += [f"no {view.replace('_', ' ')}: {reason}" for view, reason in self.missing.items()]
        return "\n\n".join(sections)

    def _title(self) -> str:
        known = [bits for bits in self.surprisal if bits is not None]
        mean = f", {sum(known) / len(known):.2f} bits per token" if known else ""
        return f"{self.model}: {len(self.tokens)} tokens{mean}"

    def _lens_lines(self) -> list[str]:
        return [
            f"  {each.layer:10} predicts {self.names[each.top_ids[-1][0]]!r} ({each.top_p[-1][0]:.0%}) as next token"
            for each in self.lens
        ]

    def _attribution_lines(self, attribution: Attribution) -> list[str]:
        foil = "the mean" if attribution.foil is None else repr(self.names[attribution.foil])
        title = f"logit of {self.names[attribution.target]!r} minus {foil}: {attribution.total:+.3f}, by component"
        return [title, *(f"  {value:+8.3f}  {name}" for name, value in attribution.strongest(_SHOWN))]

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
        """Rebuild the inspection from `to_dict`, also after a round trip through JSON; neurons are left out."""
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
            roles=roles and HeadTypes(**roles | {"heads": tuple(map(_head_role, roles["heads"]))}),
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
            stream=tuple(ResidualReading(**each) for each in record["stream"]),
            lens=tuple(LensReading(**each) for each in record["lens"]["layers"]),
            lens_kind=record["lens"]["kind"],
            attribution=attribution and Attribution(**attribution),
            neurons=None,
            names={int(id_): text for id_, text in record["names"].items()},
            missing=record["missing"]
            if record["neurons"] is None
            else record["missing"] | {"neurons": "they are not part of a record"},
        )


def _head_role(record: Mapping[str, Any]) -> HeadType:
    return HeadType(**dict(record) | {"roles": tuple(record["roles"])})


def inspect_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    query: TextQuery | str,
    *,
    name: str = "",
    corpus: Sequence[str] = (),
    tuned: TunedLens | None = None,
    options: AnalysisOptions = DEFAULTS,
) -> Inspection:
    """Compute every view that a model has of a text.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: its tokenizer.
        query: the text, with the prediction that is attributed or without.
        name: name of the model, usually its spec.
        corpus: texts on which head types of position and neurons are judged; without them there are no neurons.
        tuned: a tuned lens for the layers; None reads the logit lens.
        options: alpha of head types and neurons, seed of random tokens and shuffled models, and progress callback.

    Raises:
        DataError: the text has no token.
        TooLongError: it does not fit into the model's context.
        UsageError: a target or foil that is not one token, or a position outside the text.
        ModelError: the model has no blocks that could be found, or its logits are not finite.
    """
    query = TextQuery(text=query) if isinstance(query, str) else query
    parts = find_parts(model)
    reading = read_tokens(tokenizer, query.text, model=name)
    ids_L = _ids(parts, reading, query.position)
    # First of all, since a model whose logits are not finite has nothing to show.
    logits_LV = read_activations(model, ids_L[None], ["logits"])["logits"][0].float()
    if not bool(logits_LV.isfinite().all()):
        raise ModelError(f"{name or parts.name} gives logits that are not finite on this text; nothing can be shown")
    views = _Views()
    # Before the views, which take long: a wrong target is refused at once.
    target, foil = _prediction(tokenizer, query, logits_LV)
    roles = views.make("roles", lambda: find_head_types(model, tokenizer, list(corpus), options=options))
    lens = views.make("lens", lambda: lens_readings(model, ids_L, tuned=tuned)) or ()
    neurons = None
    if corpus:
        neurons = views.make("neurons", lambda: find_selective_neurons(model, tokenizer, corpus, options=options))
    else:
        views.missing["neurons"] = "no corpus was given; what neurons fire on is found on one (--corpus FILE)"
    attribution = views.make(
        "attribution", lambda: direct_attribution(model, ids_L, target=target, foil=foil, position=query.position)
    )
    shown = {target, foil} | {id_ for each in lens for ids in each.top_ids for id_ in ids}
    return Inspection(
        model=name,
        reading=reading,
        tokens=tuple(piece.text or piece.token for piece in reading.pieces),
        surprisal=tuple(surprisal(logits_LV, ids_L)),
        roles=roles,
        patterns=views.make("attention", lambda: head_patterns(parts, ids_L, roles)) or (),
        stream=residual_readings(parts, ids_L),
        lens=lens,
        lens_kind="logit lens" if tuned is None else "tuned lens",
        attribution=attribution,
        neurons=neurons,
        names={id_: tokenizer.decode([id_]) for id_ in sorted(shown)},
        missing=views.missing,
    )


class _Views:
    """Makes views, and collects the reasons of those that a model cannot have."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def make(self, name: str, view: Callable[[], View]) -> View | None:
        try:
            return view()
        # What a model cannot show. Wrong arguments and faults must not pass as a view that is missing.
        except (ModelError, DataError) as error:
            self.missing[name] = str(error)
            return None


def check_text(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, query: TextQuery | str) -> None:
    """Raise the errors of `inspect_text` that its arguments cause, before anything that takes long.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer.
        query: the text, with the prediction that is attributed or without.

    Raises:
        DataError, TooLongError, UsageError, ModelError: as `inspect_text` does.
    """
    query = TextQuery(text=query) if isinstance(query, str) else query
    _ids(find_parts(model), read_tokens(tokenizer, query.text), query.position)
    for token in (query.target, query.foil):
        _token_id(tokenizer, token)


def _prediction(tokenizer: PreTrainedTokenizerFast, query: TextQuery, logits_LV: torch.Tensor) -> tuple[int, int]:
    """Target and foil; what is not given is the model's first choice, and the best of the others."""
    first, second = logits_LV[query.position].topk(2).indices.tolist()
    target, foil = _token_id(tokenizer, query.target), _token_id(tokenizer, query.foil)
    target = first if target is None else target
    return target, (second if target == first else first) if foil is None else foil


def _ids(parts: Parts, reading: TokenReading, position: int) -> torch.Tensor:
    """The ids of the text, where the model can read them and the position is one of theirs."""
    ids = [piece.id for piece in reading.pieces]
    if not ids or not reading.plain:
        raise DataError("the text is empty, so there is nothing to inspect; give at least one word")
    if parts.context is not None and len(ids) > parts.context:
        raise TooLongError(
            f"the text takes {len(ids)} tokens, and {parts.name} reads at most {parts.context}; give a shorter text"
        )
    entries = parts.model.get_input_embeddings().weight.shape[0]
    if max(ids) >= entries:  # torch would raise an IndexError in the middle of the first view
        raise DataError(f"the text has the token id {max(ids)}, and the model knows {entries}; use its own tokenizer")
    if not -len(ids) <= position < len(ids):
        raise UsageError(f"position {position} is outside of the text's {len(ids)} tokens, 0 to {len(ids) - 1}")
    return torch.tensor(ids, device=parts.model.device)


def _token_id(tokenizer: PreTrainedTokenizerFast, text: str | None) -> int | None:
    """The id of a token that was given as text."""
    if text is None:
        return None
    ids = encode_texts(tokenizer, [text], special_tokens=False)[0]
    if len(ids) != 1:
        cut = " ".join(repr(token) for token in tokenizer.convert_ids_to_tokens(ids)) or "nothing"
        raise UsageError(f"{text!r} is not one token of this model but {cut}; give one token, its space included")
    return int(ids[0])
