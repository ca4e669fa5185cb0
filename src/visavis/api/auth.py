"""Who may do what: API keys in the `x-api-key` header, their scopes, and from where they may be used.

Every resource says what it needs with `requires`; what says nothing is open to whoever has a link (a call's page and
its signalling).
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from visavis.config import Settings
from visavis.errors import BadInputError, VisavisError
from visavis.store.errors import StoreError
from visavis.store.keys import SCOPES, ApiKey, Keys, Scope
from visavis.transport.ice import is_loopback

_log = logging.getLogger(__name__)

_REMEMBERED_S = 2.0
"""How long a key that was found is believed without asking the database: so long a revoked one may live on."""
_MOST_REMEMBERED = 1000
_NOTE_USE_EVERY_S = 30.0
_ALL = frozenset(SCOPES)
_READING = ("GET", "HEAD", "OPTIONS")


class InvalidKeyError(VisavisError):
    """There is no key in the request, or none that is valid. HTTP 401, in the words that clients know."""

    def __init__(self) -> None:
        super().__init__("Invalid access token")


class NotAllowedError(VisavisError):
    """The key is valid, but not for this. HTTP 403."""


@dataclass(frozen=True)
class _Remembered:
    key: ApiKey
    until: float


class Gatekeeper:
    """Knows the keys of one server. Owns when each was used last, until that is written down."""

    def __init__(self, keys: Keys, settings: Settings) -> None:
        """Raises `BadInputError` when no key is to be asked for on an address that others can reach."""
        if settings.dev and not is_loopback(settings.host):
            raise BadInputError("--dev", settings.host, "a loopback address (127.0.0.1), because it asks for no key")
        self._keys = keys
        self._settings = settings
        self._remembered: dict[bytes, _Remembered] = {}
        self._used: dict[str, datetime] = {}

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self._settings.host)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """While entered, the last use of keys is written down now and then, and in the end."""
        noting = asyncio.create_task(self._note_uses(), name="last use of API keys")
        try:
            yield
        finally:
            noting.cancel()
            await asyncio.wait([noting])
            await self._note()

    async def admit(self, text: str | None, connection: HTTPConnection) -> ApiKey:
        """The key of a request that shows `text`. Raises `InvalidKeyError`, `NotAllowedError`."""
        if self._settings.dev and _from_own_page(connection):
            return DEVELOPER
        if not text:
            raise InvalidKeyError
        if _is_environments(self._settings, text):
            return OPERATOR
        key = await self._find(text)
        if key is None or not key.is_valid(datetime.now(UTC)):
            raise InvalidKeyError
        _check_network(key, connection)
        self._used[key.key_id] = datetime.now(UTC)
        return key

    async def _find(self, text: str) -> ApiKey | None:
        hashed = hashlib.sha256(text.encode()).digest()
        known = self._remembered.get(hashed)
        if known and time.monotonic() < known.until:
            return known.key
        found = await self._keys.find(text)
        if found is None:
            self._remembered.pop(hashed, None)
        else:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[hashed] = _Remembered(found, time.monotonic() + _REMEMBERED_S)
        return found

    async def _note_uses(self) -> None:
        while True:
            await asyncio.sleep(_NOTE_USE_EVERY_S)
            await self._note()

    async def _note(self) -> None:
        used, self._used = self._used, {}
        if used:
            try:
                await self._keys.used(used)
            except StoreError as error:
                _log.warning("When API keys were used last could not be written down: %s", error)


OPERATOR = ApiKey("environment", "VISAVIS_API_KEY", "", _ALL)
"""Who has the key from the environment."""

DEVELOPER = ApiKey("dev", "development without keys", "", _ALL)
"""Everybody, where no key is asked for."""


async def make_first_key(keys: Keys, settings: Settings) -> str | None:
    """A key that may do everything, where nobody could get in without one; None if there is another way in."""
    if settings.dev or settings.api_key is not None:
        return None
    made = await keys.create("first key", scopes=SCOPES, only_as_first=True)
    return None if made is None else made[0]


_header = APIKeyHeader(name="x-api-key", auto_error=False, description="An API key (`visavis keys create`).")


async def _admitted(connection: HTTPConnection, text: Annotated[str | None, Security(_header)]) -> ApiKey:
    gatekeeper: Gatekeeper = connection.app.state.gatekeeper
    return await gatekeeper.admit(text, connection)


Admitted = Annotated[ApiKey, Depends(_admitted)]


def requires(scope: Scope | None = None) -> Callable[..., Awaitable[ApiKey]]:
    """A dependency that gives the caller's key, if it has `scope`.

    Without one, reading takes `read` and everything else `write`. `admin` includes the others. To be used on a router:
    `APIRouter(dependencies=[Depends(requires())])`, or as an argument: `Caller`.
    """

    async def check(connection: HTTPConnection, key: Admitted) -> ApiKey:
        wanted: Scope = scope or ("read" if connection.scope.get("method", "GET") in _READING else "write")
        if wanted not in key.scopes and "admin" not in key.scopes:
            raise NotAllowedError(f"This API key may not do this; it takes one with the scope {wanted!r}.")
        return key

    return check


async def requires_beyond_loopback(connection: HTTPConnection, text: Annotated[str | None, Security(_header)]) -> None:
    """A dependency: a key that may write, but none where only this machine can reach the server."""
    gatekeeper: Gatekeeper = connection.app.state.gatekeeper
    if not gatekeeper.on_loopback:
        await requires("write")(connection, await gatekeeper.admit(text, connection))


Caller = Annotated[ApiKey, Depends(requires())]
"""The key of a request that may do what its method says."""

Admin = Annotated[ApiKey, Depends(requires("admin"))]
"""The key of a request that may do everything."""


def _is_environments(settings: Settings, text: str) -> bool:
    if settings.api_key is None:
        return False
    return secrets.compare_digest(settings.api_key.get_secret_value().encode(), text.encode())


def _check_network(key: ApiKey, connection: HTTPConnection) -> None:
    if not key.networks:
        return
    given = connection.client.host if connection.client else ""
    try:
        address = ip_address(given)
    except ValueError:
        address = None
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped is None or not any(mapped in ip_network(network) for network in key.networks):
        raise NotAllowedError(f"This API key may not be used from {given or 'an unknown address'}.")


def _from_own_page(connection: HTTPConnection) -> bool:
    """Whether no foreign web page sent this: a browser would send requests to loopback for any page."""
    if connection.headers.get("sec-fetch-site") == "cross-site":
        return False
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")
