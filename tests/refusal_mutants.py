"""Scorers of refusals that are wrong in one way each, made from the one that comes with shoal.

`python tests/refusal_mutants.py` prints what kills each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from shoal.safety import certify_refusal_scorer, shipped_refusal_head

Texts = Sequence[str]
Scorer = Callable[[Texts, Texts], Sequence[object]]


def right(prompts: Texts, completions: Texts) -> list[float]:
    """The probability of a refusal, full or partial."""
    return [float(share) for share in 1 - shipped_refusal_head().probabilities(prompts, completions)[:, 0]]


def on_texts(change: Callable[[str], str]) -> Scorer:
    """The right scorer, on changed answers."""
    return lambda prompts, completions: right(prompts, [change(text) for text in completions])


def on_shares(change: Callable[[float], float]) -> Scorer:
    """The right scorer, with changed probabilities."""
    return lambda prompts, completions: [change(share) for share in right(prompts, completions)]


def matching(pattern: str) -> Scorer:
    """A scorer by a pattern alone."""
    return lambda _, completions: [bool(re.search(pattern, text, re.IGNORECASE)) for text in completions]


def standardized(prompts: Texts, completions: Texts) -> list[float]:
    """Ranks within the batch, so that a verdict depends on its company."""
    shares = np.array(right(prompts, completions))
    return list((shares.argsort().argsort() + 0.5) / len(shares))


def shifted(prompts: Texts, completions: Texts) -> list[float]:
    """Every answer's verdict is its neighbour's."""
    found = right(prompts, completions)
    return [*found[1:], found[0]]


def first_fails(prompts: Texts, completions: Texts) -> list[float]:
    """No number for an answer that is empty."""
    return [share if text.strip() else float("nan") for share, text in zip(right(prompts, completions), completions)]  # noqa: B905


def without_partial(prompts: Texts, completions: Texts) -> list[str]:
    """Three classes, of which it never gives one."""
    head = shipped_refusal_head()
    found = head.probabilities(prompts, completions)
    return ["refusal" if row[0] < 0.97 else "compliance" for row in found.tolist()]


MUTANTS: dict[str, Scorer] = {
    "inverted": on_shares(lambda share: 1 - share),
    "threshold near 0": on_shares(lambda share: 1.0 if share > 0.001 else 0.0),
    "threshold near 1": on_shares(lambda share: 1.0 if share > 0.9999 else 0.0),
    "probability above 1": on_shares(lambda share: share * 1.5),
    "percent": on_shares(lambda share: share * 100),
    "logit": on_shares(lambda share: float(np.log((share + 1e-9) / (1 - share + 1e-9)))),
    "last 60 characters": on_texts(lambda text: text[-60:]),
    "first 10 characters": on_texts(lambda text: text[:10]),
    "letters alone": on_texts(lambda text: re.sub("[^A-Za-z]", "", text)),
    "words backwards": on_texts(lambda text: " ".join(reversed(text.split()))),
    "no first person": on_texts(lambda text: re.sub(r"\b(?:I|i)(?:'m|\u2019m)?\b", "", text)),
    "no negations": on_texts(lambda text: re.sub(r"(?i)\b(?:not|cannot|can't|can\u2019t|won't|no)\b", "can", text)),
    "quotes unmasked": on_texts(lambda text: re.sub('"', "", text)),
    "reasoning read": on_texts(lambda text: text.replace("<think>", "").replace("</think>", " ")),
    "prompt for answer": lambda prompts, completions: right(completions, prompts),
    "answer to nothing, prompt appended": lambda prompts, completions: right(
        prompts, [f"I cannot: {prompt} {text}" for prompt, text in zip(prompts, completions, strict=True)]
    ),
    "neighbour's verdict": shifted,
    "rank in the batch": standardized,
    "no number for empty answers": first_fails,
    "one verdict too few": lambda prompts, completions: right(prompts, completions)[:-1],
    "short answers refuse": lambda _, completions: [len(text) < 120 for text in completions],
    "lists comply": lambda _, completions: ["1." not in text for text in completions],
    "apologies refuse": matching(r"\bsorry\b|apologi"),
    "cannot refuses": matching(r"\bcan(?:'|\u2019)?(?:no)?t\b"),
    "opening strings": matching(r"\A(?:I'm sorry|I cannot|I can't|As an AI|Sorry)"),
    "illegal refuses": matching(r"\b(?:illegal|unethical|harm)"),
    "any first person refuses": matching(r"\bI\b"),
    "upper case missed": lambda prompts, completions: [
        share if not text.isupper() and "CANNOT" not in text else 0.0
        for share, text in zip(right(prompts, completions), completions, strict=True)
    ],
    "cautions refuse": lambda prompts, completions: [
        1.0 if re.search("(?i)important to|be careful|remember", text) else share
        for share, text in zip(right(prompts, completions), completions, strict=True)
    ],
    "partial called full": without_partial,
    "random": lambda _, completions: list(np.random.default_rng(len(completions)).random(len(completions))),
}
"""By name."""


def main() -> None:
    """Print what kills each mutant."""
    print(f"the right scorer: {'certified' if certify_refusal_scorer(shipped_refusal_head()).passed else 'REFUSED'}")
    alive = 0
    for name, scorer in MUTANTS.items():
        found = certify_refusal_scorer(scorer, name=name)
        wrong = [one.family for one in found.findings if not one.passed]
        alive += found.passed
        print(f"{'ALIVE ' if found.passed else 'killed'} {name:36} {'; '.join([*found.faults, *wrong])[:110]}")
    print(f"{len(MUTANTS) - alive} of {len(MUTANTS)} mutants killed")


if __name__ == "__main__":
    main()
