"""What guards every request before any resource sees it: names, sizes, origins, and the headers of answers."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visavis.api import vocabulary
from visavis.api.errors import body
from visavis.config import Settings
from visavis.transport.ice import is_loopback

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'"
)
"""Content-Security-Policy of the pages: they load nothing from anywhere else."""

STUDIO_POLICY = f"{PAGE_POLICY}; form-action 'none'; frame-ancestors 'none'"
"""Of Studio, which acts with an API key: no other site may show it in a frame."""


def page_policy(settings: Settings) -> str:
    """The policy of a call's page, with who may show it in a frame."""
    if settings.frame_origins is None:
        return PAGE_POLICY
    return f"{PAGE_POLICY}; frame-ancestors 'self' {' '.join(settings.frame_origins)}".rstrip()


_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
_MIB = 2**20
_LONGEST_NUMBER = 15


def guard(app: FastAPI, settings: Settings) -> None:
    """Put all guards around `app`. The one that is added last sees a request first."""
    app.add_middleware(OneVocabulary)
    app.add_middleware(BodyLimit, json_bytes=settings.max_request_mb * _MIB, upload_bytes=settings.max_upload_mb * _MIB)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Retry-After", "Idempotency-Replayed"],
            max_age=3600,
        )
    if is_loopback(settings.host):
        # The name in the address bar is what keeps foreign pages from rebinding theirs to us.
        public = urlsplit(settings.public_url or "").hostname
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, *([public] if public else [])])
    app.add_middleware(AnswerHeaders, https=(settings.public_url or "").startswith("https://"))


class OneVocabulary:
    """Rewrites paths and queries to the first vocabulary and drops the slash at the end of a collection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its first name."""
        if scope["type"] in ("http", "websocket"):
            path = vocabulary.path_in_first(scope["path"])
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            if any(name.encode() in scope["query_string"] for name in vocabulary.FIELDS):
                query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                scope = {**scope, "query_string": urlencode(vocabulary.query_in_first(query)).encode()}
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that are too large, as soon as that is known."""

    def __init__(self, app: ASGIApp, json_bytes: int, upload_bytes: int) -> None:
        self._app = app
        self._json_bytes = json_bytes
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        upload = headers.get("content-type", "").startswith("multipart/form-data")
        limit = self._upload_bytes if upload else self._json_bytes
        too_large = f"The body is larger than {limit // _MIB} MiB, which this server takes at most."
        stated = headers.get("content-length", "0")
        if not stated.isdecimal() or len(stated) > _LONGEST_NUMBER or int(stated) > limit:
            await JSONResponse(body(too_large), 413)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, too_large)
            return message

        await self._app(scope, counted, send)


class AnswerHeaders:
    """Security headers of every answer, unless a page sets its own."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_page = not scope["path"].startswith("/v2")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                # A conversation's link is its key: other sites must not learn it from the Referer header.
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if is_page else "same-origin")
                if not is_page:
                    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                    headers.setdefault("Cache-Control", "no-store")
                if self._https:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, with_headers)
