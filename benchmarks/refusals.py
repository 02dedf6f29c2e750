"""Scorers of refusals on XSTest's human labels, and what the correction of a rate covers.

    python -m benchmarks.refusals [--data ../shared/data] [--out FILE] [--resamples 1000]

Every answer is scored by a head that learned neither from its model nor from its prompt; string match and garak's
detectors (where garak is installed) learn from nothing. Intervals are over prompts. Then samples of prompts are drawn
again and again, and it is counted how often the intervals of the raw and of the corrected rate hold the human one. It
takes some two minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.processes import DATA
from shoal.errors import UnavailableError
from shoal.safety import (
    GARAK_DETECTORS,
    LabelledAnswer,
    apply_temperatures,
    fit_temperatures,
    garak_refusals,
    held_out_probabilities,
    matches_refusal,
    measure_refusal_agreement,
    read_labelled_answers,
    read_xstest,
    shipped_refusal_head,
)
from shoal.statistics import correct_share, measure_error_rates, prediction_powered_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN = Path(__file__).parents[1] / "recipes" / "refusals_seed.jsonl"
SEEDS = (0, 1, 2)
SAMPLE = 200
LABELLED = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    answers, own = read_xstest(options.data / "xstest"), read_labelled_answers(OWN, model="shoal")
    found: dict[str, Any] = {"scorers": [], "seeds": []}
    probabilities_N3 = held_out(answers, own, seed=0)
    guesses = {"shoal's head": [share >= 0.5 for share in 1 - probabilities_N3[:, 0]], **others(answers)}
    print(f"{len(answers):,} answers\n")
    for name, guess in guesses.items():
        shares_N3 = probabilities_N3 if name == "shoal's head" else hard(guess)
        conducts = (
            shipped_refusal_head().decide(shares_N3)
            if name == "shoal's head"
            else ["refusal" if one else "compliance" for one in guess]
        )
        one = measure_refusal_agreement(
            [answer.label for answer in answers], shares_N3, conducts, groups=[answer.prompt_id for answer in answers]
        )
        print(f"{name}\n{one}\n")
        found["scorers"].append({"scorer": name, **one.to_dict()})
    for seed in SEEDS[1:]:
        shares_N3 = held_out(answers, own, seed=seed)
        right = [
            bool(share >= 0.5) == refuses(answer) for share, answer in zip(1 - shares_N3[:, 0], answers, strict=True)
        ]
        print(f"other folds of the prompts (seed {seed}): accuracy {np.mean(right):.4f}")
        found["seeds"].append({"seed": seed, "accuracy": float(np.mean(right))})
    print()
    shares = (1 - probabilities_N3[:, 0]).tolist()
    for row in coverage(answers, guesses["shoal's head"], shares, options.resamples):
        print(
            f"{row['rate']:52} human {row['human']:.3f}  covered: raw {row['raw']:.1%}, "
            f"corrected {row['corrected']:.1%} (half width {row['half_width']:.3f})"
        )
        found.setdefault("coverage", []).append(row)
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def held_out(answers: Sequence[LabelledAnswer], own: Sequence[LabelledAnswer], *, seed: int) -> NDArray[np.float64]:
    """The calibrated probabilities of heads that learned neither from an answer's model nor from its prompt."""
    raw_N3 = held_out_probabilities(answers, always=own, seed=seed)
    labels = ("compliance", "refusal", "partial")
    return apply_temperatures(raw_N3, fit_temperatures(raw_N3, np.array([labels.index(one.label) for one in answers])))


def others(answers: Sequence[LabelledAnswer]) -> dict[str, list[bool]]:
    """Whether other scorers take each answer as a refusal."""
    completions = [answer.completion for answer in answers]
    found = {"string match (Zou et al. 2023)": matches_refusal(completions)}
    try:
        for detector in GARAK_DETECTORS:
            prompts = [answer.prompt for answer in answers]
            found[f"garak {detector}"] = garak_refusals(prompts, completions, detector=detector)
    except UnavailableError as fault:
        print(f"{fault}\n")
    return found


def hard(guess: Sequence[bool]) -> NDArray[np.float64]:
    """Verdicts as probabilities."""
    refuses = np.asarray(guess, dtype=float)
    return np.stack([1 - refuses, refuses, np.zeros(len(refuses))], axis=1)


def refuses(answer: LabelledAnswer) -> bool:
    """Whether people say that it refuses, fully or partly."""
    return answer.label != "compliance"


def coverage(
    answers: Sequence[LabelledAnswer], guess: Sequence[bool], shares: Sequence[float], resamples: int
) -> list[dict[str, Any]]:
    """How often intervals hold the human rate, over samples of prompts drawn with replacement."""
    truth = np.array([refuses(answer) for answer in answers])
    guesses, probabilities = np.asarray(guess), np.asarray(shares)
    prompts = np.array([answer.prompt_id for answer in answers])
    models = np.array([answer.model for answer in answers])
    everyone = np.ones(len(answers), dtype=bool)
    rows = [
        tally("all models, errors measured on other prompts", everyone, everyone, resamples, truth, guesses, prompts)
    ]
    for model in sorted(set(models.tolist())):
        mine = models == model
        rows.append(tally(f"{model}, errors of its own kind", mine, mine, resamples, truth, guesses, prompts))
        name = f"{model}, errors of the other models"
        rows.append(tally(name, mine, ~mine, resamples, truth, guesses, prompts))
        rows.append(tally_powered(f"{model}, {LABELLED} labels of its own", mine, resamples, truth, probabilities))
    return rows


def tally(
    name: str,
    here: NDArray[np.bool_],
    there: NDArray[np.bool_],
    resamples: int,
    truth: NDArray[np.bool_],
    guesses: NDArray[np.bool_],
    prompts: NDArray[np.str_],
) -> dict[str, Any]:
    """The coverage of Rogan and Gladen's rate: ``SAMPLE`` prompts to rate, as many others to measure the errors on."""
    random = np.random.default_rng(0)
    human, held, raw_held, widths = float(truth[here].mean()), 0, 0, []
    mine, theirs = by_prompt(prompts, here), by_prompt(prompts, there)
    for _ in range(resamples):
        places, clusters = drawn(mine, random)
        known, known_clusters = drawn(theirs, random)
        errors = measure_error_rates(
            truth[known].tolist(),
            guesses[known].tolist(),
            clusters=known_clusters,
        )
        found = correct_share(guesses[places].tolist(), errors, clusters=clusters)
        held += found.low <= human <= found.high
        raw_held += found.raw_low <= human <= found.raw_high
        widths.append((found.high - found.low) / 2)
    return {"rate": name, "human": human, "raw": raw_held / resamples, "corrected": held / resamples,
            "half_width": float(np.mean(widths)), "resamples": resamples}  # fmt: skip


def tally_powered(
    name: str, here: NDArray[np.bool_], resamples: int, truth: NDArray[np.bool_], shares: NDArray[np.float64]
) -> dict[str, Any]:
    """The coverage of the prediction-powered rate, where ``LABELLED`` of a model's own answers have a label."""
    random = np.random.default_rng(0)
    places, human = np.flatnonzero(here), float(truth[here].mean())
    held, raw_held, widths = 0, 0, []
    for _ in range(resamples):
        chosen = random.choice(places, len(places))
        labelled = [(float(shares[place]), bool(truth[place])) for place in chosen[:LABELLED]]
        found = prediction_powered_share(shares[chosen[LABELLED:]].tolist(), labelled)
        held += found.low <= human <= found.high
        raw_held += found.raw_low <= human <= found.raw_high
        widths.append((found.high - found.low) / 2)
    return {"rate": name, "human": human, "raw": raw_held / resamples, "corrected": held / resamples,
            "half_width": float(np.mean(widths)), "resamples": resamples}  # fmt: skip


def by_prompt(prompts: NDArray[np.str_], part: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The places of each prompt's answers."""
    groups: dict[str, list[int]] = {}
    for place in np.flatnonzero(part).tolist():
        groups.setdefault(str(prompts[place]), []).append(place)
    return [np.array(places) for places in groups.values()]


def drawn(groups: Sequence[NDArray[np.int64]], random: np.random.Generator) -> tuple[NDArray[np.int64], list[int]]:
    """The answers to ``SAMPLE`` prompts drawn with replacement, and which draw each belongs to."""
    chosen = random.integers(0, len(groups), SAMPLE)
    parts = [groups[place] for place in chosen]
    return np.concatenate(parts), [draw for draw, part in enumerate(parts) for _ in part]


if __name__ == "__main__":
    main()
