"""The thread that computes: it takes generations from the event loop and steps the engine while there are any."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.serving.engine import GenerationEngine
from shoal.serving.server.api_errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.generation import Decoder
    from shoal.serving.running import RunningGeneration


class GenerationWorker:
    """Runs generations on a thread of its own.

    Args:
        decoder: continues the rows.
        max_waiting: generations that may wait for a slot; further ones are refused.
    """

    def __init__(self, decoder: Decoder, *, max_waiting: int) -> None:
        self.capacity = decoder.capacity
        self._engine = GenerationEngine(decoder)
        self._max_waiting = max_waiting
        self._inbox: deque[RunningGeneration] = deque()
        # Guards the inbox and the flags; the engine belongs to the thread alone, and its counts are read without the
        # lock.
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="shoal-generation", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Generations that wait for a slot."""
        return len(self._inbox) + self._engine.waiting

    @property
    def running(self) -> int:
        """Generations that hold a slot."""
        return self._engine.running

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, generations: Sequence[RunningGeneration]) -> None:
        """Let generations wait for their turn, all of them or none.

        Args:
            generations: whose rows the decoder has checked.

        Raises:
            ApiError: too many wait already (429), or the server stops (503).
        """
        with self._changed:
            # Checked under the lock, so that nothing is submitted after the thread has found its work done.
            if self._stopping:
                raise ApiError(503, "the server is stopping; send the request to another one", code="stopping")
            free = self._max_waiting + self.capacity - self.waiting - self.running
            if len(generations) > free:
                raise ApiError(
                    429,
                    f"{self.waiting} texts wait for one of {self.capacity} slots, and {len(generations)} more do not "
                    f"fit into the queue of {self._max_waiting}; send the request again later",
                    code="queue_full",
                )
            self._inbox += generations
            self._changed.notify()

    def cancel(self, generations: Sequence[RunningGeneration]) -> None:
        """Drop generations whose client has gone away; their slots are free within one step.

        Args:
            generations: those that are over are left as they are.
        """
        with self._changed:
            for generation in generations:
                generation.cancelled = True
            self._changed.notify()

    def stop(self, seconds: float) -> None:
        """Take no more, and end the thread.

        Args:
            seconds: what waits and runs may take until then; the rest fails.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            # No capacity is below 0, so that it marks the end of patience: `_take` then fails what runs, after the step
            # under way.
            self._max_waiting = -1
            self._changed.notify()
        self._thread.join(10)

    def _work(self) -> None:
        while self._take():
            try:
                self._engine.step()
            except Exception as error:  # noqa: BLE001 (whatever fails ends what runs, and never the server)
                self._engine.fail_all(ModelError(f"the generation failed: {type(error).__name__}: {error}"))

    def _take(self) -> bool:
        """Wait for work; whether there is any."""
        with self._changed:
            while self._engine.idle and not self._inbox and not self._stopping:
                self._changed.wait()
            # Only this thread touches the engine, so that submitting waits for no step of it.
            while self._inbox:
                self._engine.submit(self._inbox.popleft())
            if self._max_waiting < 0:
                self._engine.fail_all(ApiError(503, "the server was stopped", code="stopping"))
            return not (self._stopping and self._engine.idle)
