"""Does a model compare what stands in its answer with the number that its prompt asks for? Asked without fine-tuning.

Every prompt asks for one of the numbers 1 to 30, and the same list of all of them stands behind each. What is read is
the log-odds of the end token after every number of the list. Since the list is the same, whatever makes an end likely
at one place or behind one prompt, and is no comparison of the two, is in the means of the columns and rows.

    nice -n 15 python -m benchmarks.ending bundled:searches random:bundled:searches bundled:stories
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.models import load_model
from shoal.tasks import make_task

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LARGEST = 30
RESAMPLES = 2000
# Every number is met early and late in the list, so that the two orders together do not favour its second half.
SHUFFLED = [int(k) + 1 for k in np.random.default_rng(0).permutation(LARGEST)]
COUNTED = list(range(1, LARGEST + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Prompts for each number, the orders in which the list stands behind them, and what is read behind its numbers."""

    prompts: tuple[str, ...]
    orders: tuple[Sequence[int], ...]
    answered: str = ""
    """What the list says behind every number."""
    answer: str | None = None
    """What shows that a number is found; None for the end token."""


@cache
def askings() -> dict[str, Asking]:
    """The task's wording, and those of the stories of `bundled:searches`; the list counts up, or is in random order.

    In a guess every number is followed by its answer, so that "yes" is read in the place of the end.
    """
    task = make_task("counting", largest=LARGEST)
    by_number = {example.tags["index"]: example.prompt for example in (*task.seen, *task.held_out)}
    own = tuple(f"Tom looked for {'1' * number}:" for number in COUNTED)
    guess = tuple(f"Tom has {'1' * number}:" for number in COUNTED)
    return {
        "task": Asking(prompts=tuple(by_number[number] for number in COUNTED), orders=(COUNTED,)),
        "own wording": Asking(prompts=own, orders=(COUNTED,)),
        "own story": Asking(prompts=own, orders=(SHUFFLED, SHUFFLED[::-1])),
        "own guess": Asking(prompts=guess, orders=(SHUFFLED, SHUFFLED[::-1]), answered=" no", answer=" yes"),
    }


def measure(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> dict[str, dict[str, Any]]:
    """The measures of every wording, each as a mean over the numbers asked for with its 95% bootstrap interval.

    Args:
        model: a causal language model; it is left in the mode in which it was.
        tokenizer: its tokenizer, with an end token.
    """
    return {
        name: summarize([found_log_odds(model, tokenizer, asking, order) for order in asking.orders])
        for name, asking in askings().items()
    }


def found_log_odds(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, asking: Asking, order: Sequence[int]
) -> np.ndarray[Any, Any]:
    """Row by number asked for, column by number of the list: the log-odds, in nats, that it is taken as found."""
    import torch

    listed = "".join(" " + "1" * number + asking.answered for number in order)
    stops = np.cumsum([1 + number + len(asking.answered) for number in order]) - len(asking.answered)
    answer = tokenizer.eos_token_id
    if asking.answer is not None:
        answer = tokenizer(asking.answer, add_special_tokens=False)["input_ids"][0]
    rows, places = [], []
    for prompt in asking.prompts:
        encoded = tokenizer(prompt + listed, add_special_tokens=False, return_offsets_mapping=True)
        place_of = {stop: place for place, (_, stop) in enumerate(encoded["offset_mapping"])}
        rows.append(torch.tensor(encoded["input_ids"]))
        places.append([place_of[len(prompt) + int(stop)] for stop in stops])
    # Padding stands on the right, where a causal model does not see it.
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[torch.arange(len(rows))[:, None], torch.tensor(places)].double()
    log_p = logits.log_softmax(-1)[..., answer].numpy()
    table: np.ndarray[Any, Any] = (log_p - np.log(-np.expm1(log_p)))[:, np.argsort(order)]
    return table


def summarize(tables: Sequence[np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Right places, rank and contrast, means over the tables of one wording.

    ``right``: the share of numbers behind which, of all places, the end is likeliest at the right one (by chance 1 in
    30). ``rank``: the share of wrong places at which the end is less likely than at the right one, once the means of
    row and column are taken away (by chance .5). ``contrast``: what is left of the log-odds at the right place, in nats
    (by chance 0).
    """
    each: dict[str, list[np.ndarray[Any, Any]]] = {"right": [], "rank": [], "contrast": []}
    for table in tables:
        size = len(table)
        left = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
        found = np.diag(left)[:, None]
        each["right"].append(table.argmax(1) == np.arange(size))
        # The right place itself is no rival: it would tie with itself.
        each["rank"].append(((left < found).sum(1) + ((left == found).sum(1) - 1) / 2) / (size - 1))
        each["contrast"].append(np.diag(left))
    summary: dict[str, Any] = {}
    generator = np.random.default_rng(0)
    for name, values in each.items():
        by_number = np.mean(values, 0)
        drawn = by_number[generator.integers(0, len(by_number), (RESAMPLES, len(by_number)))].mean(1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        summary[name] = [round(float(value), 3) for value in (by_number.mean(), low, high)]
    return summary


def main() -> None:
    """Each model's measures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="model specs")
    for spec in parser.parse_args().models:
        loaded = load_model(spec, device="cpu")
        print(json.dumps({"model": spec} | measure(loaded.model, loaded.tokenizer)), flush=True)


if __name__ == "__main__":
    main()
