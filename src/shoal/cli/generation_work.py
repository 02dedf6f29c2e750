"""What ``shoal chat``, ``generate`` and ``serve`` share: settings from options, and a model with its estimate shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.cli.terminal import print_notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.generation import GenerationEstimate
    from shoal.serving import GenerationModel, GenerationSettings

_LARGE = 10**9
"""Bytes of memory from which on the estimate is shown: the loading takes more than a moment."""


def settings_from(
    *,
    max_tokens: int,
    temperature: float,
    top_p: float,
    top_k: int | None,
    seed: int,
    stop: Sequence[str] | None,
    logprobs: int | None = None,
) -> GenerationSettings:
    """The settings that the options of a verb state.

    Raises:
        UsageError: a number lies outside of its range, or a stop string is empty.
    """
    from shoal.models.generation import TokenSampling
    from shoal.serving import GenerationSettings

    return GenerationSettings(
        max_tokens=max_tokens,
        sampling=TokenSampling(temperature=temperature, top_p=top_p, top_k=top_k, seed=seed),
        stop=tuple(stop or ()),
        logprobs=logprobs,
    )


def load_with_estimate(spec: str, *, device: str, dtype: str, rows: int, context: int | None) -> GenerationModel:
    """A model that is ready to generate; the estimate of a large one is printed before it is loaded.

    Args:
        spec: a model spec.
        device: where it runs.
        dtype: of its weights.
        rows: rows that are continued at a time.
        context: positions of a row at most.

    Raises:
        ShoalError: as `load_for_generation`.
    """
    from shoal.serving import load_for_generation

    def show(estimate: GenerationEstimate) -> None:
        # One that does not fit is the text of the fault that follows.
        if estimate.total_bytes > _LARGE and estimate.fits:
            print_notice(str(estimate))

    return load_for_generation(spec, device=device, dtype=dtype, rows=rows, context=context, on_estimate=show)
