"""Items that are answered by generated text: greedy decoding in batches, ended by stop strings.

The text is that of the new tokens, control tokens left out, up to the first stop string, as lm-evaluation-harness has
it. Where a task wants samples (``do_sample`` with a temperature), each is drawn by a seed of the item's own, so that it
does not depend on what goes with it.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError, UsageError
from shoal.evaluation.benchmarks.task_files import DEFAULT_MAX_TOKENS
from shoal.models import decode_greedily, sample_continuations
from shoal.text import control_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.evaluation.prefix_trees import TokenRequest
    from shoal.models import FactoredModel

_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_IGNORED = ("until", "do_sample", "temperature", "top_p", "top_k", "num_beams", *_LENGTHS)
_SLACK = 4
"""Tokens beyond the length of a stop string in which it is looked for: some tokens have no text of their own."""


def room_of(generation: Mapping[str, Any], where: str) -> int:
    """How many tokens a model may generate at most.

    Args:
        generation: the settings of a task.
        where: the task, for messages.

    Raises:
        DataError: it is no whole number above 0.
    """
    given = next((generation[key] for key in _LENGTHS if generation.get(key) is not None), None)
    try:
        room = DEFAULT_MAX_TOKENS if given is None else int(given)
    except (TypeError, ValueError):
        room = 0
    if room < 1:
        raise DataError(f"the tokens that {where} generates must be a whole number above 0, not {given!r}")
    return room


def stop_strings(generation: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The strings that end a generation.

    Args:
        generation: the settings of a task.
        where: the task, for messages.

    Raises:
        DataError: one is no text. An empty one ends nothing, as in lm-evaluation-harness.
    """
    given = generation.get("until")
    stops = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(stop, str) for stop in stops):
        raise DataError(f"until of {where} must be text or a list of texts, not {given!r}")
    return tuple(stop for stop in stops if stop)


def sampling_temperature(generation: Mapping[str, Any], where: str) -> float:
    """The temperature that tokens are drawn at; 0 is greedy.

    Args:
        generation: the settings of a task.
        where: the task, for messages.

    Raises:
        UsageError: a setting is unknown or has no sense, or asks for what is not done here (beams, a truncated
            distribution).
    """
    unknown = sorted(set(generation) - set(_IGNORED))
    if unknown:
        raise UsageError(f"the generation setting {unknown[0]!r} of {where} is not known; known: {', '.join(_IGNORED)}")
    beams = generation.get("num_beams")
    if beams is not None and beams != 1:
        raise UsageError(f"{where} wants {beams} beams; only greedy decoding and sampling are done here")
    given, sample = generation.get("temperature"), generation.get("do_sample")
    if sample not in (None, True, False):
        raise UsageError(f"do_sample of {where} must be true or false, not {sample!r}")
    # lm-evaluation-harness samples at 1 where do_sample stands without a temperature.
    temperature = _number(given if given is not None else 1.0 if sample else 0.0)
    if not 0 <= temperature < math.inf:
        raise UsageError(f"the temperature of {where} must be a number of 0 or more, not {given!r}")
    if (sample is not None and not sample) or temperature == 0:
        return 0.0
    for key, off in (("top_p", 1), ("top_k", 0)):
        value = generation.get(key)
        if value is not None and value != off:
            raise UsageError(f"{where} samples with {key} {value}; only the whole distribution is sampled here")
    return temperature


def _number(value: Any) -> float:
    """A value as a number; NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan


class TextGenerator:
    """Generates with one model, which is in evaluation mode.

    Args:
        factored: the model.
        tokenizer: the model's.
    """

    def __init__(self, factored: FactoredModel, tokenizer: Any) -> None:
        self._factored = factored
        self._tokenizer = tokenizer
        self._control = control_tokens(tokenizer)

    def generate(
        self,
        prompts: Sequence[TokenRequest],
        seeds: Sequence[str],
        generation: Mapping[str, Any],
        *,
        repeats: int = 1,
        where: str,
    ) -> list[list[str]]:
        """The responses to each prompt, one per repetition.

        Args:
            prompts: as `RequestEncoder.prompts` gives them.
            seeds: a text for each, from which its samples are drawn.
            generation: the settings of a task.
            repeats: responses to each prompt.
            where: the task, for messages.
        """
        room, stops = room_of(generation, where), stop_strings(generation, where)
        temperature = sampling_temperature(generation, where)
        prefixes = [prompt.ids for prompt in prompts]
        end_id = self._tokenizer.eos_token_id
        with torch.inference_mode():
            if temperature == 0:
                rows = decode_greedily(self._factored, prefixes, [room] * len(prefixes), end_id, stop=self._stop(stops))
                # Greedy text repeats itself, so that it is generated once.
                return [[self._text(row, stops)] * repeats for row in rows]
            several = [prefix for prefix in prefixes for _ in range(repeats)]
            numbers = [_seed(f"{seed}/{turn}") for seed in seeds for turn in range(repeats)]
            model = self._factored.fast or self._factored.model
            rows = sample_continuations(
                model, several, numbers, [room] * len(several), temperature=temperature, end_id=end_id
            )
        texts = [self._text(row, stops) for row in rows]
        return [texts[start : start + repeats] for start in range(0, len(texts), repeats)]

    def _stop(self, stops: Sequence[str]) -> Callable[[Any], bool] | None:
        if not stops:
            return None
        reach = max(len(stop.encode()) for stop in stops) + _SLACK
        ends = self._end_ids(stops)

        def stopped(row: Any) -> bool:
            if row.generated[-1] in ends:
                return True
            # The end alone is decoded for each token; only where it holds a stop string is the whole text looked at.
            tail = self._tokenizer.decode(row.generated[-reach:], skip_special_tokens=True)
            if not any(stop in tail for stop in stops):
                return False
            whole = self._tokenizer.decode(row.generated, skip_special_tokens=True)
            return any(stop in whole for stop in stops)

        return stopped

    def _end_ids(self, stops: Sequence[str]) -> set[int]:
        """The control tokens among the stop strings (``<|im_end|>``), which have no text of their own."""
        return {self._control[stop] for stop in stops if stop in self._control}

    def _text(self, ids: Sequence[int], stops: Sequence[str]) -> str:
        ends = self._end_ids(stops)
        whole = list(itertools.takewhile(lambda id_: id_ not in ends, ids))
        text: str = self._tokenizer.decode(whole, skip_special_tokens=True)
        for stop in stops:
            text = text.split(stop)[0]
        return text


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
