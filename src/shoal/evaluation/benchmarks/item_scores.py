"""The values of one item under each metric of its task, as lm-evaluation-harness 0.4.13 finds them."""

from __future__ import annotations

import math
import re
import string
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.evaluation.benchmarks.items import BenchmarkItem, TaskItems
    from shoal.evaluation.benchmarks.task_files import TaskFile
    from shoal.evaluation.benchmarks.task_metrics import MetricSpec

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_DIGITS = str.maketrans("", "", string.digits)
_WHITE_SPACE = re.compile(r"\s+")


DEFINED: dict[str, tuple[str, ...]] = {
    "multiple_choice": (
        "acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "f1", "mcc", "brier_score", "correlation"
    ),
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "generate_until": ("exact_match", "bleu", "chrf", "ter"),
}  # fmt: skip
"""The metrics that each output type has values for."""


def check_metrics(task: TaskFile) -> None:
    """Refuse a metric that the task's output type has no values for, before anything is computed.

    Raises:
        UsageError: there is one.
    """
    for spec in task.metrics:
        if spec.name not in DEFINED[task.output_type]:
            raise UsageError(
                f"the metric {spec.name} of the task {task.name} is not defined for {task.output_type}, which has: "
                f"{', '.join(DEFINED[task.output_type])}"
            )


def argmax(values: Sequence[float]) -> int:
    """The place of the highest value, the first of those that are equal."""
    return max(range(len(values)), key=lambda place: (values[place], -place))


def score_likelihoods(
    items: TaskItems, item: BenchmarkItem, nats: Sequence[float], greedy: Sequence[bool]
) -> dict[str, Any]:
    """The values of an item whose texts were scored, by ``metric,filter``.

    Args:
        items: the task and its items.
        item: one of them.
        nats: the log-likelihood of each request.
        greedy: whether each continuation is what greedy decoding writes.

    Raises:
        DataError: the document lacks a column that a metric needs.
    """
    task = items.task
    if items.harness is not None:
        answers: list[Any] = list(zip(nats, greedy, strict=True))
        if task.output_type == "loglikelihood_rolling":
            answers = list(nats)
        return items.harness.values(items.instances[item.index], answers)
    make = {
        "multiple_choice": _choice_values,
        "loglikelihood": _text_values,
        "loglikelihood_rolling": _rolling_values,
    }[task.output_type]
    values = make(item, list(nats), list(greedy), items)
    if missing := [spec.name for spec in task.metrics if spec.name not in values]:
        raise DataError(f"the metric {missing[0]} of the task {task.name} needs a column ratio, which a document lacks")
    # Filters are of generated text; a likelihood is the same behind each of them.
    return {f"{spec.name},{chain.name}": values[spec.name] for chain in task.filters for spec in task.metrics}


def _text_values(_item: BenchmarkItem, nats: list[float], greedy: list[bool], _items: TaskItems) -> dict[str, Any]:
    return {"perplexity": nats[0], "acc": int(greedy[0])}


def _rolling_values(item: BenchmarkItem, nats: list[float], _greedy: list[bool], _items: TaskItems) -> dict[str, Any]:
    text = item.requests[0][1]
    by_byte = [nats[0], len(text.encode())]
    return {
        "word_perplexity": [nats[0], len(_WHITE_SPACE.split(text))],
        "byte_perplexity": by_byte,
        "bits_per_byte": by_byte,
    }


def _choice_values(item: BenchmarkItem, nats: list[float], greedy: list[bool], items: TaskItems) -> dict[str, Any]:
    count = len(item.choices)
    unconditional = nats[count:]
    nats = nats[:count]
    chosen = argmax(nats)
    per_character = argmax(_per_length(nats, [len(choice) for choice in item.choices]))
    per_byte = argmax(_per_length(nats, [len(choice.encode()) for choice in item.choices]))
    golds = item.gold if isinstance(item.gold, list) else [item.gold]
    right = [place for place in golds if place >= 0]
    # A document with several targets may have one of -1, which is never chosen.
    gold = item.gold if not items.several_targets else right
    highest = max(nats)
    # All shares are 0 where every choice is impossible.
    shares = [math.exp(nat - highest) if highest > -math.inf else 0.0 for nat in nats]
    total = math.fsum(shares) or 1.0
    values = {
        "acc": float(chosen in right),
        "acc_norm": float(per_character in right),
        "acc_bytes": float(per_byte in right),
        "exact_match": int(any(greedy[place] for place in right)),
        "f1": [gold, chosen],
        "mcc": [gold, chosen],
        "brier_score": [gold, [share / total for share in shares]],
    }
    if "ratio" in item.document:  # how often people gave the first answer
        values["correlation"] = [shares[0] / total, float(item.document["ratio"])]
    if unconditional:
        pairs = zip(nats, unconditional, strict=True)
        # Impossible with the question and without it: no number, which NumPy's argmax takes for the best there is.
        gains = [math.inf if nat == alone == -math.inf else nat - alone for nat, alone in pairs]
        values["acc_mutual_info"] = float(argmax(gains) in right)
    return values


def _per_length(nats: Sequence[float], lengths: Sequence[int]) -> list[float]:
    # Of an empty choice nothing is predicted: 0 / 0 counts as the best there is, as NumPy's argmax takes NaN.
    return [nat / length if length else math.inf for nat, length in zip(nats, lengths, strict=True)]


def score_responses(items: TaskItems, item: BenchmarkItem, responses: Sequence[str]) -> dict[str, Any]:
    """The values of an item that was answered by generated text, by ``metric,filter``.

    Args:
        items: the task and its items.
        item: one of them.
        responses: one text per repetition.

    Raises:
        DataError: the filters leave no single text, or a metric is not defined for generated text.
    """
    if items.harness is not None:
        return items.harness.values(items.instances[item.index], [list(responses)])
    found: dict[str, Any] = {}
    for chain in items.task.filters:
        left = chain.apply(responses, item.document)
        if isinstance(left, list):
            raise DataError(f"the filter {chain.name} leaves several responses; end it with take_first")
        for spec in items.task.metrics:
            found[f"{spec.name},{chain.name}"] = _TEXT_VALUES[spec.name](item.gold, left, spec)
    return found


def _exact_match(gold: Any, response: Any, spec: MetricSpec) -> float:
    golds = gold if isinstance(gold, list) else [gold]
    return float(any(_plain(each, spec) == _plain(response, spec) for each in golds))


def _plain(text: Any, spec: MetricSpec) -> Any:
    if not isinstance(text, str):  # what a table of the filter `map` gave
        return text
    for pattern in spec.options.get("regexes_to_ignore") or ():
        text = re.sub(pattern, "", text)
    if spec.options.get("ignore_case"):
        text = text.lower()
    if spec.options.get("ignore_punctuation"):
        text = text.translate(_PUNCTUATION)
    return text.translate(_DIGITS) if spec.options.get("ignore_numbers") else text


def _pair(gold: Any, response: Any, _spec: MetricSpec) -> list[Any]:
    return [gold, response if isinstance(response, str) else str(response)]


_TEXT_VALUES: dict[str, Callable[[Any, Any, MetricSpec], Any]] = {
    "exact_match": _exact_match,
    "bleu": _pair,
    "chrf": _pair,
    "ter": _pair,
}
