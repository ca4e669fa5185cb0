"""The web application: resources, pages, and one place where errors become answers."""

from collections.abc import Awaitable, Callable
from importlib import resources
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from visavis import __version__
from visavis.api import conversations
from visavis.api.live import (
    BusyError,
    ConversationEndedError,
    ConversationTakenError,
    LiveConversations,
    UnknownConversationError,
)
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError, VisavisError

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")

_STATUS: dict[type[VisavisError], int] = {
    BadInputError: 400,
    UnknownConversationError: 404,
    ConversationTakenError: 409,
    ConversationEndedError: 410,
    BusyError: 503,
}

# The pages load nothing from anywhere else and may be embedded by anybody.
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'"
)


def create_app(settings: Settings, persona: Persona, live: LiveConversations) -> FastAPI:
    """The application of one server, whose conversations `live` makes."""
    app = FastAPI(title="visavis", version=__version__)
    app.state.settings, app.state.persona, app.state.live = settings, persona, live
    if settings.host in _LOOPBACK:
        # Without keys, the name in the address bar is what keeps foreign pages from rebinding theirs to us.
        public = urlsplit(settings.public_url or "").hostname
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, *([public] if public else [])])
    else:
        app.middleware("http")(_require_key(settings))
    app.add_exception_handler(VisavisError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.include_router(conversations.router)
    _add_pages(app)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        text, content_type = live.telemetry.metrics()
        return Response(text, media_type=content_type)

    return app


def _add_pages(app: FastAPI) -> None:
    web = resources.files("visavis") / "web"

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/demo")

    @app.get("/demo", include_in_schema=False)
    async def demo(request: Request) -> RedirectResponse:
        """The standing link of this server's persona: every visit finds a conversation that waits for somebody."""
        found = request.app.state.live.standing(request.app.state.persona)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/c/{found.conversation_id}{query}", headers={"Cache-Control": "no-store"})

    @app.get("/c/{conversation_id}", include_in_schema=False)
    async def call_page(conversation_id: str) -> FileResponse:
        return FileResponse(
            str(web / "index.html"), headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache"}
        )

    app.mount("/static", StaticFiles(directory=str(web)), name="static")


def _require_key(
    settings: Settings,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Beyond loopback, making and listing conversations takes the key; joining one takes its unguessable id."""

    async def check(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.url.path.rstrip("/")
        needs_key = (
            path == "/v2/conversations"
            or path.endswith("/end")
            or path in ("/demo", "", "/docs", "/openapi.json", "/metrics")
        )
        if needs_key and not settings.key_matches(request.headers.get("x-api-key", "")):
            return JSONResponse(_error("Invalid access token"), status_code=401)
        return await call_next(request)

    return check


async def _answer_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    headers = {"Retry-After": "30"} if status == 503 else None
    return JSONResponse(_error(str(error)), status_code=status, headers=headers)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    shown = repr(first.get("input"))[:80]
    return JSONResponse(_error(f"{field}: {shown} is not valid; {first['msg']}"), status_code=400)


def _error(text: str) -> dict[str, str]:
    """Clients read one or the other of the two keys."""
    return {"error": text, "message": text}
