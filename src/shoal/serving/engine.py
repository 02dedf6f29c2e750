"""Continuous batching: generations join and leave a decoder between two tokens.

One step reads a bounded part of the prompts that wait, and then appends one token to each generation that runs. So a
new request waits for no other to end, and a long prompt holds the others up by one chunk at a time. The decoder gives
each row the same bits in any company, and tokens are drawn by each row's own seed, so that a result does not depend on
what else is computed, nor on the order in which requests come.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from shoal.errors import ShoalError

if TYPE_CHECKING:
    import torch

    from shoal.models.generation import Decoder, Reading
    from shoal.serving.running import RunningGeneration

# One chunk of the decoder (`shoal.models.generation.decoder.CHUNK`): a larger budget fills slots sooner, and makes
# those that run wait longer between two of their tokens.
_READ_PER_STEP = 256
"""Tokens of waiting prompts after which a step reads no further chunk."""


class GenerationEngine:
    """Runs generations on a decoder; not safe to be used by several threads at a time.

    Args:
        decoder: continues the rows.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._waiting: deque[RunningGeneration] = deque()
        self._reading: tuple[RunningGeneration, Reading] | None = None
        self._running: dict[int, tuple[RunningGeneration, int]] = {}
        """By the number of its row: the generation, and the token that it continues with."""

    @property
    def waiting(self) -> int:
        """Generations whose prompts have not been read."""
        return len(self._waiting) + (self._reading is not None)

    @property
    def running(self) -> int:
        """Generations that get a token in each step."""
        return len(self._running)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.waiting and not self._running

    def submit(self, generation: RunningGeneration) -> None:
        """Let a generation wait for its turn.

        Args:
            generation: the new one.

        Raises:
            DataError: its prompt cannot be read by the model.
            TooLongError: it does not fit into the context.
        """
        self._decoder.check_row(generation.prompt, generation.settings.max_tokens)
        self._waiting.append(generation)

    def step(self) -> None:
        """Read a part of what waits, and append one token to each generation that runs."""
        self._drop_cancelled()
        budget = _READ_PER_STEP
        while budget > 0 and (self._reading is not None or self._next_reading()):
            budget -= self._read_chunk()
        tokens = {row: token for row, (_, token) in self._running.items()}
        for row, logits_V in self._decoder.step(tokens).items():
            # All logits of the step were computed before the first token is chosen, so that a row may leave in this
            # loop.
            generation, _ = self._running[row]
            token = _choose(generation, logits_V)
            if generation.over:
                self._leave(row)
            else:
                self._running[row] = (generation, token)

    def fail_all(self, error: Exception) -> None:
        """End everything that waits or runs, without results.

        Args:
            error: why.
        """
        reading = [] if self._reading is None else [self._reading[0]]
        every = [*(generation for generation, _ in self._running.values()), *reading, *self._waiting]
        for row in list(self._running):
            self._leave(row)
        self._reading = None
        self._waiting.clear()
        for generation in every:
            generation.fail(error)

    def _next_reading(self) -> bool:
        if not self._waiting or len(self._running) == self._decoder.capacity:
            return False
        generation = self._waiting.popleft()
        self._reading = (generation, self._decoder.read(generation.prompt))
        return True

    def _read_chunk(self) -> int:
        """Read one chunk of a prompt; the number of its tokens."""
        assert self._reading is not None, "the caller has looked"
        generation, reading = self._reading
        before = reading.done
        reading.advance()
        if reading.finished:
            self._reading = None
            self._begin(generation, reading)
        return reading.done - before

    def _begin(self, generation: RunningGeneration, reading: Reading) -> None:
        # Nothing may be left to generate (`max_tokens=0` with echo); the row then never takes a slot.
        generation.take_prompt(reading)
        if generation.over:
            return
        token = _choose(generation, reading.logits(len(reading.ids) - 1, len(reading.ids))[0])
        if not generation.over:
            self._running[self._decoder.join(reading)] = (generation, token)

    def _leave(self, row: int) -> None:
        self._decoder.leave(row)
        del self._running[row]

    def _drop_cancelled(self) -> None:
        # Looked at between steps alone: another thread only sets the flag, and the decoder has a single user.
        self._waiting = deque(generation for generation in self._waiting if not generation.cancelled)
        if self._reading is not None and self._reading[0].cancelled:
            self._reading = None
        for row, (generation, _) in list(self._running.items()):
            if generation.cancelled:
                self._leave(row)


def _choose(generation: RunningGeneration, logits_V: torch.Tensor) -> int:
    """The generation's next token; where its logits are not numbers, it alone ends."""
    try:
        return generation.take_logits(logits_V)
    except ShoalError as error:
        generation.fail(error)
        # No token is read from it: the generation is over by now, and the caller lets its row go.
        return 0
