"""The endpoints of the server: OpenAI's protocol for models, completions and chat, and two for those who run it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException

from shoal.errors import ShoalError, TooLongError
from shoal.serving.server.answering import RequestAnswer
from shoal.serving.server.api_errors import ApiError, error_response, invalid_request
from shoal.serving.server.limits import Gate, ServerLimits
from shoal.serving.server.metrics import ServerMetrics
from shoal.serving.server.requests import ChatCompletionRequest, CompletionRequest
from shoal.serving.server.responses import ChatForm, CompletionForm
from shoal.textfiles import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

    from shoal.serving.model import GenerationModel
    from shoal.serving.server.responses import ResponseForm
    from shoal.serving.server.worker import GenerationWorker
    from shoal.serving.settings import GenerationSettings

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text}
    for status, text in (
        (400, "a fault in the request"),
        (401, "no key, or a wrong one"),
        (404, "no such model"),
        (408, "the time of a request is over"),
        (413, "the request is too large"),
        (429, "the queue is full"),
    )
}
_ANSWERS = _ERRORS | {
    200: {"description": "the answer, whole or as a stream of events", "content": {"text/event-stream": {}}}
}
CLIENT_GONE = 499
"""The status that is counted for a client that hung up; nobody reads it."""


def make_app(
    live: GenerationModel,
    worker: GenerationWorker,
    *,
    name: str | None = None,
    limits: ServerLimits | None = None,
    api_key: str | None = None,
) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        live: the model.
        worker: runs its generations.
        name: of the model, as clients call it; its spec where none is given.
        limits: of each request.
        api_key: what a client must send; None: nothing.
    """
    limits = limits or ServerLimits()
    metrics = ServerMetrics(
        {
            "shoal_running": ("Texts that hold a slot.", lambda: worker.running),
            "shoal_waiting": ("Texts that wait for a slot.", lambda: worker.waiting),
            "shoal_slots": ("Texts that are generated at a time at most.", lambda: worker.capacity),
        }
    )
    # No page of documentation: it would load its scripts from elsewhere.
    app = FastAPI(title="shoal", version=version("shoal"), docs_url=None, redoc_url=None)
    endpoints = Endpoints(live, worker, metrics, name or live.loaded.spec, limits)
    _add_routes(app, endpoints, metrics)
    _add_handlers(app)
    paths = frozenset(str(getattr(route, "path", "")) for route in app.routes)
    return Gate(app, limits=limits, api_key=api_key, metrics=metrics, paths=paths)


class Endpoints:
    """What the endpoints do.

    Args:
        live: the model.
        worker: runs its generations.
        metrics: where they are counted.
        name: of the model, as clients call it.
        limits: of each request.
    """

    def __init__(
        self, live: GenerationModel, worker: GenerationWorker, metrics: ServerMetrics, name: str, limits: ServerLimits
    ) -> None:
        self._live = live
        self._worker = worker
        self._metrics = metrics
        self._name = name
        self._limits = limits

    def models(self) -> dict[str, Any]:
        """The list of the one model."""
        return {"object": "list", "data": [self.model(self._name)]}

    def model(self, model: str) -> dict[str, Any]:
        """The one model.

        Args:
            model: as the client calls it.
        """
        self._check_model(model)
        loaded = self._live.loaded
        return {
            "id": self._name,
            "object": "model",
            # The field is part of the protocol; a model's files have no date that would mean anything.
            "created": 0,
            "owned_by": "shoal",
            "parameters": loaded.parameters,
            "digest": loaded.digest,
            "dtype": self._live.dtype,
            "max_model_len": self._live.decoder.context,
            "decoding": self._live.decoder.description,
            "chat": self._live.can_chat,
        }

    def health(self) -> dict[str, Any]:
        """Whether texts can be generated."""
        if not self._worker.alive:
            raise ApiError(503, "the thread that generates has ended", code="stopped")
        return {"status": "ok", "running": self._worker.running, "waiting": self._worker.waiting}

    async def complete(self, body: CompletionRequest, request: Request) -> Response:
        """Continue prompts.

        Args:
            body: the request's body.
            request: its connection.
        """
        self._check_model(body.model)
        prompts = [self._live.encode(prompt) if isinstance(prompt, str) else prompt for prompt in body.prompts]
        for ids in prompts:
            self._live.decoder.check_row(ids, 0)
        texts = [
            prompt if isinstance(prompt, str) else str(self._live.tokenizer.decode(prompt, skip_special_tokens=True))
            for prompt in body.prompts
        ]
        settings = body.settings()
        rows = [ids for ids in prompts for _ in range(body.n)]
        form = CompletionForm(**self._form(settings), prompts=rows)
        return await self._answer(form, body, prompts, texts, settings, request)

    async def chat(self, body: ChatCompletionRequest, request: Request) -> Response:
        """Answer a conversation.

        Args:
            body: the request's body.
            request: its connection.
        """
        self._check_model(body.model)
        ids = self._live.encode_messages([message.to_dict() for message in body.messages])
        settings = body.settings(self._room(len(ids)))
        form = ChatForm(**self._form(settings))
        return await self._answer(form, body, [ids], [""], settings, request)

    async def _answer(
        self,
        form: ResponseForm,
        body: CompletionRequest | ChatCompletionRequest,
        prompts: Sequence[Sequence[int]],
        texts: Sequence[str],
        settings: GenerationSettings,
        request: Request,
    ) -> Response:
        if self._limits.tokens is not None and settings.max_tokens > self._limits.tokens:
            raise ApiError(
                400,
                f"max_tokens is {settings.max_tokens:,}, and this server generates at most {self._limits.tokens:,}",
                param="max_tokens",
            )
        answer = RequestAnswer(
            self._live, self._worker, self._metrics, prompts=prompts, texts=texts, samples=body.n, settings=settings
        )
        if body.stream:
            counted = body.stream_options is not None and body.stream_options.include_usage
            events = answer.stream(form, include_usage=counted)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        found = await answer.whole(form, request)
        return Response(status_code=CLIENT_GONE) if found is None else JSONResponse(finite(found))

    def _form(self, settings: GenerationSettings) -> dict[str, Any]:
        return {
            "model": self._name,
            "fingerprint": f"{self._live.loaded.digest[:16]}-{self._live.dtype}",
            "settings": settings,
            "tokenizer": self._live.tokenizer,
        }

    def _check_model(self, name: str | None) -> None:
        if name is not None and name != self._name:
            raise ApiError(
                404, f"there is no model {name[:200]!r} here; this server has {self._name!r}", param="model",
                code="model_not_found",
            )  # fmt: skip

    def _room(self, length: int) -> int:
        """Tokens that may be generated behind a prompt where the client states no number."""
        limits = [self._limits.tokens] if self._limits.tokens is not None else []
        context = self._live.decoder.context
        if context is not None:
            if length >= context:
                raise TooLongError(f"the conversation has {length:,} tokens, and the context is of {context:,}")
            limits.append(context - length)
        # As `GenerationSettings` has it. A recurrent model has no context, and would generate for ever.
        return min(limits, default=256)


def _add_routes(app: FastAPI, endpoints: Endpoints, metrics: ServerMetrics) -> None:
    """The paths and what answers them."""

    @app.post("/v1/completions", responses=_ANSWERS)
    async def completions(body: CompletionRequest, request: Request) -> Response:
        return await endpoints.complete(body, request)

    @app.post("/v1/chat/completions", responses=_ANSWERS)
    async def chat_completions(body: ChatCompletionRequest, request: Request) -> Response:
        return await endpoints.chat(body, request)

    @app.get("/v1/models", responses={401: _ERRORS[401]})
    async def models() -> dict[str, Any]:
        return endpoints.models()

    # A path and not a segment: specs of hub models hold a slash.
    @app.get("/v1/models/{model:path}", responses={401: _ERRORS[401], 404: _ERRORS[404]})
    async def model(model: str) -> dict[str, Any]:
        return endpoints.model(model)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return endpoints.health()

    @app.get("/metrics", response_class=PlainTextResponse, responses={401: _ERRORS[401]})
    async def metrics_text() -> PlainTextResponse:
        return PlainTextResponse(metrics.render(), media_type="text/plain; version=0.0.4")


def _add_handlers(app: FastAPI) -> None:
    """Every error in OpenAI's form."""

    @app.exception_handler(ApiError)
    @app.exception_handler(ShoalError)
    async def known(_: Request, error: Exception) -> Response:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return error_response(invalid_request(error.errors()))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return error_response(ApiError(error.status_code, message))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        return error_response(error)
