"""A `Watch` for the ``Trainer`` of transformers."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from shoal.training.watch.watch import Watch

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from shoal.training.watch.events import WatchEvent
    from shoal.training.watch.torch_scheduler import ChangesLR

logger = logging.getLogger(__name__)

EVENTS_FILE = "events.jsonl"


class WatchCallback(TrainerCallback):
    """Reports spikes, plateaus and divergence of a ``Trainer``: in its log, and in ``events.jsonl`` of its folder.

    It reads what the trainer logs, so set ``logging_steps=1``, and ``logging_nan_inf_filter=False``, without which the
    trainer hides losses that are not finite.

    Args:
        watch: with settings of its own; None for the usual ones.
        scheduler: that is given the losses too, where it was given to the trainer (``optimizers=(optimizer,
            scheduler)``).
    """

    def __init__(self, watch: Watch | None = None, *, scheduler: ChangesLR | None = None) -> None:
        self.watch = watch or Watch()
        self.events: list[WatchEvent] = []
        """All events so far."""
        self._scheduler = scheduler

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Say what would hide a divergence."""
        if args.logging_nan_inf_filter and not state.global_step:
            logger.warning("logging_nan_inf_filter hides losses that are not finite; set it to False to see divergence")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, float] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Take in what was logged of a step."""
        if not logs:
            return
        loss = logs.get("loss")
        evaluations = {key: -value for key, value in logs.items() if key.startswith("eval_") and key.endswith("loss")}
        found = self.watch.observe(
            state.global_step, loss=loss, gradient_norm=logs.get("grad_norm"), log_probs=evaluations
        )
        # By every process, whose logs are the same, so that their schedules decide alike; one of them writes.
        decided = self._scheduler.observe(loss) if self._scheduler is not None and loss is not None else []
        if not state.is_world_process_zero:
            return
        for decision in decided:
            logger.warning("%s", decision)
        for event in found:
            logger.warning("%s", event)
            self.events.append(event)
            path = Path(args.output_dir) / EVENTS_FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
