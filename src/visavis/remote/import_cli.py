"""`visavis import`: take over what somebody has at a hosted service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from visavis.config import settings
from visavis.errors import BadInputError

if TYPE_CHECKING:
    from visavis.remote.importing import Kind, Outcome, Report

_out = Console(highlight=False)
_MOST_REMARKS = 50


def import_(
    source: Annotated[str, typer.Option("--from", help="Address of the service's API, such as https://host/v2.")],
    key: Annotated[
        str | None, typer.Option("--key", help="API key there; without it, you are asked, and nobody can see it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is here already under the same id.")] = False,
    replica: Annotated[str, typer.Option("--replica", help="The face that imported personas get here.")] = "rmira",
) -> None:
    """Copy personas, what is known of replicas, and ended conversations from a hosted API. Ids stay the same."""
    asked = key or typer.prompt("API key of the service", hide_input=True)
    report = asyncio.run(_run(source, asked, force, replica))
    _show(report)


async def _run(source: str, key: str, force: bool, replica_id: str) -> Report:
    from visavis.remote.client import Remote
    from visavis.remote.importing import Importer
    from visavis.store.configured import configured_store

    async with configured_store(settings()) as store:
        if replica_id != "rmira" and (await store.replicas.get(replica_id)).status != "completed":
            raise BadInputError("--replica", replica_id, "a replica whose status is 'completed', or rmira")
        bars: dict[Kind, TaskID] = {}
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Remote(source, key) as remote, Progress(*columns, console=Console(stderr=True)) as shown:

            def progress(kind: Kind, done: int, total: int) -> None:
                if kind not in bars:
                    bars[kind] = shown.add_task(kind, total=total)
                shown.update(bars[kind], completed=done, total=total)

            return await Importer(remote, store, force=force, replica_id=replica_id).run(progress)


def _show(report: Report) -> None:
    from visavis.remote.importing import KINDS

    outcomes: tuple[Outcome, ...] = ("taken", "replaced", "kept", "not taken")
    table = Table("", *outcomes, box=None)
    for kind in KINDS:
        table.add_row(kind, *(str(report.counts[kind, outcome]) for outcome in outcomes))
    _out.print(table)
    if any(report.counts[kind, "kept"] for kind in KINDS):
        _out.print("kept: here already under the same id; --force replaces them.")
    for line in report.remarks[:_MOST_REMARKS]:
        _out.print(f"- {line}", soft_wrap=True)
    if len(report.remarks) > _MOST_REMARKS:
        _out.print(f"- and {len(report.remarks) - _MOST_REMARKS} more of this kind")
