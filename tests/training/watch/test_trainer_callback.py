"""The callback of transformers' ``Trainer`` reads its log, writes the events, and passes losses to the scheduler."""

from __future__ import annotations

import json
import logging
import math

import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from shoal.training.watch import ChangesLR, WatchCallback, event_from


def test_events_are_logged_and_written_and_the_scheduler_hears_the_loss(tmp_path, caplog) -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    scheduler = ChangesLR(torch.optim.SGD([weight], lr=1.0))
    callback = WatchCallback(scheduler=scheduler)
    given = TrainingArguments(output_dir=str(tmp_path), report_to=[], use_cpu=True, logging_nan_inf_filter=True)
    state, control = TrainerState(), TrainerControl()
    with caplog.at_level(logging.WARNING):
        callback.on_train_begin(given, state, control)
        for step in range(1, 20):
            state.global_step = step
            loss = math.nan if step == 15 else 2.0 - 0.01 * step
            callback.on_log(given, state, control, logs={"loss": loss, "grad_norm": 1.0, "epoch": 0.1})
            callback.on_log(given, state, control, logs={"eval_loss": 2.0})
    assert "logging_nan_inf_filter" in caplog.text
    assert "step 15: divergence of loss" in caplog.text
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [str(event_from(json.loads(line))) for line in lines] == [str(event) for event in callback.events]
    assert [(event.kind, event.step) for event in callback.events] == [("divergence", 15)]
    assert [one.action for one in scheduler.decisions] == ["skip"]
