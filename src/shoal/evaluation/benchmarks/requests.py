"""Requests without a task: pairs, texts and prompts in any order, answered as the items of a task would be.

Answers do not depend on the order of the requests: what goes together follows from the requests themselves, and equal
ones are computed once. Only a prompt that is sampled several times gets a draw of its own each time.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from shoal.evaluation.benchmarks.encoding import EncodedRequest, RequestEncoder
from shoal.evaluation.benchmarks.generation import TextGenerator, room_of
from shoal.evaluation.benchmarks.packing import GENERATION_CELLS, find_header, pack_prompts, pack_requests
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.prefix_scoring import PrefixScorer, RequestScore
from shoal.models import factor_model
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.models import ScoringModel
    from shoal.progress import Progress

_TOKEN_BUDGET = 1536


class RequestAnswerer:
    """Answers requests with one model.

    Args:
        model: what `load_for_scoring` gives.
        max_length: tokens that are read at most; None takes the model's context.
        token_budget: tokens of a batch, padding included.
    """

    def __init__(
        self, model: ScoringModel, *, max_length: int | None = None, token_budget: int = _TOKEN_BUDGET
    ) -> None:
        self._model = model
        self._encoder = RequestEncoder(model.model, model.tokenizer, max_length=max_length)
        self._budget = token_budget

    @property
    def max_length(self) -> int:
        """Tokens that are read at most."""
        return self._encoder.max_length

    def log_likelihoods(
        self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None
    ) -> list[RequestScore]:
        """The log-likelihood of each continuation given its context, and whether it is what greedy decoding writes.

        Args:
            pairs: (context, continuation); the context may be empty.
            progress: called with (what, done, total).

        Raises:
            ShoalError: a request cannot be encoded or does not fit, or the logits are not numbers.
        """
        return [scores[0] for scores in self._score([[row] for row in self._encoder.pairs(pairs)], progress)]

    def rolling_log_likelihoods(self, texts: Sequence[str], *, progress: Progress | None = None) -> list[float]:
        """The log-likelihood of each text of any length, each token scored once with as much context as fits.

        Args:
            texts: not empty.
            progress: called with (what, done, total).

        Raises:
            ShoalError: as `log_likelihoods`.
        """
        found = self._score([self._encoder.windows(text) for text in texts], progress)
        return [math.fsum(score.log_likelihood for score in scores) for scores in found]

    def _score(
        self, requests: Sequence[Sequence[EncodedRequest]], progress: Progress | None
    ) -> list[list[RequestScore]]:
        if not requests:
            return []
        report = progress or no_progress
        # Equal requests are one item.
        keys = [tuple(row.request for row in rows) for rows in requests]
        names = {key: f"{place:012}" for place, key in enumerate(sorted(set(keys), key=_sort_key))}
        items = {name: key for key, name in names.items()}
        header = find_header(items)
        found: dict[str, list[RequestScore]] = {}
        with scoring_mode(self._model.model):
            longest = max(len(request.ids) for key in names for request in key)
            scorer = PrefixScorer(factor_model(self._model.model, max_length=longest))
            for block in pack_requests(items, header, self._budget):
                scores = iter(scorer.score([request for name in block for request in items[name]], header))
                for name in block:
                    found[name] = [next(scores) for _ in items[name]]
                report("requests", len(found), len(items))
        return [found[names[key]] for key in keys]

    def generate(
        self, prompts: Sequence[str], generation: Mapping[str, Any], *, progress: Progress | None = None
    ) -> list[str]:
        """The text that continues each prompt, up to the first stop string.

        Args:
            prompts: not empty; one that stands there several times gets as many samples, where the settings sample.
            generation: ``until``, ``max_gen_toks``, ``do_sample`` and ``temperature``.
            progress: called with (what, done, total).

        Raises:
            ShoalError: a prompt or a setting cannot be used.
        """
        report, where = progress or no_progress, "the request"
        room = room_of(generation, where)
        counts = Counter(prompts)
        unique = sorted(counts)
        encoded = dict(zip(unique, self._encoder.prompts(unique, room), strict=True))
        found: dict[str, Iterator[str]] = {}
        with scoring_mode(self._model.model):
            longest = max((len(each.request.ids) + room for each in encoded.values()), default=1)
            factored = factor_model(self._model.model, max_length=longest)
            generator = TextGenerator(factored, self._model.tokenizer)
            requests = {prompt: each.request for prompt, each in encoded.items()}
            for block in pack_prompts(requests, room, GENERATION_CELLS):
                # A sample follows from its prompt and its number, so that those beyond a prompt's count change nothing.
                texts = generator.generate(
                    [requests[name] for name in block],
                    block,
                    generation,
                    repeats=max(counts[name] for name in block),
                    where=where,
                )
                found |= {name: iter(each) for name, each in zip(block, texts, strict=True)}
                report("requests", len(found), len(unique))
        return [next(found[prompt]) for prompt in prompts]


def _sort_key(requests: tuple[Any, ...]) -> tuple[tuple[tuple[int, ...], int], ...]:
    return tuple((request.ids, request.boundary) for request in requests)
