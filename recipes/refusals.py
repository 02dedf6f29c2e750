"""Makes the refusal head that comes with shoal, from XSTest's human labels and examples of our own.

    python recipes/refusals.py --data ../shared/data --out src/shoal/safety/trained/refusal

Equal data give an equal head. It ships weights of cues and of hashed n-grams, and no text of the
answers. What it did on models and prompts that were both held out is printed and written into its card.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shoal.files import atomic_file
from shoal.safety import (
    CONDUCTS,
    LabelledAnswer,
    RefusalHead,
    apply_temperatures,
    held_out_probabilities,
    measure_refusal_agreement,
    read_labelled_answers,
    read_xstest,
    train_refusal_head,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.safety import RefusalAgreement

OWN = Path(__file__).with_name("refusals_seed.jsonl")
SOURCE = (
    "XSTest v2 (Röttger et al. 2024): final human labels of 1,350 answers of Llama 2 70B Chat (with and without its "
    "original system prompt) and Mistral 7B Instruct to 450 prompts; prompts and labels CC BY 4.0, the answers under "
    "the terms of Meta and Mistral, none of them shipped; and 157 examples written for shoal (MIT)"
)

CARD = """# The refusal head

Reads a prompt and an answer, and gives the probabilities of full compliance, full refusal and partial refusal. Made by
`python recipes/refusals.py`; two logistic regressions over cues of what each sentence does (`shoal.safety.cues`) and
hashed n-grams of the opening, in which words of the prompt are masked. The weights are MIT, as shoal is.

## What it learned from

{source}.

The answers of the three models are under their vendors' terms (the Llama 2 Community License, Mistral's terms): read
them before you build a product on this head. No text of an answer is shipped; n-grams are hashed into buckets.

Our own examples ({counts}) stand in `recipes/refusals_seed.jsonl`. They are about other prompts than XSTest's, and some
were written after looking at errors on held-out answers, as were some cues: the figures below are a little
better for that than they would be on a set that nobody has looked at. The settings (weight of the cues, ridge,
threshold of partial refusals) were chosen on the same answers, without folds within the folds.

## How it does on models and prompts that it had not seen

Every answer is scored by a head that learned neither from its model nor from its prompt; intervals are over prompts.

```
{found}
```

| model | answers | accuracy, refusal against compliance | kappa | calibration error |
|---|---|---|---|---|
{rows}

## Calibration of the probability of a refusal, full or partial

| probability | answers | mean | share that refuses |
|---|---|---|---|
{curve}

## Limits

- English alone. What it makes of other languages means nothing, and `shoal safety rate` counts such answers.
- Partial refusals are few (126) and their F1 is low: read rates of refusals of any kind first.
- Answers that deny a harmful premise with no further word ("X was not right") count as refusals for XSTest's
  annotators, and are where it errs most.
- It reads what an answer does, not whether it is true or harmful.
- Its sensitivity and specificity are those of three models of 2023. Label a random sample of your own answers, and
  `shoal safety rate` corrects by it.
"""
"""CARD.md of the head, to be filled with what was measured."""


def main() -> None:
    """Train, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    answers, own = read_xstest(options.data / "xstest"), read_labelled_answers(OWN, model="shoal")
    held_out_N3 = held_out_probabilities(answers, always=own)
    head = train_refusal_head(answers, held_out_N3=held_out_N3, always=own, source=SOURCE)
    calibrated_N3 = apply_temperatures(held_out_N3, head.temperature)
    found = measure_refusal_agreement(
        [answer.label for answer in answers],
        calibrated_N3,
        head.decide(calibrated_N3),
        groups=[answer.prompt_id for answer in answers],
    )
    head.save(options.out)
    write_card(options.out, head, found, answers, calibrated_N3, own)
    print(found)


def write_card(
    out: Path,
    head: RefusalHead,
    found: RefusalAgreement,
    answers: Sequence[LabelledAnswer],
    calibrated_N3: NDArray[np.float64],
    own: Sequence[LabelledAnswer],
) -> None:
    """CARD.md: what the head learned from, how it does, and where it does not hold."""
    rows = "\n".join(
        f"| {model} | {len(places)} | {one.accuracy:.3f} | {one.kappa:.3f} | {one.calibration_error:.3f} |"
        for model in sorted({answer.model for answer in answers})
        for places in [[place for place, answer in enumerate(answers) if answer.model == model]]
        for one in [
            measure_refusal_agreement(
                [answers[place].label for place in places],
                calibrated_N3[places],
                head.decide(calibrated_N3[places]),
            )
        ]
    )
    curve = "\n".join(
        f"| {low:.1f} to {low + 0.1:.1f} | {count} | {mean:.3f} | {share:.3f} |"
        for low, count, mean, share in calibration_curve(answers, calibrated_N3)
    )
    counts = ", ".join(f"{sum(answer.label == name for answer in own)} {name}" for name in CONDUCTS)
    with atomic_file(out / "CARD.md") as fresh:
        fresh.write_text(
            CARD.format(source=head.source, counts=counts, found=found, rows=rows, curve=curve), encoding="utf-8"
        )


def calibration_curve(
    answers: Sequence[LabelledAnswer], calibrated_N3: NDArray[np.float64]
) -> list[tuple[float, int, float, float]]:
    """Of each tenth of probability: its beginning, the answers, their mean probability, and the share that refuses."""
    refuses = 1 - calibrated_N3[:, 0]
    truth = np.array([answer.label != "compliance" for answer in answers])
    bins = np.minimum((refuses * 10).astype(int), 9)
    return [
        (
            place / 10,
            int((bins == place).sum()),
            float(refuses[bins == place].mean()),
            float(truth[bins == place].mean()),
        )
        for place in range(10)
        if (bins == place).any()
    ]


if __name__ == "__main__":
    main()
