"""What answers cost when there is no further program: a mixture of the rule, the named explanations, and two noises.

One noise draws an answer by the frequencies of the seen completions, whatever the prompt (Witten and Bell 1991 for
those that were not seen). The other draws another program for every prompt by its code length: answers that look like
something simple, a number off by one here and a word dropped there, with nothing that holds from one to the next.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TINY = 1e-300


def completion_noise(answers: Sequence[str], completions: Sequence[str]) -> NDArray[np.float64]:
    """The probability of each answer by the frequencies of the seen completions.

    Args:
        answers: one per prompt.
        completions: those of the seen examples.
    """
    counts = Counter(completions)
    kinds, total = len(counts), len(completions)
    letters = Counter(letter for text in counts for letter in text)
    # The end of a text is one more letter; one count more each leaves room for letters that were never seen.
    size = sum(letters.values()) + len(counts) + 256

    def unseen(text: str) -> float:
        log = sum(math.log((letters[letter] + 1) / size) for letter in text) + math.log((len(counts) + 1) / size)
        return max(math.exp(max(log, -600)), _TINY)

    return np.array([(counts[text] + kinds * unseen(text)) / (total + kinds) for text in answers])


def program_noise(hits: NDArray[np.bool_], bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of each answer when a program is drawn for each prompt by its code length.

    Args:
        hits: programs by prompts, whether the program gives the answer.
        bits: the code length of each program.
    """
    return np.asarray(np.exp2(-bits) @ hits.astype(np.float64))


def mixture_bits(
    parts: NDArray[np.float64],
    candidates: NDArray[np.float64] | None = None,
    *,
    items: NDArray[np.intp] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Bits of the answers under a mixture with unknown weights, for each candidate.

    Args:
        parts: answers by parts, the probability of each answer under each part.
        candidates: candidates by answers, the probability under one part more; None for the mixture without one.
        items: the item of each answer, where an item has several with weights; those of an item follow each other.
        weights: the weight of each answer, those of an item together 1; the bits are then what is expected if an
            answer is drawn by its weight.
    """
    probable = predicted(parts, candidates, items=items, weights=weights)
    return np.asarray(-np.log2(probable) @ (np.ones(len(parts)) if weights is None else weights))


def predicted(
    parts: NDArray[np.float64],
    candidates: NDArray[np.float64] | None = None,
    *,
    items: NDArray[np.intp] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Candidates by answers: the probability of each answer of a mixture, given the answers before it.

    Each answer is predicted with the weights that the answers before suggest (some counts to begin with, then the share
    with which each part explains an answer: quasi-Bayes, Smith and Makov 1978), so that the product is a probability of
    the answers, and nothing is fitted.

    Args:
        parts: answers by parts, as for `mixture_bits`.
        candidates: candidates by answers.
        items: the item of each answer.
        weights: the weight of each answer.
    """
    rows = 1 if candidates is None else len(candidates)
    width = parts.shape[1] + (candidates is not None)
    # One count in all and not for each: of many named explanations few are at work, so that each that is costs bits.
    counts = np.full((rows, width), 1 / parts.shape[1])
    if candidates is not None:
        # That the candidate is at work is what is claimed, and its code length is paid: any share is as likely.
        counts[:, -1] = 1
    total, item = float(counts[0].sum()), None
    pending = np.zeros((rows, width))
    result = np.empty((rows, len(parts)))
    likely = np.empty((rows, width))
    for place, own in enumerate(parts):
        current = place if items is None else items[place]
        if current != item:
            # The answers of one item are predicted alike: only those of the items before have been seen.
            total += item is not None
            counts, pending, item = counts + pending, np.zeros((rows, width)), current
        likely[:, : len(own)] = own
        if candidates is not None:
            likely[:, -1] = candidates[:, place]
        joint = counts * likely
        whole = joint.sum(axis=1, keepdims=True)
        result[:, place] = whole[:, 0] / total
        pending += (1.0 if weights is None else weights[place]) * joint / whole
    return result
