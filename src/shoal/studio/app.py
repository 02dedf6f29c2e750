"""The addresses of the studio, and what answers each of them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shoal.errors import ShoalError
from shoal.studio.guard import Gatekeeper
from shoal.studio.index import RunIndex
from shoal.studio.page_error import PageError
from shoal.studio.pages import (
    comparison,
    conversation,
    corpus,
    item_list,
    one_run,
    playground,
    refusal,
    run_list,
    run_progress,
    starting,
)
from shoal.studio.queries import form_of, query_of
from shoal.studio.run_names import find_run, name_of_part
from shoal.studio.studio import Studio
from shoal.studio.trainings import Trainings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shoal.studio.queries import Query
    from shoal.studio.settings import StudioSettings

# A run of some hundred curves at 100 to 200 bytes each; uvicorn refuses a request line of more than 64 kB.
_MAX_CURSOR = 60_000


def make_studio(settings: StudioSettings, *, hosts: frozenset[str], port: int) -> Gatekeeper:
    """The studio as an ASGI application.

    Args:
        settings: its folders and its token.
        hosts: names with port under which it may be addressed: ``127.0.0.1:8765``.
        port: where it listens.
    """
    file = None if settings.read_only else settings.state / "index.sqlite"
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    index = RunIndex(settings.folder, file)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Not before the server runs: a studio that fails to start leaves no thread behind.
        index.start()
        yield
        index.stop()

    # No page of its own making: they fetch scripts from elsewhere.
    app = FastAPI(title="shoal studio", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    gate = Gatekeeper(app, token=settings.token, hosts=hosts, port=port)
    trainings = Trainings(settings.folder, settings.state / "jobs")
    studio = Studio(settings=settings, index=index, trainings=trainings, form_secret=gate.form_secret)
    _add_lists(app, studio)
    _add_run(app, studio)
    _add_changes(app, studio)
    _add_texts(app, studio)
    _add_faults(app)
    return gate


def _add_lists(app: FastAPI, studio: Studio) -> None:
    """The list of runs, comparisons, what is under way, and assets."""

    @app.get("/")
    def home() -> Response:
        return RedirectResponse("/runs", status_code=303)

    @app.get("/runs")
    def runs(request: Request) -> Response:
        return HTMLResponse(run_list.run_list_page(studio, query_of(request)))

    @app.get("/compare")
    def compare(request: Request) -> Response:
        return HTMLResponse(comparison.comparison_page(studio, query_of(request)))

    @app.get("/live")
    def live() -> Response:
        return HTMLResponse(run_progress.live_page(studio))

    @app.get("/assets/{name}")
    def asset(name: str) -> Response:
        found = studio.assets.find(name)
        if found is None:
            raise PageError(404, "there is no such file; load the page again")
        return Response(found[0], media_type=found[1])


def _add_run(app: FastAPI, studio: Studio) -> None:
    """One run."""

    @app.get("/runs/{part}/")
    def run(part: str) -> Response:
        return HTMLResponse(one_run.one_run_page(studio, name_of_part(part)))

    @app.get("/runs/{part}/items")
    def items(part: str, request: Request) -> Response:
        return HTMLResponse(item_list.item_list_page(studio, name_of_part(part), query_of(request)))

    @app.get("/runs/{part}/inside/{arm}.html")
    def inside(part: str, arm: str) -> Response:
        return HTMLResponse(one_run.inside_page(studio, name_of_part(part), arm))

    @app.get("/runs/{part}/report.html")
    def report(part: str) -> Response:
        # As a file and not as a page: it brings a script of its own, which the studio's policy would not let run.
        path = one_run.report_file(studio, name_of_part(part))
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    @app.get("/runs/{part}/live.json")
    def live(part: str, request: Request) -> Response:
        name = name_of_part(part)
        record = run_progress.progress_record(studio, name)
        cursor = query_of(request).text("cursor", limit=_MAX_CURSOR)
        changes = studio.live.changes(find_run(studio.settings.folder, name), cursor) if record["exists"] else _NOTHING
        return Response(json.dumps(record | changes, separators=(",", ":")), media_type="application/json")


_NOTHING = {"cursor": "", "curves": [], "events": []}


def _add_changes(app: FastAPI, studio: Studio) -> None:
    """What starts, stops and resumes experiments."""

    @app.get("/start")
    def start_form() -> Response:
        studio.check_writable()
        return HTMLResponse(starting.start_page(studio))

    async def redirected(request: Request, change: Callable[[Query], str]) -> Response:
        form = await form_of(request, studio.form_secret)
        # 303, so that loading the page again does not send the form again. In a thread: starting a process blocks the
        # loop.
        return RedirectResponse(await run_in_threadpool(change, form), status_code=303)

    @app.post("/start")
    async def start(request: Request) -> Response:
        return await redirected(request, lambda form: starting.start_run(studio, form))

    @app.post("/runs/{part}/stop")
    async def stop(part: str, request: Request) -> Response:
        return await redirected(request, lambda _: starting.stop_run(studio, name_of_part(part)))

    @app.post("/runs/{part}/resume")
    async def resume(part: str, request: Request) -> Response:
        return await redirected(request, lambda _: starting.resume_run(studio, name_of_part(part)))


def _add_texts(app: FastAPI, studio: Studio) -> None:
    """The playground and the data."""

    @app.get("/playground")
    def playground_form() -> Response:
        return HTMLResponse(playground.playground_page(studio))

    @app.post("/playground")
    async def read_text(request: Request) -> Response:
        form = await form_of(request, studio.form_secret)
        return HTMLResponse(await run_in_threadpool(playground.read_text_page, studio, form))

    @app.post("/playground/conversation")
    async def converse(request: Request) -> Response:
        form = await form_of(request, studio.form_secret)
        return HTMLResponse(await run_in_threadpool(conversation.conversation_page, studio, form))

    @app.get("/data")
    def data(request: Request) -> Response:
        return HTMLResponse(corpus.corpus_page(studio, query_of(request)))

    @app.get("/data/quality")
    def quality(request: Request) -> Response:
        return HTMLResponse(corpus.quality_page(studio, query_of(request)))

    @app.get("/data/segments")
    def segments(request: Request) -> Response:
        return HTMLResponse(corpus.segments_page(studio, query_of(request)))


def _add_faults(app: FastAPI) -> None:
    """Every fault as a page."""

    @app.exception_handler(PageError)
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)
        return HTMLResponse(refusal.refusal_page(error, inside=True), status_code=error.status)

    @app.exception_handler(ShoalError)
    async def known(_: Request, error: Exception) -> Response:
        return HTMLResponse(refusal.refusal_page(PageError(422, str(error)), inside=True), status_code=422)

    # Starlette's, which FastAPI's own derives from: the router raises it for a path that no page has.
    @app.exception_handler(HTTPException)
    async def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = f"{request.method} {request.url.path[:120]}: there is no such page; begin at /runs"
        page = refusal.refusal_page(PageError(error.status_code, message), inside=True)
        return HTMLResponse(page, status_code=error.status_code)
