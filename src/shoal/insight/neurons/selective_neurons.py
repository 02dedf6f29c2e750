"""Selective neurons over a corpus: which they are, their classes of tokens, and their top activations.

A first pass over the texts collects the top activations of all neurons and their sums by token, a second the
activations of the chosen neurons alone. A neuron is called selective where its separation is one that neurons of
shuffled models do not reach: with random weights, too, every neuron likes some tokens better than others.

Shapes: C neurons of all blocks side by side, N positions of all texts, X neurons of shuffled models.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError, ModelError, UsageError
from shoal.insight.hooks import component_name, find_parts
from shoal.insight.neurons.activations import corpus_rows, neuron_activations, null_separations, top_activations
from shoal.insight.neurons.selectivity import Selectivity, selectivity
from shoal.insight.options import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.neurons.activations import TopActivations
    from shoal.insight.options import AnalysisOptions

# On either side about a line of text, in which a reader sees what a neuron reacts to.
_CONTEXT = 8
"""Tokens shown on either side of an example."""

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSettings:
    """How much is read of a corpus and reported."""

    count: int = 20
    """Neurons that are reported, where none are named."""

    examples: int = 8
    """Top activations that are reported of each."""

    max_tokens: int = 256
    """Tokens that are read of one text at most."""

    shuffles: int = 4
    """Shuffled models that give the null distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronExample:
    """One of the top activations of a neuron."""

    activation: float
    text: int
    """Number of the text."""

    position: int
    """Number of the token in the text."""

    token: str
    before: str
    """The text before the token."""

    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronReport:
    """What one neuron fires on."""

    block: int
    neuron: int
    examples: tuple[NeuronExample, ...]
    """Its top activations, the highest first."""

    tokens: tuple[str, ...]
    """Its class: the tokens with the highest mean activation, found on half of the texts."""

    token_ids: tuple[int, ...]
    token_means: tuple[float, ...]
    auc: float
    """How well its activation separates them from all others on the other half; 0.5 is chance."""

    auc_p_value: float
    """One-sided p-value of the AUC (Mann and Whitney)."""

    separation: float
    """Distance between class and other tokens in standard deviations; see `shoal.insight.neurons.selectivity`."""

    p_value: float
    """Share of the neurons of shuffled models with at least this separation."""

    selective: bool
    """Whether both p-values are at most alpha."""

    @property
    def name(self) -> str:
        """The name of the neuron."""
        return component_name(self.block, "neuron", self.neuron)

    @property
    def examples_agree(self) -> bool:
        """Whether at least half of the top activations are at tokens of its class."""
        return 2 * sum(example.token in self.tokens for example in self.examples) >= max(1, len(self.examples))

    @property
    def strongest_tokens(self) -> tuple[str, ...]:
        """The tokens of the top activations, the most frequent first."""
        return tuple(token for token, _ in Counter(example.token for example in self.examples).most_common(3))

    def fires_on(self) -> str:
        """Describe its class, and its top activations where they are at other tokens."""
        tokens = " ".join(map(repr, self.tokens))
        if self.examples_agree or not self.tokens:
            return tokens
        return f"on average most at {tokens}, but strongest at {' '.join(map(repr, self.strongest_tokens))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronReports:
    """What `find_selective_neurons` returns."""

    neurons: tuple[NeuronReport, ...]
    """The reported ones, the most selective first."""

    texts: int
    tokens: int
    """Number of tokens that were read."""

    alpha: float

    selective: int
    """Number of all neurons whose separation is significant at alpha."""

    all_neurons: int
    null_neurons: int
    """Number of neurons of shuffled models they were compared with."""

    def __str__(self) -> str:
        title = f"{self.selective} of {self.all_neurons} neurons are selective; the most selective"
        return "\n".join([title, *(f"  {each.name}  {each.fires_on()}" for each in self.neurons[:_SHOWN])])

    def to_frame(self) -> pandas.DataFrame:
        """A row per reported neuron, without its examples."""
        import pandas

        rows = [asdict(each) | {"fires_on": each.fires_on()} for each in self.neurons]
        return pandas.DataFrame(rows).drop(columns="examples", errors="ignore")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def find_selective_neurons(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    neurons: Sequence[tuple[int, int]] | None = None,
    settings: NeuronSettings | None = None,
    options: AnalysisOptions = DEFAULTS,
) -> NeuronReports:
    """Find the neurons that fire on a class of tokens, and the class of each.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        texts: the corpus; the beginning of each is read.
        neurons: (block, neuron) of those to report; None takes the most selective ones.
        settings: how much is read and reported.
        options: alpha of the p-values, seed of the shuffled models, and progress callback.

    Raises:
        ModelError: the MLPs could not be taken apart.
        DataError: fewer than two texts hold tokens.
        UsageError: a neuron that the model does not have.
    """
    settings = settings or NeuronSettings()
    parts = find_parts(model)
    if not parts.neurons:
        raise ModelError(f"the MLPs of {parts.name} could not be taken apart, so there are no neurons to show")
    rows = corpus_rows(parts, tokenizer, texts, settings.max_tokens)
    if len(rows) < 2:
        raise DataError(
            f"what a neuron fires on is found on one half of the texts and confirmed on the other; give two texts with "
            f"tokens at least, not {len(rows)}"
        )
    _check(parts, neurons)
    top, separation_C = top_activations(parts, rows, settings.examples, options)
    null_X = null_separations(parts, rows, settings.shuffles, options)
    # One more in numerator and denominator: the neuron itself is one of the draws.
    p_C = (1 + len(null_X) - torch.searchsorted(null_X, separation_C)) / (1 + len(null_X))
    chosen = [block * parts.neurons + neuron for block, neuron in neurons or ()]
    if neurons is None:
        # The activations of the chosen ones alone are stored: those of all neurons at all positions would fill the
        # memory.
        chosen = separation_C.topk(min(settings.count, len(separation_C))).indices.tolist()
    activation_NC, ids_N, finding_N = neuron_activations(parts, rows, chosen, options)
    reports = [
        _report(
            tokenizer,
            divmod(neuron, parts.neurons),
            _examples(top, neuron, rows, tokenizer),
            selectivity(activation_NC[:, column], ids_N, finding_N),
            separation=float(separation_C[neuron]),
            p_value=float(p_C[neuron]),
            alpha=options.alpha,
        )
        for column, neuron in enumerate(chosen)
    ]
    reports.sort(key=lambda report: (not report.selective, -report.separation))
    return NeuronReports(
        neurons=tuple(reports),
        texts=len(rows),
        tokens=sum(map(len, rows)),
        alpha=options.alpha,
        selective=int((p_C <= options.alpha).sum()),
        all_neurons=len(p_C),
        null_neurons=len(null_X),
    )


def _report(
    tokenizer: PreTrainedTokenizerFast,
    component: tuple[int, int],
    examples: tuple[NeuronExample, ...],
    found: Selectivity | None,
    *,
    separation: float,
    p_value: float,
    alpha: float,
) -> NeuronReport:
    """The report on one neuron; without a class where no token was frequent enough."""
    return NeuronReport(
        block=component[0],
        neuron=component[1],
        examples=examples,
        tokens=() if found is None else tuple(tokenizer.decode([id_]) for id_ in found.ids),
        token_ids=() if found is None else found.ids,
        token_means=() if found is None else found.means,
        auc=math.nan if found is None else found.auc,
        auc_p_value=1.0 if found is None else found.p_value,
        separation=separation,
        p_value=p_value,
        # Both tests: separation compares with shuffled models, the AUC with the other tokens of unseen texts.
        selective=found is not None and max(p_value, found.p_value) <= alpha,
    )


def _check(parts: Parts, neurons: Sequence[tuple[int, int]] | None) -> None:
    """Refuse neurons that the model does not have."""
    for block, neuron in neurons or ():
        if not (0 <= block < len(parts.blocks) and 0 <= neuron < parts.neurons):
            raise UsageError(
                f"there is no neuron {neuron} in block {block}: {parts.name} has blocks 0 to {len(parts.blocks) - 1} "
                f"with neurons 0 to {parts.neurons - 1}"
            )


def _examples(
    top: TopActivations, neuron: int, rows: Sequence[list[int]], tokenizer: PreTrainedTokenizerFast
) -> tuple[NeuronExample, ...]:
    """The top activations of one neuron in their context."""
    offsets = [0, *itertools.accumulate(map(len, rows))]
    found = []
    pairs = zip(top.value_CT[neuron].tolist(), top.place_CT[neuron].tolist(), strict=True)
    for activation, place in pairs:
        if place < 0:  # the corpus has fewer positions than examples are wanted
            continue
        text = bisect.bisect_right(offsets, place) - 1
        position = place - offsets[text]
        ids = rows[text]
        found.append(
            NeuronExample(
                activation=activation,
                text=text,
                position=position,
                token=tokenizer.decode([ids[position]]),
                before=tokenizer.decode(ids[max(0, position - _CONTEXT) : position]),
                after=tokenizer.decode(ids[position + 1 : position + 1 + _CONTEXT]),
            )
        )
    return tuple(found)
