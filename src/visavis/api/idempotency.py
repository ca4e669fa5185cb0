"""The `Idempotency-Key` header: a request that is sent twice is done once and answered twice, for a day."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from visavis.api.answers import FromStore, Responses, errors
from visavis.api.auth import Caller
from visavis.api.errors import IdempotencyError
from visavis.errors import BadInputError
from visavis.store import Store
from visavis.store.errors import ConflictError
from visavis.store.idempotency import KEPT, Answer

_LONGEST_WORK = timedelta(minutes=2)
"""A request that is at work for longer died with its server."""

ANSWERS: Responses = errors(
    {
        409: "The first request with this Idempotency-Key is still at work; try again in a moment.",
        422: "Idempotency-Key: 'order-17' is not valid; expected a new one, because this was used for another request",
    }
)
"""For the OpenAPI document of requests that may have the header."""


class Once:
    """Does a request's work once for each idempotency key."""

    def __init__(self, store: Store, key: str, fingerprint: str) -> None:
        self._store = store
        self._key = key
        self._fingerprint = fingerprint

    async def __call__(self, work: Callable[[], Awaitable[dict[str, Any]]]) -> JSONResponse:
        """The answer to the request: what `work` gives, or what it gave the first time.

        Raises `IdempotencyError`, `ConflictError`, and what `work` raises; the request can be repeated after that.
        """
        if not self._key:
            return JSONResponse(await work())
        if known := await self._begin():
            return JSONResponse(known.body, known.status or 200, {"Idempotency-Replayed": "true"})
        try:
            done = await work()
        except BaseException:
            await self._store.idempotency.forget(self._key)
            raise
        await self._store.idempotency.finish(self._key, 200, done)
        return JSONResponse(done)

    async def _begin(self) -> Answer | None:
        now = datetime.now(UTC)
        known = await self._store.idempotency.begin(self._key, self._fingerprint)
        if known is None:
            return None
        forgotten = now - known.created_at > (KEPT if known.status else _LONGEST_WORK)
        if forgotten:
            await self._store.idempotency.forget(self._key)
            known = await self._store.idempotency.begin(self._key, self._fingerprint)
            if known is None:
                return None
        if known.fingerprint != self._fingerprint:
            raise IdempotencyError(
                "Idempotency-Key: it was used for another request before; expected a new one, or the same request."
            )
        if known.status is None:
            raise ConflictError("The first request with this Idempotency-Key is still at work; try again in a moment.")
        return known


async def _once(
    request: Request,
    store: FromStore,
    caller: Caller,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=255,
            description="A text of your choice: a repeated request does nothing.",
        ),
    ] = None,
) -> Once:
    if not key:
        return Once(store, "", "")
    if not key.isprintable():
        raise BadInputError("Idempotency-Key", key, "printable characters")
    if "multipart/form-data" in request.headers.get("content-type", ""):
        raise BadInputError("Idempotency-Key", key, "no such header with a file upload")
    said = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).hexdigest()
    return Once(store, f"{caller.key_id}:{hashlib.sha256(key.encode()).hexdigest()}", said)


PerhapsAgain = Annotated[Once, Depends(_once)]
