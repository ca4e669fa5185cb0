"""`visavis keys create | list | revoke`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from visavis.config import settings
from visavis.errors import BadInputError

if TYPE_CHECKING:
    from visavis.store import Store
    from visavis.store.keys import ApiKey

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
T = TypeVar("T")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; repeatable.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it stops to work: 12h, 30d, or a date like 2030-01-31.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Address or network (10.1.0.0/16) it may be used from; repeatable.")
    ] = None,
    max_conversations: Annotated[int | None, typer.Option(help="Conversations that it may have at once.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="Requests that it may make in a minute.")] = None,
) -> None:
    """Make a key and print it, once."""

    async def make(store: Store) -> tuple[str, ApiKey] | None:
        return await store.keys.create(
            name,
            scopes=scope or ("read", "write"),
            expires_at=None if expires is None else _moment(expires, datetime.now(UTC)),
            networks=network or (),
            max_conversations=max_conversations,
            requests_per_minute=requests_per_minute,
        )

    made = _in_store(make)
    assert made is not None
    typer.echo(f"{made[1].key_id}: keep this key, it is not shown again:", err=True)
    typer.echo(made[0])


@app.command("list")
def list_keys() -> None:
    """Show all keys, never their text."""
    keys = _in_store(lambda store: store.keys.all())
    shown = Table(Column("id", no_wrap=True), "name", Column("begins", no_wrap=True), "scopes", "networks")
    for title in ("created", "expires", "last used", "state"):
        shown.add_column(title)
    for key in keys:
        shown.add_row(
            key.key_id,
            key.name,
            f"{key.hint}…",
            ", ".join(sorted(key.scopes)),
            ", ".join(key.networks) or "all",
            _shown(key.created_at),
            _shown(key.expires_at),
            _shown(key.last_used_at),
            _state(key),
        )
    Console().print(shown)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Its id, as `visavis keys list` shows it.")]) -> None:
    """Make a key worthless; running servers notice within seconds."""
    revoked = _in_store(lambda store: store.keys.revoke(key_id))
    typer.echo(f"{revoked.key_id} ({revoked.name}) is revoked.")


def _in_store(work: Callable[[Store], Awaitable[T]]) -> T:
    from visavis.store.configured import configured_store  # takes a while to import

    async def run() -> T:
        async with configured_store(settings()) as store:
            return await work(store)

    return asyncio.run(run())


_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def _moment(given: str, now: datetime) -> datetime:
    if found := re.fullmatch(r"(\d{1,5})([hd])", given):
        return now + int(found[1]) * _UNITS[found[2]]
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise BadInputError("--expires", given, "12h, 30d, or a date like 2030-01-31") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise BadInputError("--expires", given, "a time that is still to come")
    return moment


def _shown(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "valid" if key.is_valid(datetime.now(UTC)) else "expired"
