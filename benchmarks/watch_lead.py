"""How long before a loss explodes the watch raises an alarm, beside the detector of trainscope on the same losses.

The scenario of trainscope (https://pypi.org/project/trainscope, ``scripts/verify_cusum_early_warning.py``), rebuilt:
a GPT-2 of two blocks and width 96 reads 12 x 63 characters of WikiText-2 a step with AdamW at 1e-3, and from step 120
on the rate grows by a fifth at each step, until the loss is ten times its mean over the 40 steps before. Its page
says that its CUSUM (threshold 6, slack 1, a window of 200) fires 9 to 11 steps before, 9.7 in the mean of three
seeds. The lead alone says little: the false alarms of both are counted at a constant rate, and the lead of the watch
is measured too at the mean time between false alarms that trainscope's detector has there. WikiText-2's validation
file is read, the part that is here.

    python -m benchmarks.watch_lead [--seeds 5]
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import numpy as np
import torch

from benchmarks.processes import DATA, ask_peer, write_result
from shoal.training.watch import Watch

CONTEXT, ROWS, WIDTH = 64, 12, 96
WARMUP, STEPS, RATE, GROWTH = 120, 260, 1e-3, 1.2
TIMES = 10.0


def losses_of(seed: int, *, steps: int, ramp: bool) -> tuple[list[float], list[float]]:
    """Losses and gradient norms of a training."""
    from transformers import GPT2Config, GPT2LMHeadModel

    text = (DATA / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")[:600_000]
    letters = sorted(set(text))
    ids = torch.tensor([letters.index(one) for one in text])
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(letters),
            n_positions=CONTEXT,
            n_embd=WIDTH,
            n_layer=2,
            n_head=4,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    losses, norms = [], []
    for step in range(steps):
        if ramp and step >= WARMUP:
            for group in optimizer.param_groups:
                group["lr"] = RATE * GROWTH ** (step - WARMUP)
        start = step * ROWS * CONTEXT % (len(ids) - ROWS * CONTEXT)
        rows = ids[start : start + ROWS * CONTEXT].reshape(ROWS, CONTEXT)
        loss = model(input_ids=rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
        optimizer.step()
        losses.append(loss.item())
        norms.append(float(norm))
        if not np.isfinite(losses[-1]) or losses[-1] > TIMES * np.mean(losses[WARMUP - 40 : WARMUP] or [np.inf]):
            break
    return losses, norms


def alarms_of_watch(losses: list[float], norms: list[float] | None, mean_run_length: float) -> list[int]:
    """The steps of spikes and divergence."""
    watch = Watch(mean_run_length=mean_run_length, history=32)
    return [
        event.step
        for step, loss in enumerate(losses)
        for event in watch.observe(step, loss=loss, gradient_norm=None if norms is None else norms[step])
        if event.kind != "plateau"
    ]


def alarms_of_trainscope(losses: list[float]) -> list[int]:
    """The steps at which its change-point detector fires."""
    steps: list[int] = ask_peer("trainscope_side", losses)
    return steps


def main() -> None:
    """Both detectors on the same losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quiet-steps", type=int, default=1500)
    given = parser.parse_args()
    torch.set_num_threads(1)
    quiet, quiet_norms = losses_of(99, steps=given.quiet_steps, ramp=False)
    false = [step for step in alarms_of_trainscope(quiet) if step >= WARMUP]
    length = (len(quiet) - WARMUP) / max(1, len(false))
    ours = [step for step in alarms_of_watch(quiet, quiet_norms, 100_000) if step >= WARMUP]
    print(
        f"constant rate, {len(quiet) - WARMUP} steps: trainscope {len(false)} alarms, the watch {len(ours)}", flush=True
    )
    rows: list[dict[str, Any]] = []
    for seed in range(1, given.seeds + 1):
        losses, norms = losses_of(seed, steps=STEPS, ramp=True)
        explosion = len(losses) - 1
        # The beginning of a training sets off trainscope's detector in any case: only alarms of the ramp count.
        found = {
            "trainscope": alarms_of_trainscope(losses),
            "watch, 100,000 steps": alarms_of_watch(losses, None, 100_000),
            "watch with gradient norm, 100,000 steps": alarms_of_watch(losses, norms, 100_000),
            f"watch with gradient norm, {length:.0f} steps": alarms_of_watch(losses, norms, max(2.0, length)),
        }
        leads = {
            name: next((explosion - step for step in steps if step >= WARMUP), None) for name, steps in found.items()
        }
        before = {name: sum(step < WARMUP for step in steps) for name, steps in found.items()}
        rows.append({"seed": seed, "explosion": explosion, "leads": leads, "alarms before the ramp": before})
        print(rows[-1], flush=True)
    for name in rows[0]["leads"]:
        known = [row["leads"][name] for row in rows if row["leads"][name] is not None]
        print(f"{name}: lead {statistics.mean(known) if known else float('nan'):.1f} steps ({known})", flush=True)
    write_result("watch_lead", {"rows": rows, "false": {"trainscope": len(false), "watch": len(ours)}})


if __name__ == "__main__":
    main()
