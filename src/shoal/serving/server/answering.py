"""One request while it is answered: its generations, and what becomes known of them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from shoal.serving.server.api_errors import error_body
from shoal.serving.server.responses import usage
from shoal.textfiles import finite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fastapi import Request

    from shoal.serving.model import GenerationModel
    from shoal.serving.result import GeneratedText
    from shoal.serving.running import Piece
    from shoal.serving.server.metrics import ServerMetrics
    from shoal.serving.server.responses import ResponseForm
    from shoal.serving.server.worker import GenerationWorker
    from shoal.serving.settings import GenerationSettings

_END = "data: [DONE]\n\n"


class RequestAnswer:
    """The texts of one request.

    Args:
        live: the model.
        worker: runs the generations.
        metrics: where they are counted.
        prompts: the ids of each prompt.
        texts: the text of each prompt, for the echo.
        samples: texts per prompt.
        settings: what the client determined.
    """

    def __init__(
        self,
        live: GenerationModel,
        worker: GenerationWorker,
        metrics: ServerMetrics,
        *,
        prompts: Sequence[Sequence[int]],
        texts: Sequence[str],
        samples: int,
        settings: GenerationSettings,
    ) -> None:
        self._worker = worker
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[tuple[int, Piece]] = asyncio.Queue()
        self._started = time.monotonic()
        self._settings = settings
        self._prompts = [text for text in texts for _ in range(samples)]
        pairs = [(ids, sample) for ids in prompts for sample in range(samples)]
        self._left = set(range(len(pairs)))
        """Choices that are not over."""
        # Before any of them is submitted: a request is refused as a whole, and leaves no generation behind that nobody
        # reads.
        for ids in prompts:
            live.decoder.check_row(ids, settings.max_tokens)
        self._generations = [
            live.start(ids, settings, sample=sample, on_piece=self._taker(index))
            for index, (ids, sample) in enumerate(pairs)
        ]
        worker.submit(self._generations)

    async def whole(self, form: ResponseForm, request: Request) -> dict[str, Any] | None:
        """The response as a whole; None where the client has gone away.

        Args:
            form: of the response.
            request: by which it is seen whether the client is still there.

        Raises:
            Exception: why a text could not be generated.
        """
        # A client that waits for a whole answer sends nothing more; only receiving shows that it has hung up.
        collecting = asyncio.ensure_future(self._collect())
        leaving = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait({collecting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return form.whole(collecting.result(), self._prompts) if collecting.done() else None
        finally:
            collecting.cancel()
            leaving.cancel()
            self.close()

    async def stream(self, form: ResponseForm, *, include_usage: bool) -> AsyncIterator[str]:
        """The response as server-sent events.

        Args:
            form: of the response.
            include_usage: whether the tokens are counted at the end.
        """
        results: dict[int, GeneratedText] = {}
        begun: set[int] = set()
        try:
            openings = [opening for index in sorted(self._left) if (opening := form.opening(index)) is not None]
            for opening in openings:
                yield _event(form.chunk([opening]))
            async for index, piece in self._events():
                prompt = self._prompts[index] if self._settings.echo and index not in begun else ""
                # A first piece of nothing shows when the model has begun.
                choice = form.piece(index, piece, prompt)
                begun.add(index)
                if piece.result is not None:
                    results[index] = piece.result
                yield _event(form.chunk([choice]))
            if include_usage:
                every = [results[index] for index in sorted(results)]
                yield _event(form.chunk([], usage=usage(every), settings=self._settings.to_dict()))
            yield _END
        except Exception as error:  # noqa: BLE001 (the status is sent; an event is all that can still be sent)
            yield _event(error_body(error))
            yield _END
        finally:
            # A client that hangs up ends the stream here.
            self.close()

    def close(self) -> None:
        """Give back what is not over."""
        left = [self._generations[index] for index in self._left if not self._generations[index].over]
        for generation in left:
            self._metrics.count_generation("cancelled", len(generation.prompt), 0)
        if left:
            self._worker.cancel(left)

    async def _collect(self) -> list[GeneratedText]:
        # Texts end in the order of their lengths, and a response has them in the order of the request.
        results: dict[int, GeneratedText] = {}
        async for index, piece in self._events():
            if piece.result is not None:
                results[index] = piece.result
        return [results[index] for index in sorted(results)]

    async def _events(self) -> AsyncIterator[tuple[int, Piece]]:
        """What becomes known, until all choices are over."""
        first = True
        while self._left:
            index, piece = await self._pieces.get()
            if first:
                self._metrics.count_first_token(time.monotonic() - self._started)
                first = False
            if piece.error is not None:
                self._metrics.count_generation("error", len(self._generations[index].prompt), 0)
                self._left.discard(index)
                raise piece.error
            if piece.result is not None:
                self._left.discard(index)
                result = piece.result
                self._metrics.count_generation(result.finish_reason, result.prompt_tokens, len(result.ids))
            yield index, piece
            # Many pieces may wait on a busy machine; between two of them the loop must see who has hung up.
            await asyncio.sleep(0)

    def _taker(self, index: int) -> Any:
        """What the worker's thread calls with the pieces of a choice."""

        def take(piece: Piece) -> None:
            try:
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, (index, piece))
            except RuntimeError:  # the loop is closed: nobody waits for this answer any more
                self._generations[index].cancelled = True

        return take


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(finite(value), ensure_ascii=False, separators=(',', ':'))}\n\n"


async def _disconnected(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
