"""`visavis webhooks list | show | replay | secret`: they work on the store, whether or not a server runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from visavis.config import settings
from visavis.errors import BadInputError

if TYPE_CHECKING:
    from visavis.store import Store
    from visavis.store.webhooks import Delivery

app = typer.Typer(help="Webhooks: list, show, replay, secret.", no_args_is_help=True)
T = TypeVar("T")

DeliveryId = Annotated[str, typer.Argument(help="Its id, as `visavis webhooks list` shows it.")]


@app.command("list")
def list_deliveries(
    status: Annotated[
        Literal["pending", "delivered", "dead"], typer.Option(help="dead: given up after the last attempt.")
    ] = "dead",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """Show messages: those that were given up, or others."""
    page = _in_store(lambda store: store.webhooks.page(status=status, limit=limit))
    shown = Table(Column("id", no_wrap=True), "event", "conversation", Column("receiver"), "attempts", "last error")
    shown.add_column("created", no_wrap=True)
    for one in page.items:
        shown.add_row(
            one.delivery_id,
            one.event_type,
            one.conversation_id or "",
            one.receiver,
            str(one.attempts),
            one.last_error or "",
            f"{one.created_at:%Y-%m-%d %H:%M}",
        )
    Console().print(shown)
    if page.total > len(page.items):
        typer.echo(f"{page.total - len(page.items)} older ones are not shown; see --limit.", err=True)


@app.command()
def show(delivery_id: DeliveryId) -> None:
    """Print a message and what became of it, as JSON."""
    found = _in_store(lambda store: store.webhooks.get(delivery_id))
    described = {
        "delivery_id": found.delivery_id,
        "status": found.status,
        "url": found.url,
        "attempts": found.attempts,
        "last_error": found.last_error,
        "created_at": found.created_at.isoformat(),
        "due_at": found.due_at.isoformat() if found.status == "pending" else None,
        "finished_at": found.finished_at.isoformat() if found.finished_at else None,
        "body": found.body,
    }
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False))


@app.command()
def replay(
    delivery_id: Annotated[str | None, typer.Argument(help="Its id, as `visavis webhooks list` shows it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
) -> None:
    """Send messages again; the running server does it within seconds, a stopped one when it starts."""
    if (delivery_id is None) != everything:
        raise BadInputError("delivery_id", delivery_id, "one id, or --all and no id")

    async def again(store: Store) -> list[Delivery]:
        if delivery_id is not None:
            return [await store.webhooks.replay(delivery_id)]
        replayed = []
        while dead := (await store.webhooks.page(status="dead", limit=100)).items:
            replayed += [await store.webhooks.replay(one.delivery_id) for one in dead]
        return replayed

    count = len(_in_store(again))
    typer.echo(f"{count} {'message' if count == 1 else 'messages'} will be sent again.")


@app.command()
def secret(
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new secret.")] = False,
    keep_hours: Annotated[
        float, typer.Option(min=0, max=24 * 90, help="With --rotate: how long the present one signs as well.")
    ] = 24,
) -> None:
    """Print the secret that messages are signed with; while two are in use, the newer one first."""
    from visavis.webhooks.signing import new_secret

    now = datetime.now(UTC)

    async def find(store: Store) -> list[tuple[str, datetime | None]]:
        secrets = store.webhook_secrets
        found = await secrets.all(new_secret())
        if rotate:
            found = await secrets.rotate(new_secret(), now + timedelta(hours=keep_hours))
        return [(one.secret, one.valid_until) for one in found]

    for text, until in _in_store(find):
        if until is None:
            typer.echo(text)
        elif until > now:
            typer.echo(f"{text}  # signs too until {until:%Y-%m-%d %H:%M} UTC")


def _in_store(work: Callable[[Store], Awaitable[T]]) -> T:
    from visavis.store.configured import configured_store  # takes a while to import

    async def run() -> T:
        async with configured_store(settings()) as store:
            return await work(store)

    return asyncio.run(run())
