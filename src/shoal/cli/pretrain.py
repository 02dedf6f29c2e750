"""``shoal pretrain``: a small model from scratch, from a recipe to a folder that transformers loads."""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shoal.cli.options import Flag, Json, Texts
from shoal.cli.terminal import display, print_json
from shoal.wording import format_duration

if TYPE_CHECKING:
    from shoal.cli.terminal import Display
    from shoal.experiments.pretraining import Evaluation, PretrainPlan, PretrainResult
    from shoal.reports import LiveCurve
    from shoal.training import CurvePoint
    from shoal.training.watch import RateDecision, WatchEvent


def pretrain(
    recipe: Path,
    /,
    *,
    out: Path | None = None,
    corpora: Path | None = None,
    set_: Annotated[Texts, Parameter(name="--set")] = None,
    prepared: Path | None = None,
    dry_run: Flag = False,
    samples: bool = True,
    parallel: Literal["ddp", "fsdp"] = "ddp",
    as_json: Json = False,
) -> None:
    """Train a small model from scratch by a recipe.

    The folder OUT gets the model in OUT/model, which AutoModelForCausalLM loads, the curve, samples, held-out bits per
    byte and the ids of the held-out documents. The same command resumes an interrupted training, bit for bit.

    Parameters
    ----------
    recipe
        TOML file of the recipe, such as examples/pretrain_tiny.toml.
    out
        Run folder. Default: runs/NAME.
    corpora
        Folder in which the recipe's corpora lie. Default: the recipe's own folder.
    set_
        Change of the recipe as KEY=VALUE. Repeatable: --set model.width=96.
    prepared
        Folder of prepared documents and tokens that runs share. Default: the folder prepared beside OUT.
    dry_run
        Print the plan and the time that it would take, and train nothing.
    samples
        Print samples of the model as it learns.
    parallel
        How processes started by torchrun share the work: ddp (each has the whole model) or fsdp (each has a part).
    """
    from shoal.experiments.pretraining import PretrainCallbacks, load_recipe, parse_setting, plan_run, pretrain_run
    from shoal.reports import LiveCurve, write_report

    plan = load_recipe(recipe, data=corpora, values=dict(map(parse_setting, set_ or [])))
    folder = out or Path("runs") / plan.name
    if dry_run:
        with display() as shown:
            foreseen = plan_run(plan, prepared or folder.parent / "prepared", progress=shown.progress)
        print_json(foreseen.to_dict()) if as_json else print(foreseen)
        return
    with ExitStack() as stack:
        callbacks, is_rank0 = PretrainCallbacks(), True
        # torchrun sets it in every process that it starts.
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from shoal.training import join_process_group

            is_rank0 = stack.enter_context(join_process_group(parallel)).is_rank0
        # One process prints; the lines of all would be mixed.
        if is_rank0:
            shown = stack.enter_context(display())
            notes = _Notes(shown, LiveCurve(folder), samples=samples)
            callbacks = PretrainCallbacks(
                progress=shown.progress,
                on_plan=notes.take_plan,
                on_step=notes.take_step,
                on_evaluation=notes.take_evaluation,
                on_event=notes.take_event,
            )
        result = pretrain_run(plan, folder, cache=prepared, callbacks=callbacks)
    if is_rank0:
        write_report(folder)
        print_json(result.to_dict()) if as_json else print(_with_places(result))


class _Notes:
    """Progress notes of a training."""

    def __init__(self, shown: Display, curve: LiveCurve, *, samples: bool) -> None:
        self._shown, self._curve, self._samples = shown, curve, samples
        self._bytes_per_token, self._steps = 1.0, 0
        self._first: tuple[float, int, int] | None = None

    def take_plan(self, plan: PretrainPlan) -> None:
        """Say what will be done."""
        # The loss is one of tokens; only bits per byte can be compared between tokenizers.
        self._bytes_per_token = sum(one.size for one in plan.corpora) / sum(one.tokens for one in plan.corpora)
        self._steps = plan.steps
        self._shown.print(str(plan))

    def take_step(self, point: CurvePoint) -> None:
        """Loss, speed and the time that is left."""
        now = time.monotonic()
        if self._first is None:
            # Of this process: the steps before a resume took another's time.
            self._first = (now, point.tokens, point.step)
            return
        begun, tokens, step = self._first
        seconds = max(now - begun, 1e-9)
        left = (self._steps - point.step) * seconds / (point.step - step)
        bits = point.loss / math.log(2)
        self._shown.note(
            f"loss {point.loss:.3f}, {bits / self._bytes_per_token:.3f} bits per byte, "
            f"{(point.tokens - tokens) / seconds:,.0f} tokens/s, {format_duration(left)} left"
        )

    def take_event(self, event: WatchEvent | RateDecision) -> None:
        """What the watch has seen, or the schedule has done."""
        self._shown.print(str(event))

    def take_evaluation(self, evaluation: Evaluation) -> None:
        """Held-out scores and samples, and the curve so far."""
        self._curve.draw(evaluation, steps=self._steps)
        if not self._samples:
            return
        scores = ", ".join(f"{name} {one.bits_per_byte:.3f}" for name, one in evaluation.scores.items())
        samples = [f"  {prompt}|{' '.join(text.split())}" for prompt, text in evaluation.samples.items()]
        self._shown.print(
            "\n".join([f"step {evaluation.step}: held-out bits per byte: {scores or 'nothing held out'}", *samples])
        )


def _with_places(result: PretrainResult) -> str:
    """The result, and where its files are."""
    return f"{result}\nmodel   {result.model}\ncurve   {result.folder / 'curve.html'}"
