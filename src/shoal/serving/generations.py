"""Continuations of many prompts, computed together, each as it would be alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.serving.engine import GenerationEngine
from shoal.serving.model import GenerationModel, load_for_generation
from shoal.serving.running import ignore_pieces
from shoal.serving.settings import GenerationSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from shoal.progress import Progress
    from shoal.serving.result import GeneratedText
    from shoal.serving.running import Piece, RunningGeneration

    Prompt = str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generations:
    """The continuations of some prompts, in the order of the prompts, the samples of each one after the other."""

    model: Mapping[str, Any]
    """Spec, digest, dtype and device."""

    decoding: str
    """How rows were computed."""

    settings: GenerationSettings

    samples: int
    """Continuations per prompt."""

    prompts: tuple[Prompt, ...]

    texts: tuple[GeneratedText, ...]

    seconds: float

    @property
    def completion_tokens(self) -> int:
        """All generated tokens."""
        return sum(len(text.ids) for text in self.texts)

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens per second, the reading of prompts included."""
        return self.completion_tokens / max(self.seconds, 1e-9)

    def records(self) -> list[dict[str, Any]]:
        """A record for each text: the prompt, the text, and everything that it depends on."""
        prompts = [prompt for prompt in self.prompts for _ in range(self.samples)]
        return [generation_record(*pair, self.model) for pair in zip(prompts, self.texts, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON has it."""
        return {
            **self.model,
            "decoding": self.decoding,
            "settings": self.settings.to_dict(),
            "prompts": len(self.prompts),
            "samples": self.samples,
            "completion_tokens": self.completion_tokens,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
            "texts": self.records(),
        }

    def to_frame(self) -> pd.DataFrame:
        """A row for each text."""
        import pandas as pd

        return pd.DataFrame(self.records())

    def __str__(self) -> str:
        lines = []
        prompts = [prompt for prompt in self.prompts for _ in range(self.samples)]
        for prompt, text in zip(prompts, self.texts, strict=True):
            lines += [str(prompt) if isinstance(prompt, str) else str(prompt[-1]["content"]), text.text, ""]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """Tokens and speed in one line."""
        return (
            f"{len(self.texts):,} texts, {self.completion_tokens:,} tokens in {self.seconds:.1f} s: "
            f"{self.tokens_per_second:.1f} tokens per second ({self.decoding})"
        )


def generation_record(prompt: Prompt, text: GeneratedText, model: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a text: nothing in it hangs on time, or on what else was generated.

    Args:
        prompt: a text or messages.
        text: what was generated.
        model: what `GenerationModel.describe` gives.
    """
    return {"prompt": prompt if isinstance(prompt, str) else list(prompt), **text.to_dict(), **model}


def generate(
    model: str | GenerationModel,
    prompts: Sequence[Prompt],
    settings: GenerationSettings | None = None,
    *,
    samples: int = 1,
    device: str = "auto",
    dtype: str = "float32",
    on_text: Callable[[int, GeneratedText], None] | None = None,
    on_piece: Callable[[Piece], None] = ignore_pieces,
    progress: Progress = no_progress,
) -> Generations:
    """Continue prompts with a model; a text depends on its prompt, the model and the settings alone.

    Args:
        model: a model spec, or what `load_for_generation` gives.
        prompts: texts to continue, or lists of messages to answer by the model's chat template.
        settings: how; greedily and up to 256 tokens where they are not given.
        samples: continuations per prompt.
        device: of a model spec.
        dtype: of a model spec.
        on_text: called with the number of the text (prompts by samples) and the text as soon as it is finished.
        on_piece: called with each piece of any text; of use where there is one.
        progress: called with the texts that are finished.

    Raises:
        UsageError: there is no prompt, or a number lies outside of its range.
        DataError: a prompt is empty.
        TooLongError: a prompt does not fit into the context together with what may be generated.
        ModelError: the logits are not numbers.
    """
    settings = settings or GenerationSettings()
    if not prompts:
        raise UsageError("there are no prompts; give one at least")
    if samples < 1:
        raise UsageError(f"the number of samples is {samples}; give a whole number of at least 1")
    live = load_for_generation(model, device=device, dtype=dtype) if isinstance(model, str) else model
    started, engine = time.perf_counter(), GenerationEngine(live.decoder)
    running = []
    for prompt in prompts:
        ids = live.encode(prompt) if isinstance(prompt, str) else live.encode_messages(prompt)
        for sample in range(samples):
            running.append(live.start(ids, settings, sample=sample, on_piece=on_piece))
            # All of them before the first step: the engine then fills its slots as soon as they are free.
            engine.submit(running[-1])
    texts = _run(engine, running, on_text, progress)
    return Generations(
        model=live.describe(),
        decoding=live.decoder.description,
        settings=settings,
        samples=samples,
        prompts=tuple(prompts),
        texts=tuple(texts),
        seconds=time.perf_counter() - started,
    )


def _run(
    engine: GenerationEngine,
    generations: Sequence[RunningGeneration],
    on_text: Callable[[int, GeneratedText], None] | None,
    progress: Progress,
) -> list[GeneratedText]:
    """Step until all are over."""
    left = dict(enumerate(generations))
    progress("generating", 0, len(generations))
    try:
        while left:
            engine.step()
            for place, generation in list(left.items()):
                if generation.error is not None:
                    raise generation.error
                if generation.result is not None:
                    del left[place]
                    if on_text is not None:
                        on_text(place, generation.result)
                    progress("generating", len(generations) - len(left), len(generations))
    finally:
        # An error, or an interrupt, leaves the decoder as free as it was.
        for generation in left.values():
            generation.cancelled = True
        if left:
            engine.step()
    return [generation.result for generation in generations if generation.result is not None]
