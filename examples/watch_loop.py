"""A plain training loop of PyTorch under watch: a plateau, a broken batch, and a scheduler that reads the loss.

python examples/watch_loop.py [FIGURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from shoal.training.watch import ChangesLR, Watch

STEPS, SPIKE = 1500, 400


def main() -> None:
    """Train a small network on noisy data, with one bad batch, and print what the watch and the schedule report."""
    torch.manual_seed(0)
    teacher = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)).requires_grad_(False)
    model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    scheduler, watch = ChangesLR(optimizer, STEPS, model=model), Watch()
    losses = []
    for step in range(STEPS):
        x = torch.randn(64, 8)
        y = 3 * teacher(x) + 0.1 * torch.randn(64, 1)
        texts = [f"row {place} of step {step}" for place in range(4)]
        if step == SPIKE:
            y, texts = y + 10, ["ten is added to this and ten is added to that and ten is added to all"]
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if scheduler.accepts(loss):
            optimizer.step()
        scheduler.step(loss.item())
        for event in watch.observe(step, loss=loss.item(), gradient_norm=float(norm), batch=texts):
            print(event)
        losses.append(loss.item())
    for decision in scheduler.decisions:
        print(decision)
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]), losses, watch)


def draw(path: Path, losses: list[float], watch: Watch) -> None:
    """The loss with its events."""
    import vl_convert

    from shoal.figures import CurveLine, curve_chart

    line = CurveLine(name="loss", steps=tuple(range(STEPS)), values=tuple(losses))
    marks = [(event.step, event.line()) for event in watch.events]
    chart = curve_chart([line], title="loss, and the events of the watch", axis="mean squared error", marks=marks)
    path.write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")


if __name__ == "__main__":
    main()
