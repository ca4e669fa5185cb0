"""API keys: only their SHA-256 is stored. A key has 256 random bits, so that a slow hash would add nothing."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from visavis.errors import BadInputError
from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import NotFoundError
from visavis.store.paging import now
from visavis.store.tables import keys

Scope = Literal["read", "write", "admin"]
_BY_HASH = select(keys).where(keys.c.hash == bindparam("hash"))
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key; `hint` is its beginning. No `networks` means from everywhere."""

    key_id: str
    name: str
    hint: str
    scopes: frozenset[Scope]
    networks: tuple[str, ...] = ()
    max_conversations: int | None = None
    requests_per_minute: int | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, moment: datetime) -> bool:
        """Whether it may be used at that moment."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)


class Keys:
    """The API keys of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        name: str,
        *,
        scopes: Sequence[str] = ("read", "write"),
        expires_at: datetime | None = None,
        networks: Sequence[str] = (),
        max_conversations: int | None = None,
        requests_per_minute: int | None = None,
        only_as_first: bool = False,
    ) -> tuple[str, ApiKey] | None:
        """Make a key; its text is returned here and never again.

        With `only_as_first` None when there has ever been one. Raises `BadInputError`.
        """
        text = "vv_" + secrets.token_urlsafe(32)
        made = ApiKey(
            key_id=ids.key_id(),
            name=name,
            hint=text[:7],
            scopes=_scopes(scopes),
            networks=tuple(_network(one) for one in networks),
            max_conversations=_positive("max_conversations", max_conversations),
            requests_per_minute=_positive("requests_per_minute", requests_per_minute),
            created_at=now(),
            expires_at=expires_at,
        )
        row = {
            "id": made.key_id,
            "hash": _hash(text),
            "name": name,
            "hint": made.hint,
            "scopes": sorted(made.scopes),
            "networks": list(made.networks),
            "max_conversations": max_conversations,
            "requests_per_minute": requests_per_minute,
            "created_at": made.created_at,
            "expires_at": expires_at,
        }

        def work(connection: Connection) -> bool:
            if only_as_first and connection.execute(select(func.count()).select_from(keys)).scalar_one():
                return False
            connection.execute(insert(keys), row)
            return True

        return (text, made) if await self._database.write(work) else None

    async def find(self, text: str) -> ApiKey | None:
        """The key with this text, also when it is expired or revoked; None when there is none."""
        given = {"hash": _hash(text)}
        row = await self._database.read(lambda connection: connection.execute(_BY_HASH, given).first())
        return None if row is None else _read(row)

    async def all(self) -> list[ApiKey]:
        """All keys, oldest first."""
        query = select(keys).order_by(keys.c.created_at, keys.c.id)
        rows = await self._database.read(lambda connection: list(connection.execute(query)))
        return [_read(row) for row in rows]

    async def revoke(self, key_id: str) -> ApiKey:
        """Make a key worthless; one that is revoked stays so. Raises `NotFoundError`."""

        def work(connection: Connection) -> Row[Any]:
            valid = keys.c.id == key_id, keys.c.revoked_at.is_(None)
            connection.execute(update(keys).where(*valid).values(revoked_at=now()))
            row = connection.execute(select(keys).where(keys.c.id == key_id)).first()
            if row is None:
                raise NotFoundError("API key", key_id)
            return row

        return _read(await self._database.write(work))

    async def used(self, when: dict[str, datetime]) -> None:
        """Note when keys were used last, by their ids."""

        def work(connection: Connection) -> None:
            for key_id, moment in when.items():
                connection.execute(update(keys).where(keys.c.id == key_id).values(last_used_at=moment))

        await self._database.write(work)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _scopes(given: Sequence[str]) -> frozenset[Scope]:
    chosen = frozenset(scope for scope in SCOPES if scope in given)
    if not given or (unknown := set(given) - chosen):
        raise BadInputError(
            "scopes", ", ".join(given if not given else sorted(unknown)), "some of " + ", ".join(SCOPES)
        )
    return chosen


def _network(given: str) -> str:
    try:
        return str(ip_network(given, strict=False))
    except ValueError:
        raise BadInputError("networks", given, "an IP address or a network such as 10.1.0.0/16") from None


def _positive(field: str, given: int | None) -> int | None:
    if given is not None and given < 1:
        raise BadInputError(field, given, "a whole number from 1")
    return given


def _read(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        row.hint,
        frozenset(row.scopes),
        tuple(row.networks),
        row.max_conversations,
        row.requests_per_minute,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
    )
